"""Debian's cron, minute by minute: an oracle that shares nothing with the product."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise, product

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
def field(text: str, low: int, high: int) -> set[int]:
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
    return values


@dataclass(frozen=True)
class Cron:
    """An expression, read."""

    minutes: set[int]
    hours: set[int]
    days: tuple[str, ...]
    months: set[int]
    weekdays: tuple[str, ...]
    starred: bool
    wild: bool

    def today(self, wall: datetime) -> bool:
        """Tell whether a date is one of the expression's, days as crontab(5) has them."""
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
    A minute of a walk.

    Attributes:
        instant: When it begins.
        wall: What the clock shows.
        fresh: Whether the clock has not been as far before.
        left_out: What the clock was put past just before, as far as it has not been there before.
    """

    instant: datetime
    wall: datetime
    fresh: bool
    left_out: tuple[datetime, ...]


@lru_cache(maxsize=16)
def minutes(zone: tzinfo, start: datetime, until: datetime) -> list[Minute]:
    """List the minutes of a walk, but for the first one."""
    found: list[Minute] = []
    furthest = datetime.min  # noqa: DTZ901 - wall time has no zone
    for (_, last), (instant, wall) in pairwise(walk(zone, start, until)):
        jumped = (last + MINUTE * n for n in range(1, (wall - last) // MINUTE))
        left_out = tuple(one for one in jumped if one > furthest)
        found.append(Minute(instant, wall, wall > furthest, left_out))
        furthest = max(furthest, wall)
    return found


@lru_cache(maxsize=16)
def by_time(zone: tzinfo, start: datetime, until: datetime) -> dict[tuple[int, int], list[Minute]]:
    """Return the minutes of a walk by the hour and the minute that the clock shows."""
    found: defaultdict[tuple[int, int], list[Minute]] = defaultdict(list)
    for one in minutes(zone, start, until):
        found[one.wall.hour, one.wall.minute].append(one)
    return found


def runs(cron: str, zone: tzinfo, after: datetime, until: datetime) -> list[datetime]:
    """
    List the instants in ``(after, until]`` at which Debian's cron would run a job.

    It walks the clock from hours earlier, as a cron that was running all the time. Where the clock
    is put forward, a job of fixed times makes up for what was left out; where it is put back, it
    does not run again until the clock has caught up. A job that begins with ``*`` in its minute or
    hour goes by the clock as it is.
    """
    job = read(cron)
    start = (after - HOURS).replace(second=0, microsecond=0)
    times = by_time(zone, start, until)
    due = {
        one.instant
        for time in product(job.hours, job.minutes)
        for one in times.get(time, ())
        if (one.fresh or job.wild) and matches(cron, one.wall)
    }
    if not job.wild:
        jumps = (one for one in minutes(zone, start, until) if one.left_out)
        due |= {one.instant for one in jumps if any(matches(cron, wall) for wall in one.left_out)}
    return sorted(one.astimezone(UTC) for one in due if after < one <= until)
