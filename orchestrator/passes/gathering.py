"""The outputs of a run that has ended: verified, or missing with a reason."""

from dataclasses import replace
from typing import Final

from orchestrator.enums import Reason
from orchestrator.ids import FILES
from orchestrator.ledger.record import How, Output, Record
from orchestrator.passes.looking import OpenRecord
from orchestrator.passes.services import Services

_STREAMS: Final = ("stdout.txt", "stderr.txt")


class Gatherer:
    """Finds out what became of the outputs of runs, one run at a time."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def gather(self, ended: OpenRecord) -> OpenRecord | None:
        """
        Return a record with its outputs; None if the next tick goes on with them.

        A missing output says why and changes no outcome.
        """
        record = ended.record
        if record.outputs:  # an earlier version wrote them together with the end
            return ended
        prefix = record.output_prefix
        found = await self._services.outputs.measure(prefix, streams=_STREAMS, folder=FILES)
        missing = [
            Output(path=name, how=How.MISSING, why=_why_missing(record))
            for name in _STREAMS
            if name not in found
        ]
        stored = [
            Output(path=name, bytes=size, sha256=sha256, how=How.PUSHED)
            for name, (size, sha256) in found.items()
        ]
        return OpenRecord(replace(record, outputs=(*stored, *missing)), ended.etag)


def _why_missing(record: Record) -> str:
    """Say why an output is not there."""
    attempt = record.attempt
    if attempt.started is None:
        return "the task never started"
    if attempt.reason is Reason.OUTPUT_UPLOAD_FAILED and attempt.sentence:
        return attempt.sentence
    return "the node pushed nothing before it ended"
