"""What starts at once when a document comes into force, and what is written off: pure functions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from orchestrator.decisions.decide import decide
from orchestrator.decisions.decision import Decision, Missed, Submit
from orchestrator.decisions.due import LATE, LostTime, due
from orchestrator.decisions.timings import take_over
from orchestrator.document.parse import Document
from orchestrator.errors import ScheduleSyntaxError
from orchestrator.ids import ScheduleId
from orchestrator.ledger.state import ScheduleState, SubmitState
from orchestrator.model import Schedule
from orchestrator.timing.zones import parse_zone
from recur.formats import local


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchingUp:
    """
    What the next tick does about the past of one schedule, if no run of it is in the way.

    Attributes:
        runs: Nominal times of the runs that it starts.
        missed: How many occurrences it writes off.
        first: Nominal time of the first of these.
        last: Of the last.
    """

    runs: tuple[datetime, ...]
    missed: int = 0
    first: datetime | None = None
    last: datetime | None = None


def catching_up(
    state: SubmitState | None, document: Document, now: datetime
) -> dict[ScheduleId, CatchingUp]:
    """
    Return what comes of the past, by schedule: of those that have one.

    Args:
        state: What ``submit.json`` holds; None: nothing yet.
        document: What is to be put in force.
        now: By the storage's clock.
    """
    then = take_over(
        state or SubmitState(), document.schedules, document.invalid, document="", modified=now
    )
    found: dict[ScheduleId, CatchingUp] = {}
    for id_, schedule in document.schedules.items():
        try:
            one = _of(schedule, then.schedules[id_], now)
        except ScheduleSyntaxError:  # a zone that newer rules no longer know
            continue
        if one.missed or any(now - run > LATE for run in one.runs):
            found[id_] = one
    return found


def lines(
    found: Mapping[ScheduleId, CatchingUp], document: Document, shown_in: tzinfo | None = None
) -> Iterator[str]:
    """Say it, a line for each schedule: wall times of its zone, or of the one that is given."""
    for id_, one in found.items():
        zone = shown_in or parse_zone(document.schedules[id_].recurrence.time_zone)
        said: list[str] = []
        if one.runs:
            times = [local(run, zone) for run in one.runs]
            shown = times[0] if len(times) == 1 else f"{times[0]} to {times[-1]}"
            said.append(f"{len(times)} run(s) start at once ({shown})")
        if one.first and one.last:
            first, last = (local(time, zone) for time in (one.first, one.last))
            shown = first if first == last else f"{first} to {last}"
            said.append(f"{one.missed:,} occurrence(s) are missed ({shown})")
        yield f"{id_}: catch-up: {', '.join(said)}"


def _of(schedule: Schedule, state: ScheduleState, now: datetime) -> CatchingUp:
    lost = LostTime.of(schedule.catch_up, now)
    decisions: list[Decision] = []
    while True:
        part = due(state, now, returns=True, lost=lost)
        if not part.any:
            break
        decisions += decide(schedule.id, schedule, part, now=now)
        state = replace(state, decided_until=part.until)
    runs = [one.occurrence.nominal for one in decisions if isinstance(one, Submit)]
    missed = [one for one in decisions if isinstance(one, Missed)]
    if not missed:
        return CatchingUp(runs=tuple(runs))
    newest = missed[-1]
    return CatchingUp(
        runs=tuple(runs),
        missed=sum(
            one.span.count - sum(one.span.also.values()) if one.span else 1 for one in missed
        ),
        first=missed[0].occurrence.nominal,
        last=newest.span.last if newest.span else newest.occurrence.nominal,
    )
