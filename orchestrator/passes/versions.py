"""Which versions of the document were in force: read, and archived where nobody applied them."""

from collections.abc import Callable, Iterable

from orchestrator.adapters.blobs import Ledger
from orchestrator.adapters.container import BlobText
from orchestrator.adapters.telemetry import trouble
from orchestrator.errors import BlobRefused, RecordUnreadable
from orchestrator.ledger.state import SubmitState
from orchestrator.ledger.versions import InForce, Version, digest, free_number, named_number
from orchestrator.passes.inputs import MISSING


async def version_in_force(ledger: Ledger, text: BlobText, state: SubmitState) -> Version:
    """
    Return the version that ``schedules.toml`` holds.

    What somebody uploaded by hand becomes a version here. So does an earlier version whose blob was
    put back: its number says nothing of the time at which it returned.

    Args:
        ledger: Where the versions are.
        text: ``schedules.toml``, which is there.
        state: Says what was taken over last, then or before ``text`` was read.
    """
    named = _named(text)
    taken_over = text.etag == state.document and named == state.version
    if named is not None and (taken_over or named > (state.version or 0)):
        try:
            version = await ledger.version(named)
        except RecordUnreadable as error:
            trouble("a version of the document is archived again", error)
        else:
            if version is not None and version.sha256 == digest(text.data or b""):
                return version
    return await _archived(ledger, text, state)


async def versions_to_take_over(
    ledger: Ledger, text: BlobText, state: SubmitState
) -> tuple[InForce, ...]:
    """
    Return the versions that came into force since the one that was last taken over, oldest first.

    The last of them is the one in force. Going back from it ends where nothing is known of what was
    before: at an upload by hand, which has overwritten that, or at a blob that is gone.
    """
    if text.etag is None:
        return ()
    try:
        version = await version_in_force(ledger, text, state)
    except BlobRefused as error:  # no reason to decide nothing
        trouble("the document in force cannot be archived", error)
        return (InForce(number=None, etag=text.etag, since=text.modified),)
    found = [InForce(number=version.number, etag=text.etag, since=text.modified)]
    known: dict[int, Version | None] | None = None
    while (before := version.before) is not None and before.etag != state.document:
        if before.number is None or before.since is None or before.number >= version.number:
            break
        known = await ledger.versions() if known is None else known
        earlier = known.get(before.number)
        if earlier is None:
            lost = RecordUnreadable(
                f"version {before.number} of the document is missing or unreadable"
            )
            trouble(f"what was in force before version {version.number} is not known", lost)
            break
        found.append(before)
        if before.number <= (state.version or 0):  # it had returned; what was before it is over
            break
        version = earlier
    return tuple(reversed(found))


def is_applied(text: BlobText, number: int) -> bool:
    """Tell whether ``schedules.toml`` holds this version, as it was applied."""
    return _named(text) == number


def _named(text: BlobText) -> int | None:
    return named_number(text.data or b"", text.metadata)


async def _archived(ledger: Ledger, text: BlobText, state: SubmitState) -> Version:
    """Return the version made of what nobody applied; tick and apply make it once between them."""
    data = text.data or b""

    def made(number: int) -> Version:
        return Version(
            number=number,
            sha256=digest(data),
            at=text.modified or text.now,
            before=_last_taken_over(state),
            etag=text.etag,
        )

    return await created_version(
        ledger,
        data,
        made,
        there=lambda one: one.etag == text.etag,
        above=(state.version, _named(text)),
    )


async def created_version(
    ledger: Ledger,
    data: bytes,
    made: Callable[[int], Version],
    *,
    there: Callable[[Version], bool],
    above: Iterable[int | None],
) -> Version:
    """
    Return a version that is there, or create it with the next free number.

    Args:
        ledger: Where.
        data: Its content.
        made: Makes the version with a number.
        there: Knows it again.
        above: Numbers that it must exceed, besides those of all versions.
    """
    tried: int | None = None
    while True:
        known = await ledger.versions()
        for one in known.values():
            if one is not None and there(one):
                return one
        tried = free_number(known, tried, *above)
        version = made(tried)
        if await ledger.create_version(version, data):
            return version


def _last_taken_over(state: SubmitState) -> InForce | None:
    """Return what was in force before an upload by hand, as far as anybody can tell."""
    if state.document in {"", MISSING}:
        return None
    return InForce(number=state.version, etag=state.document, since=None)
