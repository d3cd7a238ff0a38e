"""Texts and bytes of others that do not go through the printer: shown as text, never obeyed."""

import codecs
import io
import logging
import sys
import traceback
from types import TracebackType
from typing import Final, TextIO, override

from orchestrator.decisions.last_words import escape_controls

_KEPT: Final = "\n\t"


class TerminalWriter:
    r"""
    Writes bytes as text, and escapes what a terminal would obey.

    Line feeds and tabs stay. Carriage returns become line feeds, so that nothing is written over.
    What is not UTF-8 is shown as ``\xff``.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        utf8 = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._decoder = io.IncrementalNewlineDecoder(utf8, translate=True)

    def write(self, part: bytes, *, final: bool = False) -> None:
        """Write the next bytes; a character that is cut in two waits for its rest."""
        self._stream.write(escape_controls(self._decoder.decode(part, final), keep=_KEPT))
        self._stream.flush()


def terminal_writer() -> TerminalWriter | None:
    """Return a writer to stdout; None if stdout is no terminal, and takes bytes as they are."""
    return TerminalWriter(sys.stdout) if sys.stdout.isatty() else None


def write_bytes(data: bytes) -> None:
    """Write bytes to stdout: as they are, or as text if it is a terminal."""
    if terminal := terminal_writer():
        terminal.write(data, final=True)
        return
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


class EscapedLine(logging.Formatter):
    """A line for each entry of a log, indented and without a stack."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        return f"  {escape_controls(record.getMessage())}"


def escape_the_unforeseen() -> None:
    """Escape what no command prints itself: entries of logs, and errors that nobody caught."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(EscapedLine())
    sys.excepthook = _write_error


def _write_error(
    kind: type[BaseException], error: BaseException, stack: TracebackType | None
) -> None:
    lines = traceback.format_exception(kind, error, stack)
    sys.stderr.write(escape_controls("".join(lines), keep=_KEPT))
