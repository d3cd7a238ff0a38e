"""
The tables of one schedule document put into another, whose other lines stay as they are.

The text is cut at the lines ``[schedules.<id>]``, so comments and order survive. What comes out is
read back and compared with what was meant: a document that is written in another way is refused.
"""

import io
import re
import tomllib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from orchestrator.document.parse import read
from orchestrator.errors import DocumentError
from recur.errors import CliError, Exit
from recur.schedules.document_file import refused_document

_HEADER: Final = re.compile(r"""[ \t]*\[[\w\-."' \t]+\][ \t]*(#.*)?\r?\n?""")
_SCHEDULES, _CALENDARS = "schedules", "calendars"
_DIRECTIVE: Final = "#:"
"""How a line begins that editors read, such as the place of the schema; it belongs to no table."""


type _Owner = tuple[str, str]
"""``schedules`` or ``calendars``, and the name of the table below it."""


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
    """Some lines of a document, and the schedule or calendar whose table they are part of."""

    text: str
    of: _Owner | None = None


def merge_tables(in_force: str, given: str, file: Path) -> MergedText:
    """
    Return the document in force with the schedules of another one in place of its own.

    Calendars of the other one that are not in force are added; those in force stay.

    Args:
        in_force: Its text.
        given: The text of the other one.
        file: Where that stands, for messages.

    Raises:
        CliError: One of them is not TOML, or is written in a way that this cannot put together; or
            the other one has defaults, prices or calendars that differ from those in force.
    """
    whole = _content(in_force, Path("the document in force"), "apply a whole document")
    part = _content(given, file, f"correct {file}, then apply it again")
    tables = part.get(_SCHEDULES)
    if not isinstance(tables, dict) or not tables:
        raise CliError(
            Exit.REFUSED,
            f"{file} has no table [schedules.<id>], so there is nothing to apply",
            "name a file with the schedules to replace or add",
        )
    _check_other_parts(whole, part, file)
    put_in = cast("dict[str, object]", tables)
    calendars = _new_calendars(whole, part)
    owners = {*((_SCHEDULES, id_) for id_ in put_in), *((_CALENDARS, name) for name in calendars)}
    text = _spliced(_pieces(in_force), _texts(_pieces(given), owners))
    wanted = {**whole, _SCHEDULES: {**whole.get(_SCHEDULES, {}), **put_in}}
    if calendars:
        wanted[_CALENDARS] = {**whole.get(_CALENDARS, {}), **calendars}
    if _content_or_none(text) != wanted:
        raise CliError(
            Exit.REFUSED,
            f"{file} cannot be merged into the document in force: in one of them, a schedule is not "
            "written below a line [schedules.<id>]",
            "recur document > whole.toml, edit that file, then recur apply whole.toml",
        )
    return MergedText(
        text=text,
        schedules=frozenset(put_in),
        inherits="defaults" in whole and "defaults" not in part,
    )


def table_text(document: str, schedule: str) -> str | None:
    """Return the lines of a schedule's table; None where it is not written below its own header."""
    text = _texts(_pieces(document), {(_SCHEDULES, schedule)}).get((_SCHEDULES, schedule))
    whole, own = _content_or_none(document), _content_or_none(text) if text else None
    if not text or not whole or not own:
        return None
    same = _tables(own, _SCHEDULES).get(schedule) == _tables(whole, _SCHEDULES).get(schedule)
    return text.strip("\r\n") + "\n" if same else None


def _check_other_parts(whole: dict[str, Any], part: dict[str, Any], file: Path) -> None:
    """
    Refuse what would change the schedules that stay, or be left out in silence.

    Raises:
        CliError: There is such a table.
    """
    others = [
        name
        for name in part
        if name not in {_SCHEDULES, _CALENDARS} and part[name] != whole.get(name)
    ]
    there = _tables(whole, _CALENDARS)
    others += [
        f"{_CALENDARS}.{name}"
        for name, calendar in _tables(part, _CALENDARS).items()
        if name in there and calendar != there[name]
    ]
    if others:
        names = " and ".join(f"[{name}]" for name in others)
        raise CliError(
            Exit.REFUSED,
            f"{names} of {file} differs from the document in force, and --only replaces only schedules",
            f"leave out {names}, and write what the schedules need into their tables; or apply "
            "the whole document",
        )


def _new_calendars(whole: dict[str, Any], part: dict[str, Any]) -> dict[str, object]:
    there = _tables(whole, _CALENDARS)
    return {name: one for name, one in _tables(part, _CALENDARS).items() if name not in there}


def _tables(content: dict[str, Any], part: str) -> dict[str, object]:
    found = content.get(part, {})
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


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
        owner = _owner(chunk[0]) if n else None
        body, free, next_lead = _parted(chunk, is_first=n == 0, is_last=n == len(chunks) - 1)
        if pieces and owner is not None and _owner_before(pieces) == owner:
            pieces[-1] = replace(pieces[-1], of=owner)
        pieces += [_Piece(text=lead + body, of=owner), _Piece(text=free)]
        lead = next_lead
    return pieces


def _owner_before(pieces: Sequence[_Piece]) -> _Owner | None:
    """Return whose table, or inner table, came last."""
    return pieces[-2].of


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


def _owner(header: str) -> _Owner | None:
    """Return whose table, or inner table, begins with a header."""
    (part, below), *_ = tomllib.loads(header).items()
    names: dict[str, Any] = below
    return (part, next(iter(names))) if part in {_SCHEDULES, _CALENDARS} and names else None


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


def _texts(pieces: Sequence[_Piece], wanted: AbstractSet[_Owner]) -> dict[_Owner, str]:
    """Return the text of each table that is wanted, with its inner tables."""
    texts: dict[_Owner, str] = {}
    for piece in pieces:
        if piece.of is not None and piece.of in wanted:
            texts[piece.of] = _with_newline(texts.get(piece.of, "")) + piece.text
    return {owner: _with_newline(text) for owner, text in texts.items()}


def _spliced(pieces: Sequence[_Piece], tables: Mapping[_Owner, str]) -> str:
    """Return a document with tables in the places of its own; new ones stand at its end."""
    there = {piece.of for piece in pieces}
    placed: set[_Owner] = set()
    text = ""
    for piece in pieces:
        if piece.of is None or piece.of not in tables:
            text = _joined(text, piece.text)
        elif piece.of not in placed:
            placed.add(piece.of)
            text = _joined(text, tables[piece.of])
    for owner, table in tables.items():
        if owner not in there:
            text = _joined(text, f"\n{table}")
    return text


def _joined(text: str, more: str) -> str:
    return _with_newline(text) + more if more else text


def _with_newline(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
