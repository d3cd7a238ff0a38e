"""Whether this app may work on the ledger: its own account, and a ``submit.json`` that is sound."""

from collections.abc import Sequence

from orchestrator import ids
from orchestrator.adapters.blobs import Ledger
from orchestrator.adapters.telemetry import Event, emit
from orchestrator.errors import LedgerTrouble, RecordUnreadable
from orchestrator.ledger.state import OpenRun, SubmitState, load_submit
from orchestrator.passes.services import Services


def check_owner(services: Services, state: SubmitState) -> None:
    """
    Make sure that the ledger belongs to this app's Batch account, or to none yet.

    Raises:
        LedgerTrouble: It belongs to another one.
    """
    ours = services.place.account
    if state.owner and state.owner != ours:
        raise LedgerTrouble(
            "foreign",
            ids.SUBMIT_STATE,
            f"this ledger belongs to the Batch account {state.owner}, but BATCH_ACCOUNT_URL names "
            f"{ours}: correct the setting, or move the ledger with `recur adopt`",
        )


async def check_stored_owner(services: Services) -> None:
    """
    Make sure of the same by what ``submit.json`` says now.

    Where it is missing or cannot be read, the submit pass reports it. What has been started is
    looked after meanwhile: each attempt holds the account of its job.

    Raises:
        LedgerTrouble: The ledger belongs to another account.
    """
    text = await services.ledger.read(ids.SUBMIT_STATE)
    try:
        state = load_submit(text.data) if text.data else SubmitState()
    except RecordUnreadable:
        return
    check_owner(services, state)


async def check_begun(ledger: Ledger, runs: Sequence[OpenRun]) -> None:
    """
    Make sure that a ledger without ``submit.json`` and with these open runs is a new one.

    Records are written after it: where there are some and it is missing, somebody removed it.

    Raises:
        LedgerTrouble: There are records.
    """
    if not runs and not await ledger.has_final_records():
        return
    if (await ledger.read(ids.SUBMIT_STATE)).data is None:  # and no other tick has just begun it
        raise LedgerTrouble(
            "missing",
            ids.SUBMIT_STATE,
            "it is missing although this ledger has records: restore it from its soft-deleted "
            "versions, or start a new one from now on with `recur adopt --new`",
        )


def report(trouble: LedgerTrouble) -> str:
    """Tell of trouble with the ledger by an event; return the problem for the heartbeat."""
    emit(Event.LEDGER_TROUBLE, what=trouble.what, blob=trouble.blob, detail=str(trouble))
    return str(trouble)
