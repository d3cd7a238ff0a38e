"""Putting a document in force, as one version more: archived first, then committed by one write."""

from dataclasses import dataclass, replace

from orchestrator import ids
from orchestrator.adapters.blobs import Ledger
from orchestrator.adapters.container import BlobText
from orchestrator.adapters.telemetry import trouble
from orchestrator.errors import LedgerConflict, RecordUnreadable
from orchestrator.ledger.state import SubmitState, load_submit
from orchestrator.ledger.versions import InForce, Version, digest
from orchestrator.passes.versions import created_version, is_applied, version_in_force


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """
    What somebody applies.

    Attributes:
        data: The document, byte by byte.
        by: Who applies it.
        note: Why.
    """

    data: bytes
    by: str
    note: str | None = None


async def apply_version(ledger: Ledger, given: Application, *, etag: str | None) -> int:
    """
    Put a document in force; its write of ``schedules.toml`` is the only commit.

    Whoever dies before that has left a version that was never in force. Doing the same again takes
    that version up, so that it is done once.

    Args:
        ledger: Where.
        given: The document.
        etag: Of the one that it was compared with; None if there was none.

    Returns:
        The number of the version in force.

    Raises:
        LedgerConflict: Somebody else put another document in force meanwhile.
    """
    state = await _submit_state(ledger)  # before the document: a tick may take it over meanwhile
    text = await ledger.read(ids.DOCUMENT)
    if text.etag != etag:
        raise LedgerConflict(f"{ids.DOCUMENT} was changed")
    before = await _in_force(ledger, text, state)
    if before is not None and text.data == given.data and before.number is not None:
        return before.number
    version = await _created(ledger, given, text, before, state)
    try:
        await ledger.put_in_force(version, given.data, etag)
    except LedgerConflict:
        # An answer that was lost is asked for again by the client, or somebody did the same.
        if not is_applied(await ledger.read(ids.DOCUMENT), version.number):
            raise
    return version.number


async def _submit_state(ledger: Ledger) -> SubmitState:
    """Return what the ticks know; an empty state where that cannot be read."""
    text = await ledger.read(ids.SUBMIT_STATE)
    try:
        return SubmitState() if text.data is None else load_submit(text.data)
    except RecordUnreadable as error:
        trouble(f"{ids.SUBMIT_STATE} does not say which version was taken over", error)
        return SubmitState()


async def _in_force(ledger: Ledger, text: BlobText, state: SubmitState) -> InForce | None:
    if text.data is None or text.etag is None:
        return None
    version = await version_in_force(ledger, text, state)
    return InForce(number=version.number, etag=text.etag, since=text.modified)


async def _created(
    ledger: Ledger,
    given: Application,
    text: BlobText,
    before: InForce | None,
    state: SubmitState,
) -> Version:
    """Return the version, created with the next free number unless it was left by who died."""
    last = state.version or 0

    def made(number: int) -> Version:
        return Version(
            number=number,
            sha256=digest(given.data),
            at=text.now,
            by=given.by,
            note=given.note,
            before=before,
        )

    def is_left(one: Version) -> bool:
        return one.number > last and one == replace(made(one.number), at=one.at)

    above = (state.version, before.number if before else None)
    return await created_version(ledger, given.data, made, there=is_left, above=above)
