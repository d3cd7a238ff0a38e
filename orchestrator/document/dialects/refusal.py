"""What is said of a line of another scheduler where our document has one."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from orchestrator.document.dialects.reading import (
    Reading,
    ends_within_horizon,
    keys,
    missing,
    next_walls,
    quoted,
)
from orchestrator.document.dialects.recognition import readings
from orchestrator.document.zone_names import check_zone
from orchestrator.errors import ScheduleSyntaxError

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
    _told: dict[tuple[str, bool, str | None], str | None] = field(
        default_factory=dict[tuple[str, bool, str | None], str | None]
    )
    _with_occurrences: int = 0

    def refusal(
        self, line: str, *, in_exceptions: bool = False, time_zone: object = None
    ) -> str | None:
        """
        Return of which scheduler a line is, and the keys of our document that say the same.

        Where two readings are possible, each has its next three occurrences.

        Args:
            line: The line.
            in_exceptions: Whether it stands in ``except``, which takes expressions and no keys.
            time_zone: What its table or ``[defaults]`` says, right or wrong: the times that are
                shown are of this zone where the line names no other.

        Returns:
            None if no known scheduler has such a line, or 200 others were looked at before.
        """
        zone = _known_zone(time_zone)
        key = (line, in_exceptions, zone)
        if key not in self._told:
            if len(self._told) >= _MOST_LINES:
                return None
            self._told[key] = self._refusal(line, in_exceptions, zone)
        return self._told[key]

    def _refusal(self, line: str, in_exceptions: bool, zone: str | None) -> str | None:
        found = [replace(one, time_zone=one.time_zone or zone) for one in readings(line)]
        if not found:
            return None
        told = [f"{one}{_remedy(one, self.after, in_exceptions, zone)}" for one in found]
        if len(told) == 1:
            return f"it uses the syntax of {told[0]}"
        if self._with_occurrences < _MOST_OCCURRENCES:
            self._with_occurrences += 1
            told = [
                f"{text}{_next(one, self.after or _ANY_DAY)}"
                for one, text in zip(found, told, strict=True)
            ]
        both = "; or ".join(f"in the syntax of {text}" for text in told)
        return f"it can be read in {len(found)} ways: {both}"


def _known_zone(given: object) -> str | None:
    """Return a zone that a table names; None if it names none, or one that does not exist."""
    if not isinstance(given, str):
        return None
    try:
        check_zone(given)
    except ScheduleSyntaxError:  # its own problem of the document
        return None
    return given


def _remedy(reading: Reading, after: datetime | None, in_exceptions: bool, zone: str | None) -> str:
    """Return what to write for a line in a table of the given zone."""
    if lacks := missing(reading):
        return f", without an equivalent: {lacks}"
    there = ("time_zone", quoted(zone)) if zone else None
    pairs = [one for one in keys(reading, after) if one != there]
    if in_exceptions and [key for key, _ in pairs] != ["cron"]:
        return ", without an equivalent: except takes dates and expressions"
    written = pairs[0][1] if in_exceptions else " and ".join(" = ".join(one) for one in pairs)
    return "; ".join([f": write {written}", *reading.changes])


def _next(reading: Reading, after: datetime) -> str:
    """Return the next three occurrences of a line, in brackets."""
    if missing(reading):
        return ""
    found = [f"{one:%a %Y-%m-%d %H:%M}" for one in next_walls(reading, after)]
    if found:
        return f" (next {', '.join(found)})"
    over = ends_within_horizon(reading, after)
    return " (it is never due again)" if over else " (it is not due within nine years)"
