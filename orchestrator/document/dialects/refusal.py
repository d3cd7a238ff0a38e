"""What is said of a line of another scheduler where our document has one."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from orchestrator.document.dialects.reading import Reading, keys, missing, next_walls
from orchestrator.document.dialects.recognition import readings

_ANY_DAY = datetime(2027, 1, 1, tzinfo=UTC)
"""Where occurrences begin for those who give no time: the same text for the same line."""

_MOST_LINES = 200
_MOST_OCCURRENCES = 20
"""In one document: a document may have hundreds of thousands of lines, and a tick has seconds."""


@dataclass(slots=True)
class Refusals:
    """
    What is said of the lines of one document; each is looked at once, and not all of very many.

    Attributes:
        after: The occurrences that are shown come after it; None: from 2027 on.
    """

    after: datetime | None = None
    _told: dict[tuple[str, bool], str | None] = field(
        default_factory=dict[tuple[str, bool], str | None]
    )
    _with_occurrences: int = 0

    def refusal(self, line: str, *, in_exceptions: bool = False) -> str | None:
        """
        Return of which scheduler a line is, and the keys of our document that say the same.

        Where two readings are possible, each has its next three occurrences.

        Args:
            line: The line.
            in_exceptions: Whether it stands in ``except``, which takes expressions and no keys.

        Returns:
            None if no known scheduler has such a line, or 200 others were looked at before.
        """
        key = (line, in_exceptions)
        if key not in self._told:
            if len(self._told) >= _MOST_LINES:
                return None
            self._told[key] = self._refusal(line, in_exceptions)
        return self._told[key]

    def _refusal(self, line: str, in_exceptions: bool) -> str | None:
        found = readings(line)
        if not found:
            return None
        told = [f"{one}{_remedy(one, self.after, in_exceptions)}" for one in found]
        if len(told) == 1:
            return f"it is a line of {told[0]}"
        if self._with_occurrences < _MOST_OCCURRENCES:
            self._with_occurrences += 1
            told = [
                f"{text}{_next(one, self.after or _ANY_DAY)}"
                for one, text in zip(found, told, strict=True)
            ]
        both = "; or ".join(f"as a line of {text}" for text in told)
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
