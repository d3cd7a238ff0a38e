"""What a line says of years and of seconds, which cron has not."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from orchestrator.document.dialects.fields import (
    DAY,
    HOUR,
    MINUTE,
    MONTH,
    YEAR,
    OtherDialectError,
    values,
)
from orchestrator.document.dialects.reading import FIRST_YEAR, Reading


def seconds_lost(seconds: Collection[int]) -> Iterator[str]:
    """Say what a field of seconds loses: ours is due on whole minutes, once in each."""
    if len(seconds) > 1:
        yield f"due once a minute instead of {len(seconds)} times: a minute is the finest step"
    elif 0 not in seconds:
        yield f"due on the whole minute instead of {max(seconds)} seconds later"


def within_years(reading: Reading, years: str, parts: Sequence[str]) -> Reading:
    """
    Return a reading that holds in some years only.

    Args:
        reading: With its ``cron``.
        years: The field of years.
        parts: The fields of month, day, hour and minute, to find a line that is due once; empty
            if something else restricts its days.

    Raises:
        OtherDialectError: The years cannot be read.
    """
    numbers = sorted(values(YEAR, years))
    first, last = numbers[0], numbers[-1]
    if len(numbers) != last - first + 1:
        return replace(reading, lacks=f"a document cannot restrict the year to {years!r}")
    if first == last and (moment := _only_moment(first, parts)):
        return replace(reading, cron=(), at=(moment,))
    return replace(
        reading,
        start=_new_year(first) if first >= FIRST_YEAR else None,
        end=_new_year(last + 1) if last != YEAR.high else None,
    )


def _only_moment(year: int, parts: Sequence[str]) -> datetime | None:
    """Return the one wall time at which a line is due in a year; None if there are others."""
    kinds = (MONTH, DAY, HOUR, MINUTE)
    if len(parts) != len(kinds):
        return None
    try:
        found = [sorted(values(kind, text)) for kind, text in zip(kinds, parts, strict=True)]
    except OtherDialectError:  # such as the last day of a month
        return None
    if any(len(one) > 1 for one in found):
        return None
    (month,), (day,), (hour,), (minute,) = found
    try:
        return _new_year(year).replace(month=month, day=day, hour=hour, minute=minute)
    except ValueError:  # such as the 31st of February
        return None


def _new_year(year: int) -> datetime:
    """Return the wall time at which a year begins."""
    return datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None)
