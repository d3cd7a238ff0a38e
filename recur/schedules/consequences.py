"""What follows from changes of a document: runs that go on, and schedules that look renamed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from orchestrator import ids
from orchestrator.document.parse import Document
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Schedule
from recur.schedules.document_changes import Change

_MOST_NAMED: Final = 10


def with_renames(
    found: Sequence[Change], before: Document | None, after: Document
) -> tuple[Change, ...]:
    """Return the changes, the added ones with the removed one that each looks like."""
    old = before.schedules if before else {}
    gone = [old[one.schedule] for one in found if one.kind == "removed" and one.schedule in old]
    new = [after.schedules[one.schedule] for one in found if one.kind == "added"]
    pairs = {to: (name, same) for name, to, same in _pairs(gone, new)}
    return tuple(
        replace(one, renamed_from=pairs[one.schedule][0], same=pairs[one.schedule][1])
        if one.schedule in pairs
        else one
        for one in found
    )


def with_open_runs(found: Sequence[Change], open_runs: Iterable[RunId]) -> tuple[Change, ...]:
    """Return the changes, the removed ones with their runs that have not ended."""
    runs: dict[ScheduleId, list[RunId]] = defaultdict(list)
    for run_id in open_runs:
        if parsed := ids.parse_run_id(run_id):
            runs[parsed[0]].append(run_id)
    return tuple(
        replace(one, open_runs=tuple(runs[one.schedule])) if one.kind == "removed" else one
        for one in found
    )


def with_pauses(
    found: Sequence[Change], states: Mapping[ScheduleId, ScheduleState], now: datetime
) -> tuple[Change, ...]:
    """Return the changes, those that others look like with who paused them."""
    old = {one.renamed_from for one in found if one.renamed_from} & states.keys()
    holding = {
        id_: [pause.by for pause in states[id_].pauses if pause.until is None or pause.until > now]
        for id_ in old
    }
    return tuple(
        replace(one, paused_by=holding[one.schedule][-1]) if holding.get(one.schedule) else one
        for one in found
    )


def consequences(change: Change, found: Sequence[Change]) -> Iterator[str]:
    """
    Yield what a removal leaves running, and what a new name means.

    Args:
        change: One of them.
        found: All changes.
    """
    if change.kind == "removed":
        runs = named(change.open_runs)
        yield f"its open runs go on: {runs}" if runs else "it has no open run"
    if change.renamed_from:
        old = next(one for one in found if one.schedule == change.renamed_from)
        yield (
            f"it has the {' and '.join(change.same)} of {old.schedule}, which this document removes: if this "
            "is a renamed schedule, its history starts again"
        )
        if old.open_runs:
            yield f"open runs of {old.schedule} go on: {named(old.open_runs)}"
        if old.paused_by:
            yield (
                f"the pause of {old.schedule} by {old.paused_by} does not apply to it: "
                f"recur pause {change.schedule}"
            )


def named(names: Sequence[str]) -> str:
    """Return the first ten names, and how many more there are."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _pairs(
    gone: Sequence[Schedule], new: Sequence[Schedule]
) -> Iterator[tuple[ScheduleId, ScheduleId, tuple[str, ...]]]:
    """Yield the likeliest pairs, each schedule in one at most."""
    alike = [
        (_unlikeliness(one, other, same), one.id, other.id, same)
        for one in gone
        for other in new
        if (same := _same(one, other))
    ]
    seen: set[ScheduleId] = set()
    for _, name, to, same in sorted(alike):
        if not {name, to} & seen:
            seen |= {name, to}
            yield name, to, same


def _same(one: Schedule, other: Schedule) -> tuple[str, ...]:
    """Return in what two schedules are alike."""
    both = (
        ("command", one.command == other.command),
        ("timing", one.recurrence == other.recurrence),
    )
    return tuple(name for name, alike in both if alike)


def _unlikeliness(one: Schedule, other: Schedule, same: Sequence[str]) -> tuple[bool, bool, int]:
    """Put both before one of them, the command before the timing, then names that begin alike."""
    pairs = zip(one.id, other.id, strict=False)
    begin = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one.id), len(other.id)))
    return len(same) == 1, "command" not in same, -begin
