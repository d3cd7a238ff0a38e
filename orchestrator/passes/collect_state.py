"""``collect.json`` in one tick: read at most once, and written in one place."""

from dataclasses import replace
from typing import Final

from orchestrator import ids
from orchestrator.adapters.blobs import Ledger
from orchestrator.adapters.calls import first_line
from orchestrator.adapters.container import BlobText, Lease
from orchestrator.adapters.telemetry import trouble
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId
from orchestrator.ledger.results import CollectState, Rebuilding, dump_collect, load_collect

LOST: Final = CollectState(rebuilding=Rebuilding(because=f"{ids.COLLECT_STATE} was missing"))
"""What is put in the place of a missing one; in a new ledger there is nothing to make anew."""


class CollectStore:
    """The state of the collect pass, under its lease and If-Match."""

    def __init__(self, ledger: Ledger, lease: Lease) -> None:
        self._ledger = ledger
        self._lease = lease
        self._known: CollectState | None = None
        self._etag = ""

    async def read(self) -> CollectState:
        """
        Return the state as it is now; storage is asked once in a tick.

        One that is damaged, or of a later version, is kept under another name and made anew.

        Raises:
            LedgerUnavailable: Storage did not answer.
        """
        if self._known is None:
            text = await self._ledger.read(ids.COLLECT_STATE)
            self._etag = text.etag or ""
            try:
                self._known = load_collect(text.data or b"")
            except RecordUnreadable as error:
                return await self._begin_anew(text, error)
        return self._known

    async def _begin_anew(self, text: BlobText, error: RecordUnreadable) -> CollectState:
        data = text.data or b""
        kept = ids.kept_blob(ids.COLLECT_STATE, text.modified or text.now, data)
        await self._ledger.keep(kept, data)
        because = f"{first_line(error).rstrip(':')}; a copy is kept as {kept}"
        trouble(f"{ids.COLLECT_STATE} is rebuilt", error)
        state = CollectState(rebuilding=Rebuilding(because=because, kept=kept))
        await self.write(state)
        return state

    async def write(self, state: CollectState) -> None:
        """
        Write the state, if it is another than the one that is stored.

        Raises:
            LedgerConflict: Somebody else wrote it, or the lease is not ours any more.
            LedgerUnavailable: Storage did not answer.
        """
        if state == self._known:
            return
        self._etag = await self._ledger.write(
            ids.COLLECT_STATE, dump_collect(state), self._lease, self._etag
        )
        self._known = state

    async def advance(self, turn: str, position: RunId | None) -> None:
        """
        Write down which run has its turn, before anything is done with it; None: nobody had.

        Raises:
            LedgerConflict: As ``write``.
            LedgerUnavailable: Storage did not answer.
        """
        state = await self.read()
        positions = {**state.positions, turn: position}
        known = {one: run for one, run in positions.items() if run is not None}
        await self.write(replace(state, positions=known))
