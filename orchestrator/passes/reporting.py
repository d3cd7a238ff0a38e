"""Four times an hour every schedule is reported, with the numbers that an alert compares."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Final

from orchestrator.adapters.telemetry import Event, emit, trouble
from orchestrator.decisions.schedule_report import report
from orchestrator.errors import ScheduleSyntaxError
from orchestrator.ledger.results import CollectState, ScheduleResults
from orchestrator.passes.inputs import TickInputs, read_results
from orchestrator.passes.rebuilding import tell
from orchestrator.passes.services import Services

EVERY_SECONDS: Final = 15 * 60
_TOLD_FOR: Final = timedelta(hours=1)
SKEW_SECONDS: Final = 60
"""A clock this far off is worth a word: tokens and signatures fail from about five minutes on."""


async def report_schedules(services: Services, inputs: TickInputs) -> None:
    """
    Report the schedules in the first tick of each quarter of an hour.

    An alert that waits for a failure to be told stays silent when nothing is told; one that
    compares these numbers, and misses them when they are missing, does not.
    """
    quarter = int(inputs.now.timestamp()) // EVERY_SECONDS
    if services.cache.reported == quarter:
        return
    services.cache.reported = quarter
    results = await read_results(services.ledger)
    _report_results(results, inputs.now)
    schedules = inputs.parsed.schedules if inputs.parsed else {}
    for id_, state in inputs.state.schedules.items():
        if state.removed:
            continue
        known, table = results.schedules.get(id_, ScheduleResults()), schedules.get(id_)
        try:
            numbers = report(state, table, known, inputs.now)
        except ScheduleSyntaxError as error:  # a zone that newer rules no longer know
            trouble(f"schedule {id_} cannot be reported", error)
            continue
        about = table.about if table else None
        emit(Event.SCHEDULE_REPORTED, about, schedule=id_, valid=bool(table), **asdict(numbers))
    skew = (datetime.now(UTC) - inputs.now).total_seconds()
    if abs(skew) > SKEW_SECONDS:
        emit(Event.CLOCK_SKEWED, seconds=skew)


def _report_results(results: CollectState, now: datetime) -> None:
    """Report lost results as long as they are made anew, and for an hour after that."""
    rebuilding = results.rebuilding
    if rebuilding and (rebuilding.ended is None or now - rebuilding.ended < _TOLD_FOR):
        tell(results)
