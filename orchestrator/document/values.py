"""How a value of the document is shown in a message: as TOML writes it, cut short."""

from collections.abc import Mapping
from datetime import date, time
from itertools import islice
from typing import cast

MOST_KEYS = 200
"""More than any table has keys, but for variables: among so many, one is unknown."""
MOST_VARIABLES = 8193
"""More than fit into the size of all variables together."""
MOST_ITEMS = 1001
"""More than any list may have."""

_MOST_SHOWN, _LONGEST_NAME = 60, 80
_MOST_OF_A_TABLE = 10
_DEEPEST = 2
_MOST_BITS = 200


def shown(value: object) -> str:
    """Return a value as the document has it, in about 60 characters."""
    return _cut(_spelt(value, _DEEPEST))


def short_name(name: str) -> str:
    """Return a name of the document as a message shows it."""
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."


def cut_short(table: Mapping[str, object]) -> dict[str, object]:
    """
    Return the beginning of a table, which has a complaint wherever the whole has one.

    A check that complains of each of 100,000 keys or items takes long, and helps nobody.
    """
    return _cut_table(table, MOST_KEYS)


def _cut_table(table: Mapping[str, object], most: int) -> dict[str, object]:
    return {
        key: _cut_value(value, MOST_VARIABLES if key == "environment" else MOST_KEYS)
        for key, value in islice(table.items(), most)
    }


def _cut_value(value: object, most: int) -> object:
    if isinstance(value, list):
        items = cast("list[object]", value)[:MOST_ITEMS]
        return [_cut_value(one, MOST_KEYS) for one in items]
    return (
        _cut_table(cast("Mapping[str, object]", value), most) if isinstance(value, dict) else value
    )


def _spelt(value: object, depth: int) -> str:
    if isinstance(value, list | Mapping):
        return _of_many(cast("list[object] | Mapping[str, object]", value), depth)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return repr(value) if len(value) <= _MOST_SHOWN else f"{value[:_MOST_SHOWN]!r}..."
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:  # Python spells not all of them
        return "a number of too many digits"
    if isinstance(value, date | time):
        return value.isoformat().replace("+00:00", "Z")
    return repr(value)


def _of_many(values: list[object] | Mapping[str, object], depth: int) -> str:
    """Spell a list or a table, as far as it would be shown."""
    pairs = values.items() if isinstance(values, Mapping) else enumerate(values)
    few = [*islice(pairs, _MOST_OF_A_TABLE if depth else 0)]
    left = ("..." if not few else ", ...") if len(values) > len(few) else ""
    if isinstance(values, Mapping):
        inner = ", ".join(f"{_cut(str(key))} = {_spelt(one, depth - 1)}" for key, one in few) + left
        return f"{{ {inner} }}" if inner else "{}"
    return f"[{', '.join(_spelt(one, depth - 1) for _, one in few)}{left}]"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
