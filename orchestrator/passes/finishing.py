"""The end of runs: first the final records, then the results, then tell of each run and close it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from orchestrator.adapters.telemetry import Event, emit
from orchestrator.decisions.costs import with_cost
from orchestrator.decisions.last_words import last_line
from orchestrator.ledger.result import Result, result_of
from orchestrator.ledger.results import finished
from orchestrator.passes.collect_state import CollectStore
from orchestrator.passes.isolation import Isolation
from orchestrator.passes.looking import OpenRecord
from orchestrator.passes.services import Pace, Services
from orchestrator.passes.summarising import Summaries


class Finisher:
    """
    Ends runs whose outputs are known.

    Attributes:
        finished: How many runs were ended.
        still_open: The jobs of the open records that were there when the tick began.
    """

    def __init__(
        self,
        services: Services,
        store: CollectStore,
        summaries: Summaries,
        isolation: Isolation,
        pace: Pace,
    ) -> None:
        self.finished = 0
        self.still_open: frozenset[str] = frozenset()
        self._summaries = summaries
        self._services = services
        self._store = store
        self._isolation = isolation
        self._pace = pace

    async def finish(self, ended: Sequence[OpenRecord]) -> None:
        """End some runs; what is not done by the end of the tick is done by the next one."""
        ledger = self._services.ledger
        done: list[OpenRecord] = []
        results: list[Result] = []

        async def write(one: OpenRecord) -> tuple[OpenRecord, Result]:
            priced = replace(one, record=with_cost(one.record))
            result = result_of(priced.record)
            await ledger.finalise(priced.record)
            return priced, result

        async def finalise(one: OpenRecord) -> None:
            if written := await self._isolation.keep(one.record.run_id, write(one)):
                done.append(written[0])
                results.append(written[1])

        async def close(one: OpenRecord) -> None:
            await self._isolation.keep(one.record.run_id, self._close(one))

        if not ended or not await self._pace.each(ended, finalise) or self._pace.over:
            return
        await self._store.write(reduce(finished, results, await self._store.read()))
        await self._isolation.aside(
            "runs are missing from the summaries",
            self._summaries.add_runs(results, self.still_open),
        )
        await self._pace.each(done, close)

    async def _close(self, ended: OpenRecord) -> None:
        record = ended.record
        emit(
            Event.RUN_FINISHED,
            record.about,
            schedule=record.schedule,
            run_id=record.run_id,
            nominal=record.nominal,
            outcome=record.outcome,
            reason=record.reason,
            sentence=record.sentence,
            last_words=last_line(record.last_words.stderr) if record.last_words else None,
            event_id=record.attempt.job_id,
        )
        self.finished += 1
        # A conflict: an operator stopped it at this very moment. The next tick closes it.
        await self._services.ledger.remove_open(record.run_id, ended.etag)
