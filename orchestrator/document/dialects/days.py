"""Days that must match both a day of the month and a day of the week, which cron joins by "or"."""

from orchestrator.document.dialects.fields import (
    DAY,
    DAYS,
    OtherDialectError,
    number_list,
    translated,
    translated_weekdays,
    values,
)

_WEEK = 7
_LAST_OF_WEEKS = 5


def both(day: str, weekday: str, sunday: int) -> tuple[str, str, tuple[str, ...]]:
    """
    Return the two fields of our dialect for days that match both, and what to leave out.

    ``MON#1`` stands for a Monday from the 1st to the 7th; a day field that begins with ``*`` makes
    cron ask for both; elsewhere the days of the month that do not match are left out by ``except``.

    Args:
        day: The field of the day of the month, in another dialect.
        weekday: The field of the day of the week, in that dialect.
        sunday: The number of Sunday there.

    Returns:
        The day of the month, the day of the week, the expressions of ``except``.

    Raises:
        OtherDialectError: One of them cannot be read, or the day is counted from the month's end.
    """
    days, weekdays = translated(DAY, day), translated_weekdays(weekday, sunday)
    if "*" in {days, weekdays} or days.startswith("*") or weekdays.startswith("*"):
        return days, weekdays, ()
    if "L" in days or "W" in days or "#" in weekdays or weekdays.endswith("L"):
        raise OtherDialectError(f"{day} {weekday}")
    wanted = values(DAY, day)
    if nth := _nth_week(wanted):
        return "*", ",".join(f"{name}#{nth}" for name in single_days(weekdays)), ()
    rest = frozenset(range(DAY.low, DAY.high + 1)) - wanted
    return "*", weekdays, ((f"* * {number_list(DAY, rest)} * *",) if rest else ())


def single_days(weekdays: str) -> list[str]:
    """Return each day that a list of names and ranges of our dialect has."""
    found: list[str] = []
    for term in weekdays.split(","):
        first, _, last = term.partition("-")
        found += DAYS[DAYS.index(first) : DAYS.index(last or first) + 1]
    return found


def _nth_week(days: frozenset[int]) -> int | None:
    """Return which seven days of a month these are: 1 for the 1st to the 7th; None if they are not."""
    for nth in range(1, _LAST_OF_WEEKS + 1):
        last = min(nth * _WEEK, DAY.high)
        if days == frozenset(range((nth - 1) * _WEEK + 1, last + 1)):
            return nth
    return None
