"""Whether the timers fire, by what the Functions host notes and by what ticks leave behind: pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from recur.causes.surroundings import Unreadable
from recur.causes.trouble import Health
from recur.formats import age
from recur.status.readings import Blob, Readings, TimerNote, Work
from recur.status.value import Finding, Timer

FUNCTIONS: Final = ("submit", "collect")
SILENT: Final = timedelta(minutes=5)
"""A timer without a tick for longer is silent."""

_MINUTE: Final = timedelta(minutes=1)
_HOUSEKEEPING: Final = timedelta(hours=1, minutes=15)
"""The collector looks for old jobs once an hour, however idle it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """
    What the ticks of one function leave in the ledger. An idle tick leaves nothing.

    Attributes:
        wrote: When it last wrote; None: that is not known.
        undone: What it should have done by now, in a sentence; None: nothing.
    """

    wrote: datetime | None = None
    undone: str | None = None


def judge_timers(readings: Readings, undecided: str | None) -> tuple[Timer, ...]:
    """
    Return how both timers stand.

    Args:
        readings: What was read.
        undecided: What has waited for its decision for too long, in a sentence.
    """
    traces = (_submit_trace(readings, undecided), _collect_trace(readings))
    return tuple(
        _judge_timer(function, trace, readings)
        for function, trace in zip(FUNCTIONS, traces, strict=True)
    )


def silence(
    function: str,
    note: TimerNote | None,
    now: datetime,
    *,
    on_laptop: bool,
    allowed: timedelta = SILENT,
) -> Finding | None:
    """
    Return the finding that a timer does not fire, by what the host notes; None if it does.

    Args:
        function: Whose timer it is.
        note: What is noted; None: nothing.
        now: The time.
        on_laptop: Whether `make start` runs it.
        allowed: How long there may be no tick, where there is one each minute.
    """
    if note is None or (note.last is None and not _just_started(note, now, allowed)):
        what = f"no {function} tick yet: its timer has not fired"
    elif note.last and _late(note, now, allowed):
        what = f"no {function} tick for {_ago(now, note.last)}"
    else:
        return None
    return _silent(function, what, on_laptop=on_laptop)


def _judge_timer(function: str, trace: Trace, readings: Readings) -> Timer:
    now = readings.now
    if isinstance(readings.timers, Unreadable):
        return _by_trace(function, trace, readings.timers, readings)
    note = readings.timers.get(function)
    silent = silence(function, note, now, on_laptop=readings.on_laptop)
    if silent:
        return Timer(function=function, last=note.last if note else None, finding=silent)
    if note is None or note.last is None:
        starting = Finding(health=Health.NOTE, what="started; its first tick is due now")
        return Timer(function=function, last=None, finding=starting)
    if trace.undone:
        finding = _failing(f"it ran {_ago(now, note.last)} ago, but {trace.undone}", readings)
    else:
        finding = Finding(health=Health.GOOD, what=f"ran {_ago(now, note.last)} ago")
    return Timer(function=function, last=note.last, finding=finding)


def _just_started(note: TimerNote, now: datetime, allowed: timedelta) -> bool:
    """Whether the host has noted a first time, and that is to come or has just been."""
    return note.following is not None and now - note.following <= allowed - _MINUTE


def _late(note: TimerNote, now: datetime, allowed: timedelta) -> bool:
    """Whether a timer should have fired, with what is allowed beyond a minute."""
    if note.last is None:
        return True
    following = note.last + _MINUTE
    if note.following and note.following > following:
        following = note.following
    return now - following > allowed - _MINUTE


def _by_trace(function: str, trace: Trace, why: Unreadable, readings: Readings) -> Timer:
    """Judge a timer by the ledger alone: silence there may mean that there is nothing to do."""
    now = readings.now
    if trace.undone:
        what = f"no sign of a {function} tick: {trace.undone}"
        finding = _silent(function, what, on_laptop=readings.on_laptop)
    elif trace.wrote and now - trace.wrote <= SILENT:
        finding = Finding(
            health=Health.GOOD, what=f"wrote to the ledger {_ago(now, trace.wrote)} ago"
        )
    else:
        wrote = f"it last wrote to the ledger {_ago(now, trace.wrote)} ago, " if trace.wrote else ""
        finding = Finding(
            health=Health.UNKNOWN,
            what=f"whether it ticks is not known: {wrote}{why.why}",
            next_step=why.next_step,
        )
    return Timer(function=function, last=trace.wrote, finding=finding)


def _submit_trace(readings: Readings, undecided: str | None) -> Trace:
    now, undone = readings.now, [undecided] if undecided else []
    if isinstance(readings.work, Work) and readings.work.requests:
        oldest = min(one.made for one in readings.work.requests)
        if now - oldest > SILENT:
            undone.append(f"a request has waited {_ago(now, oldest)} for its answer")
    if _not_taken_over(readings):
        undone.append("the document in force has not been taken over")
    wrote = readings.submit.modified if isinstance(readings.submit, Blob) else None
    return Trace(wrote=wrote, undone=undone[0] if undone else None)


def _not_taken_over(readings: Readings) -> bool:
    document, state = readings.document, readings.state
    if not isinstance(document, Blob) or readings.now - document.modified <= SILENT:
        return False
    if isinstance(document.content.document, Unreadable):
        return False
    return document.etag != state.document if state else readings.submit is None


def _collect_trace(readings: Readings) -> Trace:
    mark = readings.work.mark if isinstance(readings.work, Work) else None
    wrote = [mark.at] if mark else []
    if isinstance(readings.collect, Blob):
        wrote.append(readings.collect.modified)
    undone = None
    if mark and readings.now - mark.at > _HOUSEKEEPING:
        undone = f"it has not looked for old jobs for {_ago(readings.now, mark.at)}"
    return Trace(wrote=max(wrote, default=None), undone=undone)


def _silent(function: str, what: str, *, on_laptop: bool) -> Finding:
    """Return the finding that a timer does not fire."""
    step = "restart the function app; docs/alerts.md, tick-silent"
    if on_laptop:
        step = f"`make start` runs the timers; `recur tick {function}` does one tick now"
    return Finding(health=Health.PROBLEM, what=what, next_step=step)


def _failing(what: str, readings: Readings) -> Finding:
    """Return the finding that a timer fires, and its function does not do its work."""
    step = "look at the app's log and at docs/alerts.md, product-trouble"
    if readings.on_laptop:
        step = "look at what `make start` prints"
    return Finding(health=Health.PROBLEM, what=what, next_step=step)


def _ago(now: datetime, instant: datetime) -> str:
    return age(now - instant)
