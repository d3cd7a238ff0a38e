"""What single dialects make of ranges that end before they begin, and of names with a step."""

import re
from collections.abc import Iterable

from orchestrator.document.dialects.fields import WEEKDAY, FieldKind, number_of

_RANGE = re.compile(r"(?P<first>(?!L-)[A-Z0-9]+)-(?P<last>[A-Z0-9]+)(?P<step>/.*)?")
_STEPPED_NAME = re.compile(r"[A-Z]{3}[A-Z-]*/[0-9]+")


def turned(kind: FieldKind, text: str) -> str:
    """
    Return a field in which each range that ends before it begins has its ends changed over.

    That is what NCrontab does: ``22-2`` is every hour but the first two and the last.

    Raises:
        OtherDialectError: An end of a range cannot be read.
    """
    return ",".join(_turned(kind, term) for term in text.upper().split(","))


def _turned(kind: FieldKind, term: str) -> str:
    read = _RANGE.fullmatch(term)
    if not read:
        return term
    first, last = number_of(kind, read["first"]), number_of(kind, read["last"])
    if first <= last or (
        kind is WEEKDAY and first == WEEKDAY.high
    ):  # a Sunday that begins the week
        return term
    return f"{read['last']}-{read['first']}{read['step'] or ''}"


def stepped_name(fields: Iterable[str]) -> str | None:
    """Return the first term of some fields that is a name with a step, as ``MON/2``; None if none is."""
    terms = (term for field in fields for term in field.upper().split(","))
    return next((term for term in terms if _STEPPED_NAME.fullmatch(term)), None)
