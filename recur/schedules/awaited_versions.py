"""Versions of the document that came into force since a tick last looked, read for `recur apply`."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.decisions.timings import take_over
from orchestrator.document.parse import Document, parse
from orchestrator.errors import DocumentError, RecordUnreadable
from orchestrator.ids import ScheduleId
from orchestrator.ledger.moved import load_removed
from orchestrator.ledger.state import ScheduleState, SubmitState
from recur.schedules.version_blobs import log_of, read_in_force, read_version, read_versions


def with_awaited_versions(
    ledger: ContainerClient, state: SubmitState | None, etag: str | None
) -> SubmitState:
    """
    Return the state that the next tick makes of the versions that no tick has taken over.

    A version that cannot be read changes nothing.

    Args:
        ledger: Where they are.
        state: What ``submit.json`` holds; None: nothing yet.
        etag: Of the document in force; None if there is none.

    Raises:
        CliError: The document in force was removed meanwhile.
    """
    state = state or SubmitState()
    if etag is None or etag == state.document:
        return state
    for data, since in _awaited(ledger, state.version or 0):
        with suppress(UnicodeDecodeError, DocumentError):
            document = parse(data.decode("utf-8-sig"))
            state = with_departed(ledger, state, document)
            state = take_over(
                state, document.schedules, document.invalid, document="", modified=since
            )
    return state


def with_departed(ledger: ContainerClient, state: SubmitState, document: Document) -> SubmitState:
    """Return the state with the schedules of a document that were removed long ago."""
    if not state.departed:
        return state
    back = _departed(ledger, document.schedules.keys() - state.schedules.keys())
    return replace(state, schedules=state.schedules | dict(back))


def _departed(
    ledger: ContainerClient, new: Iterable[ScheduleId]
) -> Iterator[tuple[ScheduleId, ScheduleState]]:
    for id_ in new:
        with suppress(ResourceNotFoundError, RecordUnreadable):
            data = ledger.download_blob(ids.removed_blob(id_)).readall()
            yield id_, load_removed(data).state


def _awaited(ledger: ContainerClient, number: int) -> Iterator[tuple[bytes, datetime]]:
    """Yield what came into force after a version, with the time at which it did, oldest first."""
    versions = read_versions(ledger)
    now = read_in_force(ledger, versions)
    if now.version is None:  # uploaded by hand: what was in force before it is not known
        yield now.data, now.since
        return
    for entry in reversed(log_of(now, versions)):
        if entry.since is not None and entry.version.number > number:
            yield read_version(ledger, entry.version.number), entry.since
