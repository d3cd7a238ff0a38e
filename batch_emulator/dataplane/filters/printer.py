"""Print a filter: parsing what is printed gives the same tree."""

from datetime import UTC, datetime
from decimal import Decimal

from batch_emulator.dataplane.filters.syntax import (
    Comparison,
    Condition,
    Conjunction,
    Junction,
    Literal,
    Negation,
    StartsWith,
)


def print_filter(condition: Condition) -> str:
    """Return the text of a filter, with no more parentheses than it needs."""
    match condition:
        case Comparison(path, operator, value):
            return f"{path.name} {operator} {print_literal(value)}"
        case StartsWith(path, prefix):
            return f"startswith({path.name}, {print_literal(prefix)})"
        case Negation(inner):
            bare = isinstance(inner, Negation | StartsWith)
            return f"not {print_filter(inner)}" if bare else f"not ({print_filter(inner)})"
        case Junction(conjunction, conditions):
            parts = (_print_part(conjunction, part) for part in conditions)
            return f" {conjunction} ".join(parts)


def _print_part(conjunction: Conjunction, part: Condition) -> str:
    text = print_filter(part)
    if not isinstance(part, Junction):
        return text
    binds_tighter = conjunction is Conjunction.OR and part.conjunction is Conjunction.AND
    return text if binds_tighter else f"({text})"


def print_literal(value: Literal) -> str:
    """Return the text of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
        case datetime():
            return f"DateTime'{value.astimezone(UTC).replace(tzinfo=None).isoformat()}Z'"
        case str():
            doubled = value.replace("'", "''")
            return f"'{doubled}'"
