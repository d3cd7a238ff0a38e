"""Tables of a schedule document, written as TOML with comments on what changes."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from orchestrator.document.dialects.reading import Dialect, Reading, keys, missing, quoted
from orchestrator.document.parse import parse
from orchestrator.document.types import LONGEST_DESCRIPTION
from orchestrator.errors import DocumentError, ScheduleSyntaxError
from orchestrator.ids import SCHEDULE_ID
from orchestrator.timing.zones import parse_zone

NO_COMMAND = 'echo "this schedule has no command yet" >&2; exit 1'
"""The command of a schedule whose source does not say what to run; such a schedule is paused."""

_SAMPLED_FROM, _SAMPLED_WEEKS = datetime(2026, 1, 1, tzinfo=UTC), 5 * 52
_LONGEST_ID = 40
_LONGEST_COMMENT = 110
_BOTH = '{ gap = "skip", overlap = "both" }'
DST = {
    Dialect.EVENTBRIDGE: '{ gap = "skip", overlap = "first" }',
    Dialect.KUBERNETES: _BOTH,
    Dialect.GO: _BOTH,
    Dialect.NOMAD: _BOTH,
}
"""What a scheduler does where a clock changes, as the key ``dst``, where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """
    One schedule to be.

    Attributes:
        name: What its source calls it: an id is made of it.
        source: Where it stands there.
        keys: Its keys, each with its value in TOML.
        comments: What changes, a sentence each.
        refused: Why it cannot be imported; None if it can. It is written as a comment then.
    """

    name: str
    source: str
    keys: tuple[tuple[str, str], ...] = ()
    comments: tuple[str, ...] = ()
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """
    What a file has.

    Attributes:
        system: Whose file it is.
        tables: One for each of its schedules.
        comments: What changes for all of them.
    """

    system: str
    tables: tuple[Table, ...]
    comments: tuple[str, ...] = ()


def timing(
    reading: Reading, after: datetime | None = None, dst: str | None = None
) -> tuple[tuple[tuple[str, str], ...], str | None]:
    """
    Return the keys of a timing, or why there are none.

    Args:
        reading: The timing.
        after: A start before it is left out.
        dst: What its source does where clocks change, in TOML; written for cron in such a zone.
    """
    pairs: list[tuple[str, str]] = []
    for pair in keys(reading, after):
        pairs.append(pair)
        if pair[0] == "time_zone" and dst and reading.cron and clock_changes(reading.time_zone):
            pairs.append(("dst", dst))
    return tuple(pairs), missing(reading)


def clock_changes(zone: str | None) -> bool:
    """Whether the clock of a zone is put forward or back in these years."""
    if zone is None:
        return False
    try:
        clock = parse_zone(zone)
    except ScheduleSyntaxError:  # the table is refused for it
        return False
    weeks = (_SAMPLED_FROM + timedelta(weeks=n) for n in range(_SAMPLED_WEEKS))
    return len({one.astimezone(clock).utcoffset() for one in weeks}) > 1


def described(text: object) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return the description of a schedule as a key, or as a comment where it is too long for one."""
    line = _visible(str(text or ""))
    if not line:
        return (), ()
    key = (("description", toml_text(line)),)
    return (key, ()) if len(line) <= LONGEST_DESCRIPTION else ((), (line,))


def guarded(name: str, source: str, build: Callable[[], Table]) -> Table:
    """Return the table that is built of an entry, refused where the entry is not of its form."""
    try:
        return build()
    except Exception as error:  # noqa: BLE001 - whatever it holds, it stops no other schedule
        return Table(name=name, source=source, refused=f"it cannot be understood: {error!r:.200}")


def with_ids(tables: Iterable[Table]) -> list[Table]:
    """Return the tables under names that are schedule ids, each its own."""
    taken: set[str] = set()
    found: list[Table] = []
    for table in tables:
        base = schedule_id(table.name)
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base[: _LONGEST_ID - len(str(number)) - 1].rstrip('-')}-{number}"
        taken.add(name)
        found.append(replace(table, name=name))
    return found


def checked(tables: Iterable[Table]) -> list[Table]:
    """Return the tables, those refused that a document would refuse."""
    found: list[Table] = []
    for table in tables:
        if table.refused is None:
            found.append(replace(table, refused=_problems("\n".join(_body(table)))))
        else:
            found.append(table)
    return found


def _problems(text: str) -> str | None:
    """Return what is wrong with a document; None if nothing is."""
    try:
        problems = parse(text).problems
    except DocumentError as error:  # half a character, which TOML cannot say
        problems = error.problems
    return "; ".join(": ".join(filter(None, (one.key, one.message))) for one in problems) or None


def schedule_id(name: str) -> str:
    """Return the schedule id that is closest to a name."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)
    plain = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:_LONGEST_ID].strip("-")
    if not SCHEDULE_ID.fullmatch(plain):
        plain = f"job-{plain}"[:_LONGEST_ID].strip("-")
    return plain


def toml_text(text: str) -> str:
    """Return a text as a string of TOML, as it is wherever a literal string can hold it."""
    printable = all(one.isprintable() for one in text.replace("\n", ""))
    if "\n" in text and printable and "'''" not in text and not text.endswith("'"):
        return f"'''\n{text}'''"
    if printable and "'" not in text and "\n" not in text and ('"' in text or "\\" in text):
        return f"'{text}'"
    return quoted(text)


def inline_table(values: Iterable[tuple[str, str]]) -> str:
    """Return an inline table of TOML, of keys and their values in TOML."""
    bare = re.compile(r"[A-Za-z0-9_-]+")
    pairs = (f"{key if bare.fullmatch(key) else quoted(key)} = {value}" for key, value in values)
    return f"{{ {', '.join(pairs)} }}"


def document_text(imported: Imported, tables: Sequence[Table], file: str) -> str:
    """Return a document with the given tables, which have ids."""
    lines = [
        *_comment(f"Imported from {file}, {imported.system}, by recur import."),
        *(line for one in imported.comments for line in _comment(one)),
    ]
    for table in tables:
        lines += ["", *_table(table)]
    return "".join(f"{line}\n" for line in lines)


def _table(table: Table) -> list[str]:
    body = _body(table)
    comments = [line for one in (table.source, *table.comments) for line in _comment(one)]
    if table.refused is None:
        return [*comments, *body]
    left_out = [line for text in body for line in text.split("\n")]
    return [
        *comments,
        *_comment(f"Not imported: {table.refused}"),
        *(f"# {line}".rstrip() for line in left_out),
    ]


def _body(table: Table) -> list[str]:
    return [f"[schedules.{table.name}]", *(f"{key} = {value}" for key, value in table.keys)]


def _comment(text: str) -> list[str]:
    """Return the lines of a comment, folded."""
    lines = [""]
    for word in _visible(text).split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= _LONGEST_COMMENT:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return [f"# {line}" for line in lines]


def _visible(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
