"""Marking a run ``stop``: it is dispatched no more, and the collector ends it."""

from dataclasses import replace

from orchestrator.ids import RunId
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.record import Record
from orchestrator.passes.services import Services


async def mark_stop(services: Services, run_id: RunId, stop: Stop) -> Record | None:
    """
    Mark an open run, unless it is marked already.

    Returns:
        Its record as it is now; None if it is open no more.

    Raises:
        LedgerConflict: Somebody else wrote it meanwhile.
        RecordUnreadable: Its record cannot be read.
    """
    opened = await services.ledger.read_open(run_id)
    if opened is None:
        return None
    record, etag = opened
    if record.stop is None:
        record = replace(record, stop=stop)
        await services.ledger.write_open(record, etag)
    return record
