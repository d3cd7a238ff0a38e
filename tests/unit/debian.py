"""Debian's cron, minute by minute: an oracle that shares nothing with the product."""

from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

MINUTE = timedelta(minutes=1)
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def field(text: str, low: int, high: int) -> set[int]:
    """Read one field: lists, ranges and steps of numbers."""
    values: set[int] = set()
    for term in text.split(","):
        span, _, step = term.partition("/")
        if span == "*":
            first, last = low, high
        else:
            begin, _, end = span.partition("-")
            first, last = int(begin), int(end or (high if step else begin))
        values.update(range(first, last + 1, int(step or 1)))
    return values


def matches(cron: str, wall: datetime) -> bool:
    """Tell whether a wall time is one of the expression's; days as crontab(5) has them."""
    texts = cron.split()
    minute, hour, day, month, weekday = (
        field(text, *bounds) for text, bounds in zip(texts, BOUNDS, strict=True)
    )
    of_month = wall.day in day
    of_week = wall.isoweekday() in weekday or (wall.isoweekday() == 7 and 0 in weekday)
    starred = texts[2].startswith("*") or texts[4].startswith("*")
    today = (of_month and of_week) if starred else (of_month or of_week)
    return wall.minute in minute and wall.hour in hour and wall.month in month and today


def runs(cron: str, zone: tzinfo, after: datetime, until: datetime) -> list[datetime]:
    """
    List the instants in ``(after, until]`` at which Debian's cron would run a job.

    It walks the clock from a day earlier, as a cron that was running all the time. Where the clock
    is put forward, a job of fixed times makes up for what was left out; where it is put back, it
    does not run again until the clock has caught up. A job that begins with ``*`` in its minute or
    hour goes by the clock as it is.
    """
    wild = any(text.startswith("*") for text in cron.split()[:2])
    found: list[datetime] = []
    start = (after - timedelta(days=1)).replace(second=0, microsecond=0)
    instants = [start + MINUTE * n for n in range(int((until - start) / MINUTE) + 1)]
    furthest = datetime.min  # noqa: DTZ901 - wall time has no zone
    for before, instant in pairwise(instants):
        wall, last = (moment.astimezone(zone).replace(tzinfo=None) for moment in (instant, before))
        due = matches(cron, wall)
        if not wild:
            due = due and wall > furthest
            left_out = (last + MINUTE * n for n in range(1, int((wall - last) / MINUTE)))
            due = due or any(matches(cron, one) and one > furthest for one in left_out)
        furthest = max(furthest, wall)
        if due and after < instant <= until:
            found.append(instant.astimezone(UTC))
    return found
