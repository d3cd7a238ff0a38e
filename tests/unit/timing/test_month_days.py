"""Days of a month beyond Debian's cron, by tables made by hand from a calendar of 2026."""

from datetime import date, timedelta

import pytest

from orchestrator.timing.cron import ever_due, parse_cron
from orchestrator.timing.month_days import MonthDay, parse_month_day

NEW_YEAR = date(2026, 1, 1)


def days(cron: str, year: int = 2026) -> list[str]:
    """List the dates of a year on which an expression comes due."""
    one, first = parse_cron(cron), date(year, 1, 1)
    every = (first + timedelta(days=n) for n in range(366))
    return [f"{day:%m-%d}" for day in every if day.year == year and one.on(day)]


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        # 1 February, March and November 2026 are Sundays, 1 August is a Saturday
        ("1W", ["01-01", "02-02", "03-02", "04-01", "05-01", "06-01", "07-01", "08-03", "09-01", "10-01", "11-02", "12-01"]),
        # 15 August is a Saturday; 15 February, March and November are Sundays
        ("15W", ["01-15", "02-16", "03-16", "04-15", "05-15", "06-15", "07-15", "08-14", "09-15", "10-15", "11-16", "12-15"]),
        # 31 January and October are Saturdays, 31 May is a Sunday; the others have 28 or 30 days
        ("31W", ["01-30", "03-31", "05-29", "07-31", "08-31", "10-30", "12-31"]),
        ("LW", ["01-30", "02-27", "03-31", "04-30", "05-29", "06-30", "07-31", "08-31", "09-30", "10-30", "11-30", "12-31"]),
        ("L-3", ["01-28", "02-25", "03-28", "04-27", "05-28", "06-27", "07-28", "08-28", "09-27", "10-28", "11-27", "12-28"]),
        # 28 March and 27 June are Saturdays, 27 September is a Sunday
        ("L-3W", ["01-28", "02-25", "03-27", "04-27", "05-28", "06-26", "07-28", "08-28", "09-28", "10-28", "11-27", "12-28"]),
        ("L-30", ["01-01", "03-01", "05-01", "07-01", "08-01", "10-01", "12-01"]),
        ("L-29", ["01-02", "03-02", "04-01", "05-02", "06-01", "07-02", "08-02", "09-01", "10-02", "11-01", "12-02"]),
        # 1 August is a Saturday, 1 March a Sunday
        ("L-30W", ["01-01", "03-02", "05-01", "07-01", "08-03", "10-01", "12-01"]),
    ],
)  # fmt: skip
def test_a_special_day_is_that_of_quartz(term: str, expected: list[str]) -> None:
    """The nearest weekday never leaves its month; a month that is too short has none."""
    assert days(f"0 9 {term} * *") == expected
    assert days(f"0 9 {term.lower()} * *") == expected


def test_the_last_day_follows_a_leap_year() -> None:
    """29 February 2028 is a Tuesday."""
    assert days("0 9 L-1 2 *", 2028) == ["02-28"]
    assert days("0 9 29W 2 *", 2028) == ["02-29"]
    assert days("0 9 29W 2 *", 2026) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("1W,15 2 *", ["02-02", "02-15"]),
        ("15,1W 2 *", ["02-02", "02-15"]),
        ("1W,LW 2 *", ["02-02", "02-27"]),
        ("1-3,15W 2 *", ["02-01", "02-02", "02-03", "02-16"]),
        ("15W 2 MON", ["02-02", "02-09", "02-16", "02-23"]),
        ("15W 2 SAT#1", ["02-07", "02-16"]),
        ("15W 2 */2", []),
        ("15W 2 */1", ["02-16"]),
        ("*/20,15W 2 MON", ["02-16"]),
    ],
)
def test_it_is_a_term_like_any_other(fields: str, expected: list[str]) -> None:
    """In lists; with a day of the week either will do, or both where one begins with a star."""
    assert days(f"0 9 {fields}") == expected


@pytest.mark.parametrize(
    "term", ["0W", "32W", "W", "L-0", "L-31", "L-", "L-W", "L", "LW", "15", "1W-3W", "\u0663W"]
)
def test_no_other_term_is_one(term: str) -> None:
    """L and LW are read elsewhere."""
    assert parse_month_day(term) is None


def test_what_it_counts_is_known() -> None:
    """From the first day, or from the last."""
    assert parse_month_day("15W") == MonthDay(day=15, before=0, near=True)
    assert parse_month_day("L-3") == MonthDay(day=None, before=3, near=False)
    assert parse_month_day("l-3w") == MonthDay(day=None, before=3, near=True)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("* * *", True),
        ("29 2 *", True),
        ("29 2 */7", True),
        ("29W 2 *", True),
        ("30W 2 *", False),
        ("L-28 2 *", True),
        ("L-29 2 *", False),
        ("31W 2,4,6,9,11 *", False),
        ("L-30 2,4,6,9,11 MON", True),
        ("1W * */7", False),
    ],
)
def test_what_no_year_has_is_never_due(fields: str, *, expected: bool) -> None:
    """Leap years that begin on each day of the week among them."""
    assert ever_due(parse_cron(f"0 0 {fields}")) is expected
