"""What is said of a line of another scheduler where our document has one."""

from datetime import UTC, datetime

from orchestrator.document.dialects.reading import Reading, keys, missing, next_walls
from orchestrator.document.dialects.recognition import readings

ANY_DAY = datetime(2027, 1, 1, tzinfo=UTC)
"""From when on occurrences are shown to those who give no time: the same text for the same line."""


def refusal(text: str, after: datetime | None = None, *, in_exceptions: bool = False) -> str | None:
    """
    Return of which scheduler a line is, and the keys of our document that say the same.

    Args:
        text: The line.
        after: Where two readings are possible, the next three occurrences of each after this
            instant are shown; None: from 2027 on.
        in_exceptions: Whether it stands in ``except``, which takes expressions and no keys.

    Returns:
        None if no known scheduler has such a line.
    """
    found = readings(text)
    if not found:
        return None
    if len(found) == 1:
        return f"it is a line of {found[0]}{_remedy(found[0], after, in_exceptions)}"
    both = "; or ".join(
        f"as a line of {one}{_remedy(one, after, in_exceptions)}{_next(one, after or ANY_DAY)}"
        for one in found
    )
    return f"it can be read in {len(found)} ways: {both}"


def _remedy(reading: Reading, after: datetime | None, in_exceptions: bool) -> str:
    """Return what to write for a line."""
    if lacks := missing(reading):
        return f", without an equivalent: {lacks}"
    pairs = keys(reading, after)
    if in_exceptions and [key for key, _ in pairs] != ["cron"]:
        return ", without an equivalent: except takes dates and expressions"
    written = pairs[0][1] if in_exceptions else " and ".join(" = ".join(one) for one in pairs)
    return "; ".join([f": write {written}", *reading.changes])


def _next(reading: Reading, after: datetime) -> str:
    """Return the next three occurrences of a line, in brackets."""
    if missing(reading):
        return ""
    found = [f"{one:%a %Y-%m-%d %H:%M}" for one in next_walls(reading, after)]
    return f" (next {', '.join(found)})" if found else " (never due)"
