"""Where what a run wrote goes: one output, or several with a heading where the other one follows."""

import sys
from collections.abc import Sequence
from typing import Any

from recur.output import Printer
from recur.run_output.sources import Sink


class Outlet:
    """
    Takes the outputs of a run to stdout, or for the JSON document.

    A heading says which of several follows. On a terminal it stands above the output. In a pipe or
    a file the bytes are those of the task alone, so there the headings go to stderr.
    """

    def __init__(self, output: Printer, paths: Sequence[str]) -> None:
        self._output = output
        self._sinks = {path: Sink(keep=output.as_json) for path in paths}
        self._current: str | None = None if len(paths) > 1 else paths[0]

    def take(self, path: str, part: bytes) -> None:
        """Take the next bytes of an output."""
        if part and path != self._current:
            self._head(path)
            self._current = path
        self._sinks[path].take(part)

    def _head(self, path: str) -> None:
        heading = f"==> {path} <=="
        if self._output.as_json:
            return
        if sys.stdout.isatty():
            if not self.ends_a_line:
                self._output.people.print()
            self._output.people.print(heading, markup=False)
        else:
            self._output.progress.print(heading, markup=False)

    def close(self) -> None:
        """Show what is left of characters that were cut off."""
        for sink in self._sinks.values():
            sink.close()

    @property
    def ends_a_line(self) -> bool:
        """Whether what comes next begins a line."""
        return self._current is None or self._sinks[self._current].ends_a_line

    @property
    def bytes(self) -> int:
        """How many were taken of all outputs."""
        return sum(sink.bytes for sink in self._sinks.values())

    def json(
        self, run: str, number: int, warnings: dict[str, str | None] | None = None
    ) -> dict[str, Any]:
        """
        Return what was taken, for programs: the first output, and stderr beside stdout.

        Args:
            run: Its id.
            number: Of the attempt.
            warnings: Why the record does not vouch for an output, by its path.
        """
        told = [
            {
                "path": path,
                "bytes": sink.bytes,
                "sha256": sink.sha256,
                "text": sink.text,
                "warning": (warnings or {}).get(path),
            }
            for path, sink in self._sinks.items()
        ]
        first = {"run_id": run, "attempt": number, **told[0]}
        return first if len(told) == 1 else {**first, "stderr": told[1]}
