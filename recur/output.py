"""
What a command says: to people on a terminal, or to programs as JSON or CSV.

Whatever is printed here is escaped first: what stands in a document, a record or a file name never
reaches the terminal as a control character, and never as markup.
"""

import csv
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import IO, Any, Final, override

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from orchestrator.decisions.last_words import escape_controls
from recur.errors import CliError, Exit

_DELETE: Final = "\x7f"
_FORMULA: Final = ("=", "+", "-", "@")
_OFFSET: Final = re.compile(r"[+-][0-9:]+")


class _Console(Console):
    """
    A console that escapes what it prints, and outlives its reader.

    A command finishes its work even if nobody reads its output any more.
    """

    @override
    def print(self, *objects: Any, **options: Any) -> None:
        super().print(
            *(escape_controls(one) if isinstance(one, str) else one for one in objects), **options
        )

    @override
    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(escape_controls(segment.text, keep="\n"), segment.style)

    @override
    def on_broken_pipe(self) -> None:
        self.quiet = True
        _write_nowhere(self.file)


def _write_nowhere(stream: IO[str]) -> None:
    """Let a stream whose reader has gone take what is left, so that nothing else fails."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@contextmanager
def _outliving_the_reader() -> Iterator[None]:
    """Write to stdout; if its reader has gone, what the command did keeps its exit code."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _write_nowhere(sys.stdout)


class Format(StrEnum):
    """What stdout holds; the words are those of ``-o``."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


_FOR_PEOPLE: Final = frozenset({Format.TABLE, Format.WIDE})


class Printer:
    """
    Where a command's words go.

    People get lines and tables on stdout and progress on stderr. With ``--json`` stdout holds one
    JSON document and nothing else; with ``-o jsonl`` and ``-o csv`` the items of a list.

    Attributes:
        form: What stdout holds.
        as_json: Whether that is one JSON document.
        people: The console of stdout; quiet where programs read it.
        progress: The console of stderr.
    """

    def __init__(self, *, as_json: bool = False, form: Format = Format.TABLE) -> None:
        self.form = Format.JSON if as_json else form
        self.as_json = self.form is Format.JSON
        self.people: Console = _console(quiet=self.form not in _FOR_PEOPLE)
        self.progress: Console = _console(stderr=True)

    @property
    def for_people(self) -> bool:
        """Whether stdout is for people."""
        return self.form in _FOR_PEOPLE

    @property
    def table_width(self) -> int | None:
        """The width of the terminal, in cells; None off a terminal, and where -o wide is given."""
        fits = self.people.is_terminal and self.form is not Format.WIDE
        return self.people.width if fits else None

    def say(self, text: str) -> None:
        r"""Print a line for people; a line feed in it is printed as ``\n``."""
        self.people.print(text, markup=False)

    def confirm(self, question: str) -> bool:
        """Ask a question on stderr, and return whether the answer is yes."""
        return typer.confirm(escape_controls(question), err=True)

    def result(self, value: object) -> None:
        """
        Print the result for programs; for people it has been said already.

        Raises:
            CliError: A list is asked for, and there is none.
        """
        self.refuse_lists()
        if self.as_json:
            with _outliving_the_reader():
                sys.stdout.write(_json(value, indent=2) + "\n")

    def refuse_lists(self) -> None:
        """
        Refuse ``-o jsonl`` and ``-o csv``, before something is written that is no list.

        Raises:
            CliError: One of them is asked for.
        """
        if self.form in {Format.JSONL, Format.CSV}:
            message = f"-o {self.form} works only with lists"
            raise CliError(Exit.USAGE, message, "leave out -o, or use -o json")

    def listing(
        self, value: object, items: Sequence[Mapping[str, object]], fields: Sequence[str]
    ) -> None:
        """
        Print a list for programs; for people it has been said already.

        Args:
            value: The JSON document.
            items: What ``-o jsonl`` and ``-o csv`` have a line for.
            fields: The keys of each item: the heading of ``-o csv``, also where there is none.
        """
        if self.form is Format.JSONL:
            with _outliving_the_reader():
                for item in items:
                    sys.stdout.write(_json(item) + "\n")
        elif self.form is Format.CSV:
            rows = csv.writer(sys.stdout, lineterminator="\n")
            with _outliving_the_reader():
                rows.writerow(fields)
                rows.writerows([_csv_cell(item[name]) for name in fields] for item in items)
        else:
            self.result(value)

    def fail(self, error: CliError) -> None:
        """Print an error and what to do next, to stderr or into the JSON document."""
        if self.as_json:
            told = {"code": int(error.code), "message": error.message, "next": error.next_step}
            self.result({"error": told, **error.details})
        first, *others = map(escape_controls, error.lines)
        text = "".join([f"recur: {first}\n", *(f"  {line}\n" for line in others)])
        if error.next_step:
            text += f"  next: {escape_controls(error.next_step)}\n"
        sys.stderr.write(text)


def _console(*, stderr: bool = False, quiet: bool = False) -> _Console:
    """
    Return a console; NO_COLOR and FORCE_COLOR say whether it has colours, else the terminal.

    FORCE_COLOR makes no terminal of a pipe: tables stay complete there.
    """
    piped = not (sys.stderr if stderr else sys.stdout).isatty()
    forced = bool(os.environ.get("FORCE_COLOR")) and piped
    return _Console(
        stderr=stderr,
        quiet=quiet,
        highlight=False,
        emoji=False,
        soft_wrap=True,
        force_terminal=False if forced else None,
        color_system="standard" if forced else "auto",
    )


def _csv_cell(value: object) -> str:
    """Return a value for a cell: nothing for null, JSON for what is no single value."""
    if value is None:
        return ""
    text = _json(value)
    return _no_formula(escape_controls(json.loads(text))) if text.startswith('"') else text


def _no_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula; offsets stay."""
    is_formula = text.startswith(_FORMULA) and not _OFFSET.fullmatch(text)
    return f"'{text}" if is_formula else text


def _json(value: object, *, indent: int | None = None) -> str:
    text = json.dumps(value, indent=indent, default=_plain)
    return text.replace(_DELETE, r"\u007f")  # json leaves it as it is


def _plain(value: Any) -> Any:  # noqa: ANN401 - json's own hook
    """Put a value into JSON: times as ISO 8601 UTC, durations in seconds."""
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)
