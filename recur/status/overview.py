"""From what was read to the status: pure functions."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from orchestrator import ids
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Record
from recur.causes.ended_run import recorded_trouble
from recur.causes.open_run import with_record
from recur.causes.trouble import Health, Kind, Trouble
from recur.formats import short_duration
from recur.status.ledger import judge_document, judge_ledger
from recur.status.open_runs import open_run_troubles
from recur.status.pool import judge_pool
from recur.status.readings import Readings
from recur.status.schedules import Standing, standings
from recur.status.timers import judge_timers
from recur.status.value import ScheduleStatus, Status

DETAILS_READ: Final = 8
"""So many records are read: of the worst troubles, for their words."""

_ALIKE_READ: Final = 2
"""So many of these at most for troubles of the same cause."""


def status_of(readings: Readings) -> Status:
    """Return how a deployment stands, from what was read of it."""
    found = list(standings(readings))
    troubles = [one for standing in found for one in standing.troubles]
    troubles += open_run_troubles(readings)
    return Status(
        at=readings.now,
        timers=judge_timers(readings, _undecided(found, readings)),
        pool=judge_pool(readings.surroundings),
        ledger=judge_ledger(readings),
        document=judge_document(readings),
        troubles=tuple(sorted(troubles, key=lambda one: one.order)),
        schedules=_in_order([one.status for one in found], troubles),
    )


def _in_order(
    schedules: Iterable[ScheduleStatus], troubles: Iterable[Trouble]
) -> tuple[ScheduleStatus, ...]:
    """Return the schedules with the health of all their troubles, the worst first."""
    worst: dict[ScheduleId, Health] = {}
    for one in troubles:
        known = worst.get(one.schedule, Health.GOOD)
        worst[one.schedule] = min(known, one.health, key=lambda health: health.rank)
    judged = (
        replace(one, health=min(one.health, worst.get(one.schedule, Health.GOOD), key=_rank))
        for one in schedules
    )
    return tuple(sorted(judged, key=lambda one: one.order))


def _rank(health: Health) -> int:
    return health.rank


def _undecided(found: Iterable[Standing], readings: Readings) -> str | None:
    """Say of the occurrence that has waited longest for its decision."""
    waiting = [(one.undecided, one.status.schedule) for one in found if one.undecided]
    if not waiting:
        return None
    oldest, schedule = min(waiting)
    return f"an occurrence of {schedule} has waited {short_duration(readings.now - oldest)} for its decision"


def records_worth_reading(status: Status) -> dict[RunId, str]:
    """Return the blobs of a few records that say more of the worst troubles, by their runs."""
    found: dict[RunId, str] = {}
    alike: dict[tuple[Kind, str], int] = {}
    for one in status.troubles:
        if one.run_id is None or one.kind in {Kind.DAMAGED, Kind.ELSEWHERE}:
            continue
        seen = alike.get((one.kind, one.cause), 0)
        if seen >= _ALIKE_READ or len(found) >= DETAILS_READ:
            continue
        alike[one.kind, one.cause] = seen + 1
        opened = one.kind.of_open_run
        found[one.run_id] = ids.open_blob(one.run_id) if opened else ids.blob_of(one.run_id)
    return found


def with_details(status: Status, records: Mapping[RunId, Record], *, on_laptop: bool) -> Status:
    """Return the status with what the records of some runs say: sentence, exit code, last words."""
    troubles = (_detailed(one, records, on_laptop=on_laptop) for one in status.troubles)
    return replace(
        status,
        troubles=tuple(troubles),
        schedules=tuple(_with_exit_code(one, records) for one in status.schedules),
    )


def _detailed(trouble: Trouble, records: Mapping[RunId, Record], *, on_laptop: bool) -> Trouble:
    record = records.get(trouble.run_id) if trouble.run_id else None
    if record is None:
        return trouble
    if trouble.kind is Kind.FAILED:
        return recorded_trouble(record, on_laptop=on_laptop) or trouble
    return with_record(trouble, record, on_laptop=on_laptop)


def _with_exit_code(one: ScheduleStatus, records: Mapping[RunId, Record]) -> ScheduleStatus:
    record = records.get(one.last.run_id) if one.last and one.last.run_id else None
    if one.last is None or record is None:
        return one
    code = record.attempt.exit_code if record.attempts else None
    return replace(one, last=replace(one.last, exit_code=code))
