"""The timings of a changed document, put in force version by version."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from orchestrator.adapters.telemetry import trouble
from orchestrator.decisions.timings import take_over
from orchestrator.document.parse import Document
from orchestrator.errors import OutOfTime, RecordUnreadable
from orchestrator.ids import ScheduleId
from orchestrator.ledger.state import ScheduleState, SubmitState, dump_submit
from orchestrator.ledger.versions import InForce
from orchestrator.passes.inputs import TickInputs, parse_document
from orchestrator.passes.services import Pace, Services
from orchestrator.passes.versions import versions_to_take_over

_READING_SECONDS: Final = 15
"""For reading versions; what was read by then is taken over, and at least one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """
    A state with the timings of further versions.

    Attributes:
        state: What ``submit.json`` is to hold.
        until: When the first version came into force that was left for the next tick; None if none
            was.
    """

    state: SubmitState
    until: datetime | None = None


class TakeOver:
    """Takes over the versions that came into force since the last tick, oldest first."""

    def __init__(self, services: Services, pace: Pace, inputs: TickInputs) -> None:
        """
        Prepare it.

        Args:
            services: Of the tick.
            pace: Its time.
            inputs: What it has read, a changed document among it.
        """
        self._services = services
        self._pace = pace
        self._reading = pace.part(_READING_SECONDS)
        self._inputs = inputs

    async def take_over(self, state: SubmitState) -> TakenOver:
        """
        Return ``state`` with the timings of every version, each from the time it came into force.

        An invalid version changes nothing. Where versions are too many for one tick, or their
        timings for one ``submit.json``, the rest is left: what is due before it is decided first.
        """
        text = self._inputs.text
        if text.etag is None or text.data is None:
            return TakenOver(state=replace(state, document=self._inputs.document))
        versions = await versions_to_take_over(self._services.ledger, text, state)
        newest = len(versions) - 1
        for n, version in enumerate(versions):
            document = self._inputs.parsed if n == newest else await self._document(version)
            state = await self._with(state, version, document)
            if n < newest and self._is_enough(state):
                return TakenOver(state=state, until=versions[n + 1].since)
        return TakenOver(state=state)

    def _is_enough(self, state: SubmitState) -> bool:
        return self._reading.over or len(dump_submit(state)) > self._services.state_bytes

    async def _document(self, version: InForce) -> Document | None:
        """Return what an earlier version says; None if it can say nothing."""
        data = await self._services.ledger.read_version(version.number or 0)
        if data is None:
            gone = RecordUnreadable("its blob is gone")
            trouble(f"version {version.number} of the document is not taken over", gone)
        return parse_document(data)[0]

    async def _with(
        self, state: SubmitState, version: InForce, document: Document | None
    ) -> SubmitState:
        if document is None or version.since is None:
            return replace(state, document=version.etag, version=version.number)
        schedules, invalid = document.schedules, document.invalid
        if state.departed:
            back, unreadable = await self._departed(schedules.keys() - state.schedules.keys())
            state = replace(state, schedules=state.schedules | back)
            schedules = {id_: one for id_, one in schedules.items() if id_ not in unreadable}
            invalid |= unreadable
        return take_over(
            state,
            schedules,
            invalid,
            document=version.etag,
            modified=version.since,
            version=version.number,
        )

    async def _departed(
        self, new: Iterable[ScheduleId]
    ) -> tuple[dict[ScheduleId, ScheduleState], frozenset[ScheduleId]]:
        """Return the schedules of ``new`` that there were before, and those that cannot be told."""
        found: dict[ScheduleId, ScheduleState] = {}
        unreadable: set[ScheduleId] = set()

        async def look(id_: ScheduleId) -> None:
            try:
                state = await self._services.ledger.read_removed(id_)
            except RecordUnreadable as error:
                trouble(f"schedule {id_} stands still: its former state cannot be read", error)
                unreadable.add(id_)
            else:
                found.update({id_: state} if state else {})

        if not await self._pace.each(sorted(new), look):
            raise OutOfTime("the former states of schedules that returned take too long to read")
        return found, frozenset(unreadable)
