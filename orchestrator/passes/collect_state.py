"""``collect.json`` in one tick: read at most once, and written in one place."""

from dataclasses import replace

from orchestrator import ids
from orchestrator.adapters.blobs import Ledger
from orchestrator.adapters.container import Lease
from orchestrator.ids import RunId
from orchestrator.ledger.results import CollectState, dump_collect, load_collect


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

        Raises:
            RecordUnreadable: It is damaged, or of a later version.
            LedgerUnavailable: Storage did not answer.
        """
        if self._known is None:
            text = await self._ledger.read(ids.COLLECT_STATE)
            self._known = load_collect(text.data) if text.data else CollectState()
            self._etag = text.etag or ""
        return self._known

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

    async def advance(self, turn: str, position: RunId) -> None:
        """
        Write down which run has its turn, before anything is done with it.

        Raises:
            RecordUnreadable: As ``read``.
            LedgerConflict: As ``write``.
            LedgerUnavailable: Storage did not answer.
        """
        state = await self.read()
        await self.write(replace(state, positions={**state.positions, turn: position}))
