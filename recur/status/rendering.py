"""The status as text on a terminal, and as JSON for programs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any, Final

from rich.text import Text

from orchestrator.decisions.last_words import escape_controls, last_line
from orchestrator.ids import ScheduleId
from recur.causes.trouble import Health, Kind, Trouble
from recur.folding import folded
from recur.formats import NOTHING, age, local
from recur.output import Printer
from recur.state_cells import in_colour
from recur.status.value import Finding, Last, ScheduleStatus, State, Status
from recur.tables import Cell, Column, show_table

_STYLES: Final = {
    Health.PROBLEM: "red",
    Health.UNKNOWN: "magenta",
    Health.NOTE: "yellow",
    Health.GOOD: "green",
}
_COLUMNS: Final = (
    Column(name="SCHEDULE", rank=0),
    Column(name="STATE", rank=1),
    Column(name="LAST", rank=2),
    Column(name="NEXT", rank=3),
    Column(name="OWNER", rank=5, prose=True, optional=True),
    Column(name="NOTE", rank=4, prose=True, optional=True),
)
_MARK_WIDTH: Final = 9
_MOST_TROUBLES: Final = 20
_MOST_NAMES: Final = 5
_LONGEST_LINE: Final = 300
_ENDED: Final = frozenset({Kind.FAILED, Kind.MISSED})
_LASTING: Final = frozenset(
    {State.BLOCKED, State.STOPPING, State.WAITING, State.FINISHING, State.RUNNING}
)


def status_json(status: Status) -> dict[str, Any]:
    """Return the status for programs."""
    pool = asdict(status.pool)
    pool["nodes"] = None if status.pool.nodes is None else dict(status.pool.nodes)
    return {**asdict(status), "pool": pool, "needs_person": status.needs_person}


def show_status(output: Printer, status: Status, zone: tzinfo | None) -> None:
    """
    Print the status for people: what all schedules share, then troubles, then every schedule.

    A next step that several of the first lines have stands below the last of them.

    Args:
        output: Where it goes.
        status: What is shown.
        zone: Of all times; None: the terminal's.
    """
    parts = [*_parts(status, zone)]
    for n, (name, finding) in enumerate(parts, start=1):
        again = any(finding.next_step == other.next_step for _, other in parts[n:])
        step = None if again else finding.next_step
        _show_lines(output, finding.health, f"{name:<8} {finding.what}", step)
    groups = _alike(status.troubles)
    runbooks = {one.schedule: one.runbook for one in status.schedules if one.runbook}
    for group in groups[:_MOST_TROUBLES]:
        _show_group(output, group, status.at, runbooks)
    if left := groups[_MOST_TROUBLES:]:
        number = sum(map(len, left))
        output.say(f"... and {number} more: recur status --json has them all")
    if status.schedules:
        output.say("")
        _show_schedules(output, status, zone)
    output.say("")
    output.say(_verdict(status))


def _parts(status: Status, zone: tzinfo | None) -> Iterator[tuple[str, Finding]]:
    for timer in status.timers:
        yield timer.function, timer.finding
    yield "pool", _named(status.pool.finding, status.pool.id)
    yield "ledger", status.ledger.finding
    document = status.document
    version = f"version {document.version}" if document.version else ""
    since = f"since {local(document.since, zone)}" if document.since else ""
    yield "document", _named(document.finding, ", ".join(one for one in (version, since) if one))


def _named(finding: Finding, name: str) -> Finding:
    what = f"{name}: {finding.what}" if name else finding.what
    return Finding(health=finding.health, what=what, next_step=finding.next_step)


def _alike(troubles: Sequence[Trouble]) -> list[list[Trouble]]:
    """
    Return troubles with those of the same cause and remedy together, in their order.

    Of many blocked runs only the first records were read: the causes of the others lack a detail.
    """
    groups: dict[tuple[Health, Kind, str, str], list[Trouble]] = {}
    for one in troubles:
        cause = "" if one.kind is Kind.BLOCKED else one.cause
        groups.setdefault((one.health, one.kind, cause, one.next_step), []).append(one)
    return list(groups.values())


def _show_group(
    output: Printer, group: Sequence[Trouble], now: datetime, runbooks: Mapping[ScheduleId, str]
) -> None:
    first = group[0]
    names = _names(list(dict.fromkeys(one.schedule for one in group)))
    more = [_when(first, now) + (f": {first.run_id}" if first.run_id else "")]
    if len(group) > 1:
        more[0] += f", and {len(group) - 1} more"
    more += [f"| {_short(line)}" for line in first.last_lines]
    runbook = runbooks.get(first.schedule)
    if runbook and len(group) == 1 and runbook not in first.next_step:
        more.append(f"runbook: {runbook}")
    _show_lines(output, first.health, f"{names}: {first.cause}", first.next_step, more)


def _short(line: str) -> str:
    """Return a line that a run wrote: of one that would fill the screen, its end."""
    return line if len(line) <= _LONGEST_LINE else last_line(line)


def _names(schedules: Sequence[ScheduleId]) -> str:
    left = len(schedules) - _MOST_NAMES
    return ", ".join(schedules[:_MOST_NAMES]) + (f" and {left} more" if left > 0 else "")


def _when(trouble: Trouble, now: datetime) -> str:
    if trouble.since is None:
        return trouble.kind
    since = age(now - trouble.since)
    return (
        f"{trouble.kind}, due {since} ago"
        if trouble.kind in _ENDED
        else f"{trouble.kind} for {since}"
    )


def _show_lines(
    output: Printer,
    health: Health,
    what: str,
    next_step: str | None,
    more: Sequence[str] = (),
) -> None:
    """Print one finding, with its mark before the first line and the others indented below it."""
    mark = f"{health:<{_MARK_WIDTH}}"
    lines = [what, *more, *([f"next: {next_step}"] if next_step else [])]
    parts = [part for line in lines for part in _folded(output, line)]
    for line in islice(parts, 1):
        output.people.print(Text.assemble((mark, _STYLES[health]), line))
    for line in parts[1:]:
        output.say(" " * _MARK_WIDTH + line)


def _folded(output: Printer, line: str) -> list[str]:
    """Fold a line to the width of the terminal between words; off terminals it stays whole."""
    if not output.people.is_terminal:
        return [" ".join(line.splitlines())]
    return folded(escape_controls(line), max(20, output.people.width - _MARK_WIDTH))


def _show_schedules(output: Printer, status: Status, zone: tzinfo | None) -> None:
    rows = [
        (
            one.schedule,
            _state(one, status.at),
            _last(one, status.at),
            _next(one, status.at),
            one.owner or NOTHING,
            "; ".join(_notes(one, status.at, zone)),
        )
        for one in status.schedules
    ]
    show_table(output, _COLUMNS, rows)


def _state(one: ScheduleStatus, now: datetime) -> Text:
    text = str(one.state)
    if one.since is not None and one.state in _LASTING:
        text += f" {age(now - one.since)}"
    return in_colour(text, one.state)


def _last(one: ScheduleStatus, now: datetime) -> Cell:
    if one.last is None:
        return NOTHING if one.last_known else Text(Health.UNKNOWN, style=_STYLES[Health.UNKNOWN])
    return in_colour(_outcome(one.last, now), one.last.outcome)


def _outcome(last: Last, now: datetime) -> str:
    why = last.reason if last.exit_code is None else str(last.exit_code)
    because = f" ({why})" if why else ""
    return f"{last.outcome}{because} {age(now - last.nominal)} ago"


def _next(one: ScheduleStatus, now: datetime) -> str:
    return f"in {age(one.next_due - now)}" if one.next_due else NOTHING


def _notes(one: ScheduleStatus, now: datetime, zone: tzinfo | None) -> Iterator[str]:
    if pause := one.pause:
        until = f" until {local(pause.until, zone)}" if pause.until else ""
        yield f"paused{until} by {pause.by or 'the document'}" + (
            f": {pause.note}" if pause.note else ""
        )
    if one.open_runs > 1:
        yield f"{one.open_runs} open runs"
    if one.not_run:
        yield _outcome(one.not_run, now)
    if one.state is State.NEW:
        yield "no tick has taken it over yet"


def _verdict(status: Status) -> str:
    """Sum up, and never call well what could not be read."""
    healths = [one.health for one in status.findings] + [one.health for one in status.troubles]
    number = Counter(healths)
    told = ((number[Health.PROBLEM], "problem"), (number[Health.UNKNOWN], "unknown"))
    counts = ", ".join(
        f"{count} {word}{'s' * (count > 1 and word == 'problem')}" for count, word in told if count
    )
    if not status.needs_person:
        return "all is well"
    return f"action needed: {counts}" if counts else "action needed"
