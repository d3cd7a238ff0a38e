"""What a run wrote: from the outputs container once it ended, from its node while it runs."""

import hashlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from azure.batch import BatchClient
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from orchestrator.decisions.places import portless
from orchestrator.ledger.record import Record
from recur.errors import CliError, Exit
from recur.target import Target
from recur.terminal_text import terminal_writer

STREAMS: Final = ("stdout.txt", "stderr.txt")
_TASK: Final = "main"
_TEXT_BYTES: Final = 1024 * 1024
"""In the JSON document a text stands up to this size."""

_QUICKLY: Final[dict[str, Any]] = {
    "retry_total": 0,
    "connection_timeout": 3,
    "read_timeout": 30,
}
_CONFLICT: Final = 409


class Sink:
    """
    Takes bytes exactly as they are: to stdout, or for the JSON document.

    On a terminal they become text whose control characters are escaped: what a task writes must
    neither clear the screen nor change its title.

    Attributes:
        bytes: How many there were.
        ends_a_line: Whether what comes next begins a line.
    """

    def __init__(self, *, keep: bool) -> None:
        """Take them; ``keep`` them for the document instead of writing them."""
        self.bytes = 0
        self.ends_a_line = True
        self._keep = keep
        self._terminal = None if keep else terminal_writer()
        self._kept = bytearray()
        self._digest = hashlib.sha256()

    def take(self, part: bytes) -> None:
        """Take the next bytes."""
        self.bytes += len(part)
        self._digest.update(part)
        self.ends_a_line = part.endswith(b"\n") if part else self.ends_a_line
        if self._terminal:
            self._terminal.write(part)
        elif not self._keep:
            sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()
        elif self.bytes <= _TEXT_BYTES:
            self._kept += part

    def close(self) -> None:
        """Show what is left of a character that was cut off."""
        if self._terminal:
            self._terminal.write(b"", final=True)

    @property
    def sha256(self) -> str:
        """Hex digest of all that was taken."""
        return self._digest.hexdigest()

    @property
    def text(self) -> str | None:
        """All that was taken, if it is UTF-8 of at most 1 MiB and was kept."""
        if not self._keep or self.bytes > _TEXT_BYTES:
            return None
        try:
            return self._kept.decode()
        except UnicodeDecodeError:
            return None


@dataclass(frozen=True, slots=True)
class StoredOutputs:
    """The outputs container, into which nodes push what tasks wrote."""

    container: ContainerClient

    def size(self, path: str) -> int | None:
        """Return the size of an output in bytes; None if there is none."""
        try:
            return int(self.container.get_blob_client(path).get_blob_properties().size)
        except ResourceNotFoundError:
            return None

    def read(self, path: str, begin: int, end: int) -> Iterator[bytes]:
        """Yield the bytes of an output from ``begin`` up to ``end``."""
        if begin < end:
            stream = self.container.download_blob(
                path, offset=begin, length=end - begin, max_concurrency=1
            )
            yield from stream.chunks()

    def paths(self, folder: str, below: str) -> Iterator[tuple[str, int]]:
        """Yield path below ``folder`` and size of what lies below a folder in it."""
        for blob in self.container.list_blobs(name_starts_with=folder + below):
            yield blob.name.removeprefix(folder), int(blob.size or 0)


@dataclass(frozen=True, slots=True)
class NodeFiles:
    """
    The files of a job's task, as long as its node is there.

    Attributes:
        client: Opens the Batch account, which is needed only while a run goes on.
    """

    client: Callable[[], BatchClient]

    def size(self, job_id: str, path: str) -> int | None:
        """
        Return the size of a file in bytes; None if there is none, or no node any more.

        Raises:
            AzureError: Batch gave no answer.
        """
        try:
            found = self.client().get_task_file_properties(job_id, _TASK, path, **_QUICKLY)
        except ResourceNotFoundError:
            return None
        except HttpResponseError as error:
            if error.status_code == _CONFLICT:  # the task has no node yet, or no longer
                return None
            raise
        return int(found.content_length)

    def read(self, job_id: str, path: str, begin: int, end: int) -> Iterator[bytes]:
        """Yield the bytes of a file from ``begin`` up to ``end``; raises AzureError."""
        if begin < end:
            yield from self.client().download_task_file(
                job_id, _TASK, path, ocp_range=f"bytes={begin}-{end - 1}", **_QUICKLY
            )


def node_files(target: Target) -> NodeFiles:
    """Prepare to read from the nodes of a deployment."""
    return NodeFiles(cache(target.batch))


def stored_outputs(target: Target, record: Record, number: int) -> StoredOutputs:
    """
    Open the container into which an attempt's node pushes: not always that of the settings.

    Raises:
        CliError: It is in another storage account.
    """
    storage = target.storage()
    name = target.need("OUTPUTS_CONTAINER")
    url = next((one.outputs_url for one in record.attempts if one.number == number), None)
    if url is not None:
        account, _, name = url.rpartition("/")
        if portless(account) != portless(str(storage.url).rstrip("/")):
            raise CliError(
                Exit.FOUND,
                f"the outputs of attempt {number} of {record.run_id} went to {url}",
                "look there: it is not in the storage account of these settings",
            )
    return StoredOutputs(storage.get_container_client(name))
