"""An output in storage, written to the end or by its last lines, and compared with its record."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from recur.errors import CliError, Exit
from recur.output import Printer
from recur.progress import progress
from recur.run_output.sources import StoredOutputs
from recur.run_output.tail import tail_begin
from recur.run_output.vouching import VERIFIED_BYTES, Voucher

type Take = Callable[[bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOutput:
    """
    An output in storage, and what its record says of it.

    Attributes:
        outputs: The container.
        blob: Its name there.
        size: In bytes.
        path: Below the folder of its attempt.
        says: What the record says.
    """

    outputs: StoredOutputs
    blob: str
    size: int
    path: str
    says: Voucher

    def warning(self, tail: int | None = None) -> str | None:
        """
        Return why nothing vouches for what is written; None where its hash is compared.

        Args:
            tail: How many lines are written; None: all.
        """
        if self.says.bytes not in {None, self.size}:
            was = self.says.bytes
            return f"{self.path} has {self.size} bytes, and had {was} when the run ended"
        if self.says.warning is None and tail is not None and self.size > VERIFIED_BYTES:
            return f"only the end of {self.path} was read, and nothing compared with the record"
        return self.says.warning

    def write(
        self, output: Printer, take: Take, *, unverified: bool, tail: int | None = None
    ) -> None:
        """
        Write it, what is small only after its hash was compared.

        Args:
            output: Of the command, for a progress bar.
            take: Takes the bytes.
            unverified: Whether to write what is not what the record vouches for.
            tail: How many lines to write; None: all.

        Raises:
            CliError: It is not what the record vouches for, and nobody asked for it all the same.
        """
        compared = self.says.sha256 is not None and not unverified
        if compared and self.size <= VERIFIED_BYTES:
            data = b"".join(self._parts(output, 0))
            self._compare(hashlib.sha256(data).hexdigest())
            begin = 0 if tail is None else tail_begin(partial(_part_of, data), len(data), tail)
            take(data[begin:])
            return
        if tail is not None:
            begin = tail_begin(partial(self.outputs.read, self.blob), self.size, tail)
            for part in self._parts(output, begin):
                take(part)
            return
        digest = hashlib.sha256()
        for part in self._parts(output, 0):
            digest.update(part)
            take(part)
        if compared:
            self._compare(digest.hexdigest())

    def _parts(self, output: Printer, begin: int) -> Iterator[bytes]:
        with progress(output, "reading", self.size - begin, shown=True) as advance:
            for part in self.outputs.read(self.blob, begin, self.size):
                yield part
                advance(len(part))

    def _compare(self, sha256: str) -> None:
        if self.says.sha256 == sha256:
            return
        raise CliError(
            Exit.FOUND,
            f"{self.path} is not what the record vouches for: its sha256 is {sha256}, and was "
            f"{self.says.sha256} when the run ended",
            "look who has written into the outputs container since; --unverified writes it all the "
            "same",
        )


def _part_of(data: bytes, begin: int, end: int) -> list[bytes]:
    return [data[begin:end]]
