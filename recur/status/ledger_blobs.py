"""Reads blobs of the ledger for people: what cannot be read is a part of the answer, and no error."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.adapters.calls import first_line
from orchestrator.document.parse import Document, parse
from orchestrator.errors import DocumentError, RecordUnreadable
from orchestrator.ledger.state import (
    HousekeepingMark,
    OpenRequest,
    damaged_open_run,
    read_open_run,
)
from orchestrator.ledger.versions import named_number
from recur.causes.refusals import LEDGER, REFUSED, why_unreadable
from recur.causes.surroundings import OpenLine, Unreadable
from recur.status.readings import Blob, InForce, Work
from recur.target import Target


def read_blob[T](
    target: Target,
    ledger: ContainerClient,
    name: str,
    content: Callable[[bytes, dict[str, str]], T],
    note: Callable[[Any], None],
) -> Blob[T] | Unreadable | None:
    """
    Read a blob of the ledger; None if it is not there.

    Args:
        target: Whose ledger.
        ledger: The same.
        name: Of the blob.
        content: Reads what it holds, from its bytes and metadata.
        note: Is given the reply, for its Date.
    """
    try:
        reply = ledger.download_blob(name, raw_response_hook=note)
        data = reply.readall()
    except ResourceNotFoundError as error:
        if getattr(error, "error_code", None) == "ContainerNotFound":
            return why_unreadable(error, LEDGER, target)
        return None
    except REFUSED as error:
        return why_unreadable(error, LEDGER, target)
    properties = reply.properties
    try:
        read = content(data, dict(properties.metadata or {}))
    except RecordUnreadable as error:
        return Unreadable(why=first_line(error), next_step="recur doctor", damaged=True)
    return Blob(content=read, etag=str(properties.etag), modified=properties.last_modified)


def in_force(data: bytes, metadata: dict[str, str]) -> InForce:
    """Return the document that ``schedules.toml`` holds, from its bytes and metadata."""
    document: Document | Unreadable
    try:
        document = parse(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, DocumentError) as error:
        document = Unreadable(why=first_line(error), next_step="recur apply FILE", damaged=True)
    return InForce(document=document, number=named_number(data, metadata), data=data)


def read_work(target: Target, ledger: ContainerClient) -> Work | Unreadable:
    """Read the listing of what is open."""
    lines: list[OpenLine] = []
    requests: list[OpenRequest] = []
    mark: HousekeepingMark | None = None
    try:
        for blob in ledger.list_blobs(name_starts_with=ids.OPEN_PREFIX, include=["metadata"]):
            metadata = {key.lower(): value for key, value in (blob.metadata or {}).items()}
            if blob.name == ids.HOUSEKEEPING:
                after = metadata.get("after")
                mark = HousekeepingMark(at=blob.last_modified, after=after, etag=str(blob.etag))
            elif request := ids.open_request_id(blob.name):
                requests.append(OpenRequest(id=request, made=blob.creation_time))
            elif line := _open_line(blob.name, metadata, blob.creation_time):
                lines.append(line)
    except REFUSED as error:
        return why_unreadable(error, LEDGER, target)
    return Work(lines=tuple(lines), requests=tuple(requests), mark=mark)


def _open_line(blob: str, metadata: dict[str, str], created: datetime) -> OpenLine | None:
    try:
        run = read_open_run(blob, metadata)
    except RecordUnreadable:
        run = None
    run = run or damaged_open_run(blob, created)
    return OpenLine(run=run, blocked=metadata.get("blocked")) if run else None
