"""Debian's cron, minute by minute: an oracle that shares nothing with the product."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import chain, pairwise, product

MINUTE, HOURS, DAY = timedelta(minutes=1), timedelta(hours=6), timedelta(days=1)
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
NAMES = {
    name: str(n)
    for names in (
        enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]),
        enumerate(
            ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
            start=1,
        ),
    )
    for n, name in names
}


@lru_cache(maxsize=1024)
def field(text: str, low: int, high: int) -> frozenset[int]:
    """Read one field: lists, ranges and steps of numbers and names."""
    values: set[int] = set()
    for term in text.split(","):
        span, _, step = term.partition("/")
        if span == "*":
            first, last = low, high
        else:
            begin, _, end = (NAMES.get(part, part) for part in span.partition("-"))
            first, last = int(begin), int(end or (high if step else begin))
        values.update(range(first, last + 1, int(step or 1)))
    return frozenset(values)


@dataclass(frozen=True)
class Cron:
    """An expression, read."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: tuple[str, ...]
    months: frozenset[int]
    weekdays: tuple[str, ...]
    starred: bool
    wild: bool

    def today(self, wall: datetime) -> bool:
        of_month = any(day_of_month(term, wall) for term in self.days)
        of_week = any(day_of_week(term, wall) for term in self.weekdays)
        return (of_month and of_week) if self.starred else (of_month or of_week)


@lru_cache(maxsize=1024)
def read(cron: str) -> Cron:
    texts = cron.upper().split()
    return Cron(
        minutes=field(texts[0], *BOUNDS[0]),
        hours=field(texts[1], *BOUNDS[1]),
        days=tuple(texts[2].split(",")),
        months=field(texts[3], *BOUNDS[3]),
        weekdays=tuple(texts[4].split(",")),
        starred=texts[2].startswith("*") or texts[4].startswith("*"),
        wild=any(text.startswith("*") for text in texts[:2]),
    )


def day_of_month(term: str, wall: datetime) -> bool:
    """Tell whether a date is the one of a term: a number, the last day, the last working day."""
    if term == "L":
        return (wall + DAY).month != wall.month
    if term == "LW":
        later = (wall + DAY * n for n in range(1, 8))
        rest = [day for day in later if day.month == wall.month and day.isoweekday() < 6]
        return wall.isoweekday() < 6 and not rest
    return wall.day in field(term, *BOUNDS[2])


def day_of_week(term: str, wall: datetime) -> bool:
    """Tell whether a date is the one of a term: a weekday, the n-th or the last of a month."""
    name, nth, which = term.partition("#")
    if nth:
        return day_of_week(name, wall) and (wall.day - 1) // 7 + 1 == int(which)
    if term.endswith("L"):
        return day_of_week(term[:-1], wall) and (wall + 7 * DAY).month != wall.month
    weekdays = field(term, *BOUNDS[4])
    return wall.isoweekday() in weekdays or (wall.isoweekday() == 7 and 0 in weekdays)


def matches(cron: str, wall: datetime) -> bool:
    """Tell whether a wall time is one of the expression's; days as crontab(5) has them."""
    one = read(cron)
    return (
        wall.minute in one.minutes
        and wall.hour in one.hours
        and wall.month in one.months
        and one.today(wall)
    )


@lru_cache(maxsize=16)
def walk(zone: tzinfo, start: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """List every minute from ``start`` to ``until``: the instant, and what the clock shows."""
    instants = [start + MINUTE * n for n in range(int((until - start) / MINUTE) + 1)]
    return [(one, one.astimezone(zone).replace(tzinfo=None, fold=0)) for one in instants]


@dataclass(frozen=True, slots=True)
class Minute:
    """
    A minute of a clock that a cron has walked for hours.

    Attributes:
        instant: When it is.
        wall: What the clock shows.
        fresh: Whether the clock has not shown this time, nor a later one, before.
        left_out: The wall times that the clock has just left out, and not shown before.
    """

    instant: datetime
    wall: datetime
    fresh: bool
    left_out: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Walked:
    """
    The minutes of a walk.

    Attributes:
        shown: Each minute, by the hour and minute that the clock shows.
        jumps: Those at which the clock has just left something out.
    """

    shown: dict[tuple[int, int], list[Minute]]
    jumps: list[Minute]


@lru_cache(maxsize=16)
def walked(zone: tzinfo, start: datetime, until: datetime) -> Walked:
    """Return the minutes after ``start``, up to ``until``, each in the light of those before it."""
    found = Walked({}, [])
    furthest = datetime.min  # noqa: DTZ901 - wall time has no zone
    for (_, last), (instant, wall) in pairwise(walk(zone, start, until)):
        skipped = (last + MINUTE * n for n in range(1, int((wall - last) / MINUTE)))
        left_out = tuple(one for one in skipped if one > furthest)
        minute = Minute(instant, wall, wall > furthest, left_out)
        found.shown.setdefault((wall.hour, wall.minute), []).append(minute)
        if left_out:
            found.jumps.append(minute)
        furthest = max(furthest, wall)
    return found


def runs(cron: str, zone: tzinfo, after: datetime, until: datetime) -> list[datetime]:
    """
    List the instants in ``(after, until]`` at which Debian's cron would run a job.

    It walks the clock from hours earlier, as a cron that was running all the time. Where the clock
    is put forward, a job of fixed times makes up for what was left out; where it is put back, it
    does not run again until the clock has caught up. A job that begins with ``*`` in its minute or
    hour goes by the clock as it is.
    """
    start, one = (after - HOURS).replace(second=0, microsecond=0), read(cron)
    minutes = walked(zone, start, until)
    shown = (minutes.shown.get(time, ()) for time in product(one.hours, one.minutes))
    due = {
        each.instant
        for each in chain.from_iterable(shown)
        if (one.wild or each.fresh) and matches(cron, each.wall)
    }
    if not one.wild:
        due |= {
            each.instant
            for each in minutes.jumps
            if any(matches(cron, wall) for wall in each.left_out)
        }
    return [instant.astimezone(UTC) for instant in sorted(due) if after < instant <= until]
