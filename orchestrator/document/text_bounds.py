"""
How much a document may hold before the TOML parser sees it.

The parser's memory grows with the square of the parts of a key, and by a kilobyte with each table. This scan
is linear and keeps nothing. It goes over strings and comments as the parser does, so that nothing hides in
one; what it makes of a text that is not TOML is without meaning, since the parser stops there.
"""

import re

from orchestrator.errors import DocumentError, Problem

MOST_BYTES = 4 << 20
MOST_PARTS = 10
"""Of one key, or of the name of one table."""
MOST_NESTED = 10
"""Lists and tables in each other."""
MOST_TABLES = 40_000
"""Tables, lists, and dots: each may make a table."""
MOST_VALUES = 200_000
"""Keys, and items of lists."""
LONGEST_WORD = 10_000
"""Characters of a number, or of a key without quotes."""

_WORD = "[0-9A-Za-z_+-]"
_SIGN = re.compile(
    rf"""[.=,\[\]{{}}#]|"{{3}}|'{{3}}|["']|(?<!{_WORD}){_WORD}{{{LONGEST_WORD + 1}}}"""
)
_END = {
    "#": re.compile(r"\n"),
    '"': re.compile(r'[\\"\n]'),
    '"""': re.compile(r'\\|"{3,5}'),  # up to two more quotes may stand before the three
    "'": re.compile(r"['\n]"),
    "'''": re.compile(r"'{3,5}"),
}


def check_text(text: str) -> None:
    """
    Refuse a text that holds more than a document needs.

    Raises:
        DocumentError: Says what it has too much of, and in which line.
    """
    if (size := len(text.encode())) > MOST_BYTES:
        message = f"{size:,} bytes; at most {MOST_BYTES:,} are supported: move scripts into application packages"
        raise DocumentError([Problem(message=message)])
    parts, depth, tables, values, longest, position = 1, 0, 0, 0, 0, 0
    while sign := _SIGN.search(text, position):
        found, position = sign[0], sign.end()
        match found:
            case "=" | ",":
                parts, values = 1, values + 1
            case ".":
                parts, tables = parts + 1, tables + 1
            case "[" | "{":
                parts, depth, tables = 1, depth + 1, tables + 1
            case "]" | "}":
                parts, depth = 1, max(depth - 1, 0)
            case _ if found in _END:
                position = _end(text, position, found)
            case _:
                longest = len(found)
        if (
            values > MOST_VALUES
            or parts > MOST_PARTS
            or depth > MOST_NESTED
            or tables > MOST_TABLES
            or longest
        ):
            complaint = _complaint(parts, depth, tables, longest)
            line = text.count("\n", 0, position) + 1
            message = f"line {line}: {complaint}; such a document is not supported"
            raise DocumentError([Problem(message=message)])


def _complaint(parts: int, depth: int, tables: int, longest: int) -> str:
    """Say which bound is passed."""
    if longest:
        return f"a number, or a key without quotes, of more than {LONGEST_WORD} characters"
    if parts > MOST_PARTS:
        return f"a key of more than {MOST_PARTS} parts"
    if depth > MOST_NESTED:
        return f"nested too deeply: more than {MOST_NESTED} lists and tables in each other"
    if tables > MOST_TABLES:
        return f"more than {MOST_TABLES:,} tables, lists and dots"
    return f"more than {MOST_VALUES:,} keys and items of lists"


def _end(text: str, position: int, begin: str) -> int:
    """Return where a string or a comment ends that has begun before ``position``."""
    while end := _END[begin].search(text, position):
        if end[0] != "\\":
            return end.end()
        position = end.end() + 1
    return len(text)
