"""
The tables of one schedule document put into another, whose other lines stay as they are.

The text is cut at the lines ``[schedules.<id>]``, so comments and order survive. What comes out is
read back and compared with what was meant: a document that is written in another way is refused.
"""

import io
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from orchestrator.document.parse import read
from orchestrator.errors import DocumentError
from recur.errors import CliError, Exit
from recur.schedules.document_file import refused_document

_HEADER: Final = re.compile(r"""[ \t]*\[[\w\-."' \t]+\][ \t]*(#.*)?\r?\n?""")
_SCHEDULES: Final = "schedules"
_DIRECTIVE: Final = "#:"
"""How a line begins that editors read, such as the place of the schema; it belongs to no table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedText:
    """
    A document with tables of another one.

    Attributes:
        text: TOML.
        schedules: Whose tables were put in.
        inherits: Whether these tables may inherit values that their own file does not show.
    """

    text: str
    schedules: frozenset[str]
    inherits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Some lines of a document, and the schedule whose table they are part of."""

    text: str
    schedule: str | None = None


def merge_tables(in_force: str, given: str, file: Path) -> MergedText:
    """
    Return the document in force with the schedules of another one in place of its own.

    Args:
        in_force: Its text.
        given: The text of the other one.
        file: Where that stands, for messages.

    Raises:
        CliError: One of them is not TOML, or is written in a way that this cannot put together; or
            the other one has more than schedules, and other values than those in force.
    """
    whole = _content(in_force, Path("the document in force"), "apply a whole document")
    part = _content(given, file, f"correct {file}, apply it again")
    tables = part.get(_SCHEDULES)
    if not isinstance(tables, dict) or not tables:
        raise CliError(
            Exit.REFUSED,
            f"{file} holds no table [schedules.<id>]: there is nothing to replace",
            "name a file with the schedules to replace or to add",
        )
    _check_other_parts(whole, part, file)
    put_in = cast("dict[str, object]", tables)
    text = _spliced(_pieces(in_force), _texts(_pieces(given)))
    wanted = {**whole, _SCHEDULES: {**whole.get(_SCHEDULES, {}), **put_in}}
    if _content_or_none(text) != wanted:
        raise CliError(
            Exit.REFUSED,
            f"{file} cannot be put into the document in force line by line: in one of them a "
            "schedule is not written below a line [schedules.<id>]",
            "recur document > whole.toml, edit that, recur apply whole.toml",
        )
    return MergedText(
        text=text,
        schedules=frozenset(put_in),
        inherits="defaults" in whole and "defaults" not in part,
    )


def _check_other_parts(whole: dict[str, Any], part: dict[str, Any], file: Path) -> None:
    """
    Refuse what would change the schedules that stay, or be left out in silence.

    Raises:
        CliError: There is such a table.
    """
    others = [name for name in part if name != _SCHEDULES and part[name] != whole.get(name)]
    if others:
        names = " and ".join(f"[{name}]" for name in others)
        raise CliError(
            Exit.REFUSED,
            f"{names} of {file} differs from what is in force, and --only replaces schedules alone",
            f"leave {names} out, and write what the schedules need into their tables; or apply "
            "the whole document",
        )


def _content(text: str, file: Path, next_step: str) -> dict[str, Any]:
    try:
        return read(text)
    except DocumentError as error:
        raise refused_document(file, error.problems, next_step) from error


def _content_or_none(text: str) -> dict[str, Any] | None:
    try:
        return read(text)
    except DocumentError:
        return None


def _pieces(text: str) -> list[_Piece]:
    """Cut a document into its tables, each with the comment right above it, and what is between."""
    chunks = _chunks(text)
    pieces: list[_Piece] = []
    lead = ""
    for n, chunk in enumerate(chunks):
        schedule = _schedule_of(chunk[0]) if n else None
        body, free, next_lead = _parted(chunk, is_first=n == 0, is_last=n == len(chunks) - 1)
        if pieces and schedule is not None and _table_before(pieces) == schedule:
            pieces[-1] = replace(pieces[-1], schedule=schedule)
        pieces += [_Piece(text=lead + body, schedule=schedule), _Piece(text=free)]
        lead = next_lead
    return pieces


def _table_before(pieces: Sequence[_Piece]) -> str | None:
    """Return the schedule whose table, or inner table, came last."""
    return pieces[-2].schedule


def _chunks(text: str) -> list[list[str]]:
    """Return the lines before the first header, then those from each header to the next."""
    chunks: list[list[str]] = [[]]
    for line in io.StringIO(text, newline="\n"):
        # A line that looks like a header may lie within a string or a list of several lines.
        if _HEADER.fullmatch(line) and _table_or_none("".join(chunks[-1])) is not None:
            chunks.append([])
        chunks[-1].append(line)
    return chunks


def _table_or_none(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _schedule_of(header: str) -> str | None:
    """Return the schedule whose table, or inner table, begins with a header."""
    found: dict[str, Any] = tomllib.loads(header)
    schedules = found.get(_SCHEDULES)
    return next(iter(schedules), None) if schedules else None


def _parted(lines: Sequence[str], *, is_first: bool, is_last: bool) -> tuple[str, str, str]:
    """
    Return what belongs to a table, what stands free below it, and the comment of the next table.

    Comments right below its last value are the table's, unless the next header follows them.
    """
    end = len(lines)
    while end and _is_remark(lines[end - 1]):
        end -= 1
    table = _table_or_none("".join(lines))
    while _table_or_none("".join(lines[:end])) != table:
        end += 1  # the last lines of a string look like comments
    tail = lines[end:]
    blank = [n for n, line in enumerate(tail) if not line.strip()]
    if is_last:
        below, above = (blank[0] if blank else len(tail)), len(tail)
    elif blank:
        below, above = blank[0], blank[-1] + 1
    else:
        below = above = 0
    while is_first and above < len(tail) and tail[above].startswith(_DIRECTIVE):
        above += 1
    body = [*lines[:end], *tail[:below]]
    return "".join(body), "".join(tail[below:above]), "".join(tail[above:])


def _is_remark(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _texts(pieces: Sequence[_Piece]) -> dict[str, str]:
    """Return the text of each schedule's tables."""
    texts: dict[str, str] = {}
    for piece in pieces:
        if piece.schedule is not None:
            texts[piece.schedule] = _with_newline(texts.get(piece.schedule, "")) + piece.text
    return {schedule: _with_newline(text) for schedule, text in texts.items()}


def _spliced(pieces: Sequence[_Piece], tables: dict[str, str]) -> str:
    """Return a document with tables in the places of its own; new ones stand at its end."""

    def parts() -> Iterator[str]:
        placed: set[str] = set()
        for piece in pieces:
            if piece.schedule is None or piece.schedule not in tables:
                yield piece.text
            elif piece.schedule not in placed:
                placed.add(piece.schedule)
                yield tables[piece.schedule]
        for schedule, text in tables.items():
            if schedule not in placed:
                yield f"\n{text}"

    joined = ""
    for part in parts():
        joined = _with_newline(joined) + part if part else joined
    return joined


def _with_newline(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
