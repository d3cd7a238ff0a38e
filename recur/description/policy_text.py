"""The policies of a schedule in words."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.enums import CatchUpMode, Fold, Gap, Outcome, Overlap
from orchestrator.exit_codes import signal_name
from orchestrator.model import Recurrence, Retries, Schedule
from orchestrator.timing.cron import parse_cron
from recur.description.joined_text import joined
from recur.formats import short_duration
from recur.importing.tables import clock_changes

_GAPS = {
    Gap.SHIFT: "runs at the first instant after it",
    Gap.SKIP: "does not run",
}
_FOLDS = {
    Fold.FIRST: "runs the first time",
    Fold.SECOND: "runs the second time",
    Fold.BOTH: "runs both times",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """
    One policy of a schedule.

    Attributes:
        name: As the key of the document, with a space for its underscore.
        text: What it says, in words.
    """

    name: str
    text: str


def policies_of(schedule: Schedule) -> tuple[Policy, ...]:
    """Return the policies of a schedule; those that say nothing by default are left out."""
    return tuple(Policy(name=name, text=text) for name, text in _policies(schedule))


def _policies(schedule: Schedule) -> Iterator[tuple[str, str]]:
    yield "overlap", _overlap(schedule)
    yield "catch up", _catch_up(schedule)
    if not schedule.recurrence.every and clock_changes(schedule.recurrence.time_zone):
        yield "dst", _dst(schedule.recurrence)
    if schedule.jitter:
        yield "jitter", f"each submission is put off by up to {short_duration(schedule.jitter)}"
    yield "start timeout", _until_started(schedule.start_timeout)
    yield (
        "run timeout",
        f"a run that takes longer than {short_duration(schedule.run_timeout)} is ended",
    )
    yield "retries", _retries(schedule.retries)
    if schedule.pause_after_failures:
        yield (
            "pause after failures",
            f"{schedule.pause_after_failures} failed runs in a row pause the schedule",
        )
    if schedule.outputs:
        yield "outputs", f"besides stdout and stderr: {', '.join(schedule.outputs)}"
    if not schedule.last_words:
        yield "last words", "records do not hold the ends of stderr and stdout"


def _overlap(schedule: Schedule) -> str:
    match schedule.overlap:
        case Overlap.SKIP:
            return "skip: while an earlier run goes on, an occurrence is skipped"
        case Overlap.QUEUE:
            return (
                "queue: while an earlier run goes on, an occurrence waits; "
                f"beyond {schedule.max_queued} that wait it is skipped"
            )
        case Overlap.REPLACE:
            return "replace: an earlier run that goes on is ended, then the new one starts"
        case Overlap.ALLOW:
            return (
                "allow: runs go on beside each other; while "
                f"{schedule.max_parallel} do, an occurrence is skipped"
            )


def _catch_up(schedule: Schedule) -> str:
    catch_up = schedule.catch_up
    window = short_duration(catch_up.window)
    match catch_up.mode:
        case CatchUpMode.LATEST:
            return f"latest: after an outage the newest occurrence of the last {window} runs"
        case CatchUpMode.ALL:
            return (
                f"all: after an outage the occurrences of the last {window} run, "
                f"the newest {catch_up.max} at most"
            )
        case CatchUpMode.NONE:
            return "none: what came due during an outage does not run"


def _dst(recurrence: Recurrence) -> str:
    """Say what changes of the clock do; by ``auto`` it depends on how expressions are written."""
    wild = {parse_cron(one).wild for one in recurrence.cron} | ({False} if recurrence.at else set())
    gap, fold = recurrence.gap, recurrence.fold
    gaps = {Gap.SKIP if one else Gap.SHIFT for one in wild} if gap is Gap.AUTO else {gap}
    folds = {Fold.BOTH if one else Fold.FIRST for one in wild} if fold is Fold.AUTO else {fold}
    return (
        f"what falls into an hour that is left out {_either(gaps, _GAPS)}; "
        f"what falls into an hour that comes twice {_either(folds, _FOLDS)}"
    )


def _either[T](found: Collection[T], texts: Mapping[T, str]) -> str:
    """Return what becomes of all; where that differs, what each way of writing gives."""
    if len(found) == 1:
        return texts[next(iter(found))]
    fixed, wild = (text for one, text in texts.items() if one in found)
    return f"{fixed} if minute and hour name times, and {wild} if one of them begins with *"


def _until_started(limit: timedelta) -> str:
    return f"a run that has not started within {short_duration(limit)} is given up"


def _retries(retries: Retries) -> str:
    if not retries.max:
        return "none"
    after = joined([_tried_again(one, retries) for one in retries.on], "or")
    attempts = f"{retries.max} more attempt{'s' * (retries.max > 1)} at most"
    doubled = ", then twice as long each time, up to 1 h" if retries.max > 1 else ""
    return f"{attempts}, after {after}; the first after {short_duration(retries.backoff)}{doubled}"


def _tried_again(outcome: Outcome, retries: Retries) -> str:
    if outcome is not Outcome.FAILED or not retries.exit_codes:
        return outcome
    codes = joined([_exit_code(one) for one in retries.exit_codes], "or")
    return f"{outcome} with exit code {codes}"


def _exit_code(code: int) -> str:
    name = signal_name(code)
    return f"{code} ({name})" if name else str(code)
