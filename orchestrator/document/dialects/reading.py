"""What a line of another scheduler means: the keys of our document that say the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice

from orchestrator.document.durations import spelt
from orchestrator.document.zone_names import check_zone
from orchestrator.errors import ScheduleSyntaxError
from orchestrator.model import Interval, Recurrence
from orchestrator.timing.cron import ever_due, parse_cron
from orchestrator.timing.occurrences import HORIZON, search_begin
from orchestrator.timing.placement import placements
from orchestrator.timing.zones import parse_zone

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=366)
"""What ``every`` takes."""

FIRST_YEAR, LAST_YEAR = 2000, 2200
"""Times in a document lie in these years, both included."""


class Dialect(StrEnum):
    """Who writes lines like this one, as a message names them."""

    CRONTAB = "crontab"
    EVENTBRIDGE = "EventBridge"
    QUARTZ = "Quartz"
    NCRONTAB = "NCRONTAB"
    KUBERNETES = "Kubernetes"
    NOMAD = "Nomad"
    GO = "Go's cron"
    SYSTEMD = "systemd"
    ISO = "ISO 8601"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """
    One meaning of a line.

    Attributes:
        dialect: Whose line it is.
        how: By what its fields are told apart, to follow the dialect's name.
        cron: Expressions of five fields.
        every: Elapsed time from one occurrence to the next.
        anchor: With ``every``: an instant on which an occurrence falls.
        at: Single times: of the zone's clock, or with an offset where the line gives one.
        interval: Which of the wall dates of ``cron`` count.
        except_: What is left out of them.
        start: Nothing is due before it; without an offset, it is a time of the zone.
        end: Nothing is due from it on; the same.
        time_zone: IANA name; None where the line names no zone.
        changes: What will be different from before, a sentence each.
        lacks: Why there is no equivalent, where the line itself shows it; ``missing`` says it for
            each reading.
    """

    dialect: Dialect
    how: str = ""
    cron: tuple[str, ...] = ()
    every: timedelta | None = None
    anchor: datetime | None = None
    at: tuple[datetime, ...] = ()
    interval: Interval | None = None
    except_: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    time_zone: str | None = None
    changes: tuple[str, ...] = ()
    lacks: str | None = None

    def __str__(self) -> str:
        """Return the name of the dialect, and how a line of it is read."""
        return f"{self.dialect} ({self.how})" if self.how else str(self.dialect)


def missing(reading: Reading) -> str | None:
    """Return why a document cannot say what a line says; None if it can."""
    if reading.lacks:
        return reading.lacks
    if reading.every is not None and not SHORTEST <= reading.every <= LONGEST:
        return "every is from 1 minute to 366 days"
    if any(one.year < FIRST_YEAR for one in (*reading.at, reading.end) if one):
        return f"it ended before {FIRST_YEAR}"
    times = (*reading.at, reading.start, reading.end)
    if any(one.year > LAST_YEAR for one in times if one) or not all(
        FIRST_YEAR <= one.year <= LAST_YEAR for one in _walls(reading)
    ):
        return f"times in a document must be between the years {FIRST_YEAR} and {LAST_YEAR}"
    for cron in reading.cron:
        try:
            due = ever_due(parse_cron(cron))
        except ScheduleSyntaxError:
            due = False
        if not due:
            return "no date matches it"
    return None


def keys(reading: Reading, after: datetime | None = None) -> list[tuple[str, str]]:
    """
    Return the keys that say the same as a line, each with its value in TOML; none if none do.

    Args:
        reading: The line's.
        after: A start before it is left out: it would only make up for what is over.
    """
    if missing(reading):
        return []
    if after and reading.start and _aware(reading, reading.start) <= after:
        reading = replace(reading, start=None)
    return list(_pairs(reading))


def in_zone(found: Iterable[Reading], name: str) -> Iterator[Reading]:
    """Yield readings on the clock of a zone that their line names, where they have no other."""
    try:
        check_zone(name)
    except ScheduleSyntaxError as error:
        yield from (replace(one, lacks=str(error)) for one in found)
    else:
        yield from (replace(one, time_zone=one.time_zone or name) for one in found)


def next_walls(reading: Reading, after: datetime, count: int = 3) -> list[datetime]:
    """
    Return the next occurrences of a line, on the wall clock of its zone.

    Args:
        reading: One with keys.
        after: Exclusive; aware.
        count: How many at most; fewer if no more come within nine years, single times aside.
    """
    zone = parse_zone(reading.time_zone or "UTC")
    recurrence = Recurrence(
        cron=reading.cron,
        at=_walls(reading),
        interval=reading.interval,
        every=reading.every,
        anchor=reading.anchor,
        time_zone=reading.time_zone or "UTC",
        except_=reading.except_,
        end=_aware(reading, reading.end) if reading.end else None,
    )
    start = _aware(reading, reading.start) if reading.start else after
    begin = max(after, start - timedelta(seconds=1)) if reading.start else after
    begin = search_begin(recurrence, begin)
    found = placements(recurrence, after=begin, until=begin + HORIZON, excluded=False)
    return [one.nominal.astimezone(zone) for one in islice(found, count)]


def quoted(text: str) -> str:
    """Return a text as a string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isprintable() else _escape(one) for one in escaped) + '"'


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number < 1 << 16 else f"\\U{number:08x}"


def instant_text(instant: datetime) -> str:
    """Return an instant as TOML has it, with its offset."""
    return instant.isoformat().replace("+00:00", "Z")


def _pairs(reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield the keys of a reading in the order in which the document's reference has them."""
    if reading.cron:
        yield "cron", _one_or_list(reading.cron)
    if reading.every:
        yield "every", quoted(spelt(reading.every))
    if reading.anchor:
        yield "anchor", instant_text(reading.anchor.astimezone(UTC))
    if reading.at:
        yield "at", f"[{', '.join(one.isoformat() for one in _walls(reading))}]"
    if one := reading.interval:
        anchor = one.anchor.isoformat()
        yield "interval", f'{{ every = {one.every}, unit = "{one.unit}", anchor = {anchor} }}'
    if reading.except_:
        yield "except", f"[{', '.join(quoted(one) for one in reading.except_)}]"
    if reading.time_zone:
        yield "time_zone", quoted(reading.time_zone)
    if reading.start:
        yield "start", instant_text(_aware(reading, reading.start))
    if reading.end:
        yield "end", instant_text(_aware(reading, reading.end))


def ends_within_horizon(reading: Reading, after: datetime) -> bool:
    """Whether nothing can be due later than ``next_walls`` looks: what it does not find is over."""
    if not reading.cron and not reading.every:
        return True
    return reading.end is not None and _aware(reading, reading.end) <= after + HORIZON


def _aware(reading: Reading, time: datetime) -> datetime:
    """Return an instant; a time without an offset is one of the reading's zone."""
    return time if time.tzinfo else time.replace(tzinfo=parse_zone(reading.time_zone or "UTC"))


def _walls(reading: Reading) -> tuple[datetime, ...]:
    """Return the single times of a reading on the clock of its zone."""
    if not any(one.tzinfo for one in reading.at):
        return reading.at
    zone = parse_zone(reading.time_zone or "UTC")
    return tuple(
        one.astimezone(zone).replace(tzinfo=None, fold=0) if one.tzinfo else one
        for one in reading.at
    )


def _one_or_list(expressions: tuple[str, ...]) -> str:
    if len(expressions) == 1:
        return quoted(expressions[0])
    return f"[{', '.join(quoted(one) for one in expressions)}]"
