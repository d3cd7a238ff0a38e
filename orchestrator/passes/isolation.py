"""Whatever goes wrong with one run stays with that run."""

from collections.abc import Awaitable
from typing import Final

from orchestrator.adapters.telemetry import trouble
from orchestrator.errors import BatchUnavailable, BlobRefused, LedgerUnavailable
from orchestrator.ids import RunId

_SILENT_ANSWERS: Final = 3
"""After so many failures of a service without a success between, the service itself is silent."""


class Isolation:
    """
    Keeps failures to the runs that they happen to, and counts them.

    Attributes:
        left: How often a run was left for the next tick.
    """

    def __init__(self) -> None:
        self.left = 0
        self._batch_failures = 0
        self._batch_failure: BatchUnavailable | None = None
        self._successes = 0
        self._ledger_failures = 0

    @property
    def batch_is_silent(self) -> bool:
        """Whether Batch has given no answer so often that it is asked no more in this tick."""
        return self._batch_failures >= _SILENT_ANSWERS

    async def keep[T](self, run: RunId, work: Awaitable[T], *, ledger: bool = True) -> T | None:
        """
        Await what is done for one run.

        Args:
            run: It is named where its work fails.
            work: What is done.
            ledger: Whether its failure may mean that the ledger's storage is silent.

        Returns:
            Its result; None if it failed. Then the next tick tries again.

        Raises:
            LedgerUnavailable: Storage gives no answer, whichever run it is asked about.
        """
        before = self._successes
        try:
            result = await work
        except Exception as error:
            self.left += 1
            trouble(f"run {run} waits for the next tick", error)
            self._count(error, ledger=ledger, alone=self._successes == before)
            if self._ledger_failures >= _SILENT_ANSWERS:
                raise LedgerUnavailable(f"{self._ledger_failures} times: {error}") from error
            return None
        self._successes += 1
        self._batch_failures = 0
        self._ledger_failures = 0
        return result

    async def aside(self, what: str, work: Awaitable[None]) -> None:
        """
        Await what is derived from runs, or tidies up after them: its failure holds up no run.

        Args:
            what: What comes to nothing in this tick, for the log.
            work: What is done.

        Raises:
            LedgerUnavailable: Storage gives no answer.
        """
        try:
            await work
        except Exception as error:
            if isinstance(error, LedgerUnavailable) and not isinstance(error, BlobRefused):
                raise
            trouble(what, error)

    def _count(self, error: Exception, *, ledger: bool, alone: bool) -> None:
        """
        Count a failure of a service.

        Batch is not silent if another run succeeded while this one failed: a call that fails takes
        seconds, one that succeeds does not. A failure that several runs share counts once.

        Args:
            error: What was raised.
            ledger: As in ``keep``.
            alone: Whether no other run succeeded meanwhile.
        """
        if isinstance(error, BatchUnavailable):
            self._batch_failures += alone and error is not self._batch_failure
            self._batch_failure = error
        elif isinstance(error, LedgerUnavailable) and not isinstance(error, BlobRefused):
            self._ledger_failures += ledger
        else:
            self._ledger_failures = 0
