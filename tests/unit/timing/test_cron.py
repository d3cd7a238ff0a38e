"""Cron on wall time: what an expression means."""

from datetime import date, datetime

import pytest

from orchestrator.errors import ScheduleSyntaxError
from orchestrator.timing.cron import exceptions, parse_cron

MONDAY = date(2026, 6, 1)
WHOLE_DAY = sum(1 << minute for minute in range(24 * 60))


def wall(text: str) -> datetime:
    """Return a time of 1 June 2026, or of another day where it says so."""
    return datetime.fromisoformat(text if "T" in text else f"2026-06-01T{text}")


def test_the_minutes_of_an_expression_are_bits() -> None:
    """Bit 0 is midnight."""
    assert parse_cron("0 0 * * *").times == 1
    assert parse_cron("1,3 0 * * *").times == 0b1010
    assert parse_cron("0 1 * * *").times == 1 << 60
    assert parse_cron("59 0,23 * * *").times == 1 << 59 | 1 << 23 * 60 + 59
    assert parse_cron("* * * * *").times == WHOLE_DAY


@pytest.mark.parametrize(
    ("cron", "wild"),
    [
        ("0 0 * * *", False),
        ("* 0 * * *", True),
        ("*/5 0 * * *", True),
        ("0 * * * *", True),
        ("0 */2 * * *", True),
        ("0-59 0-23 * * *", False),
    ],
)
def test_an_expression_is_wild_by_its_minute_or_hour(cron: str, *, wild: bool) -> None:
    """A star in another field says nothing."""
    assert parse_cron(cron).wild is wild


def test_an_expression_comes_due_on_days_of_its_months() -> None:
    """Both have to fit."""
    one = parse_cron("0 0 1 JUN,DEC *")
    assert one.months == {6, 12}
    days = [MONDAY, date(2026, 6, 2), date(2026, 7, 1), date(2026, 12, 1)]
    assert [one.on(day) for day in days] == [True, False, False, True]


def test_a_bad_expression_says_which_field() -> None:
    """In small letters, as a part of a sentence."""
    with pytest.raises(ScheduleSyntaxError, match=r"^bad hour$"):
        parse_cron("0 99 * * *")


def test_a_date_leaves_out_its_whole_day() -> None:
    """And no other one."""
    left_out = exceptions(("2026-06-01",))
    assert left_out.on(MONDAY) == WHOLE_DAY
    assert left_out.whole(MONDAY)
    assert left_out.on(date(2026, 6, 2)) == 0
    assert not left_out.whole(date(2026, 6, 2))


def test_expressions_leave_out_minutes_together() -> None:
    """Each on its own days; what covers a whole day between them leaves it out."""
    left_out = exceptions(("* 0-11 * * *", "* 12-23 * * MON"))
    tuesday = date(2026, 6, 2)

    assert left_out.whole(MONDAY)
    assert not left_out.whole(tuesday)
    assert left_out.on(tuesday) == (1 << 12 * 60) - 1
    assert not exceptions(()).on(MONDAY)


@pytest.mark.parametrize(
    ("time", "out"),
    [("11:59", False), ("12:00", True), ("12:30:59", True), ("12:31", False), ("13:00", False)],
)
def test_a_wall_time_is_left_out_by_its_minute(time: str, *, out: bool) -> None:
    """Whatever its second."""
    assert exceptions(("0-30 12 * * *",)).have(wall(time)) is out


def test_what_is_neither_a_date_nor_an_expression_is_refused() -> None:
    """A date that does not exist is no date."""
    for entry in ("2026-02-30", "christmas"):
        with pytest.raises(ScheduleSyntaxError):
            exceptions((entry,))
