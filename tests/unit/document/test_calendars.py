"""The tables [calendars.<name>]: what they say, who names them, and what is told of a mistake."""

import json
import tomllib
from datetime import date, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from orchestrator.document.keys import json_schema
from orchestrator.document.parse import parse
from orchestrator.enums import OnHoliday, Weekday
from orchestrator.ids import ScheduleId
from orchestrator.model import Holidays
from tests.support.documents import PLAIN

CALENDARS = """
[calendars.bank]
dates = [2027-01-01, "2026-12-25", 2026-12-25]
ranges = [{ first = 2026-12-24, last = 2026-12-26 }]

[calendars.Week_Ends-2]
weekdays = ["SUN", "SAT"]
"""
DAILY = '[schedules.daily]\ncron = "0 9 * * *"\ncommand = "true"\n'


def complaints(text: str) -> list[str]:
    return [str(problem) for problem in parse(text).problems]


def test_a_schedule_holds_the_days_of_its_calendars() -> None:
    """Of all that it names, once each."""
    document = parse(
        DAILY + 'holidays = ["bank", "Week_Ends-2"]\non_holiday = "next_working_day"\n'
        f'weekend = ["SUN", "FRI"]\n{CALENDARS}'
    )
    assert document.problems == ()
    assert document.schedules[ScheduleId("daily")].recurrence.holidays == Holidays(
        calendars=("bank", "Week_Ends-2"),
        days=("2026 1224-1226", "2027 0101"),
        weekdays=(Weekday.SAT, Weekday.SUN),
        policy=OnHoliday.NEXT_WORKING_DAY,
        weekend=(Weekday.FRI, Weekday.SUN),
    )


def test_what_is_not_said_has_a_default() -> None:
    """Holidays are skipped, and nothing moves to a Saturday or Sunday; no calendar, no holidays."""
    (named,) = parse(f'{DAILY}holidays = ["bank"]\n{CALENDARS}').schedules.values()
    (empty,) = parse(f"{DAILY}holidays = []\n{CALENDARS}").schedules.values()
    assert named.recurrence.holidays
    assert named.recurrence.holidays.policy == OnHoliday.SKIP
    assert named.recurrence.holidays.weekend == (Weekday.SAT, Weekday.SUN)
    assert empty.recurrence.holidays is None


def test_defaults_give_holidays_to_what_has_wall_dates() -> None:
    """An interval knows none; a schedule may have its own, or none."""
    document = parse(
        '[defaults]\ncommand = "true"\nholidays = ["bank"]\nweekend = ["SUN"]\n'
        '[schedules.one]\ncron = "0 9 * * *"\n[schedules.two]\nevery = "1h"\n'
        '[schedules.three]\nat = 2026-12-25T09:00:00\nholidays = ["Week_Ends-2"]\n'
        f'[schedules.four]\ncron = "0 9 * * *"\nholidays = []\n{CALENDARS}'
    )
    found = {id_: one.recurrence.holidays for id_, one in document.schedules.items()}
    assert document.problems == ()
    assert {id_: one.calendars if one else None for id_, one in found.items()} == {
        "one": ("bank",),
        "two": None,
        "three": ("Week_Ends-2",),
        "four": None,
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("holidays = ['bnk']", ["[schedules.daily]: holidays[1]: there is no calendar 'bnk'; did you mean 'bank'?"]),
        ("holidays = ['bank', 'school']", ["[schedules.daily]: holidays[2]: there is no calendar 'school'; define it as [calendars.school]"]),
        ("holidays = 'bank'", ["[schedules.daily]: holidays: must be a list of names of calendars, such as [\"bank\"], not 'bank'"]),
        ("holidays = ['bank', 'bank']", ["[schedules.daily]: holidays: contains 'bank' twice"]),
        ("holidays = ['bank']\non_holiday = 'move'", ["[schedules.daily]: on_holiday: must be 'skip', 'next_working_day' or 'previous_working_day', not 'move'"]),
        ("holidays = ['bank']\nweekend = ['Saturday']", ["[schedules.daily]: weekend[1]: must be 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT' or 'SUN', not 'Saturday'"]),
        ("holidays = ['bank']\nweekend = ['MON','TUE','WED','THU','FRI','SAT','SUN']", ["[schedules.daily]: weekend: must have at most 6 of them"]),
        ("on_holiday = 'skip'", ['[schedules.daily]: on_holiday: works only with holidays: name the calendars, as in holidays = ["bank"]']),
        ("weekend = ['SUN']", ['[schedules.daily]: weekend: works only with holidays: name the calendars, as in holidays = ["bank"]']),
    ],
)  # fmt: skip
def test_a_bad_key_is_told_with_its_place(text: str, told: list[str]) -> None:
    """And stops its schedule alone."""
    document = parse(f"{DAILY}{text}\n{PLAIN}{CALENDARS}")
    assert [str(problem) for problem in document.problems] == told
    assert set(document.schedules) == {"plain-1"}
    assert document.invalid == {"daily"}


def test_holidays_belong_to_wall_dates() -> None:
    """Not to an interval."""
    every = DAILY.replace('cron = "0 9 * * *"', 'every = "1h"')
    assert complaints(f'{every}holidays = ["bank"]\n{CALENDARS}') == [
        "[schedules.daily]: holidays: works only with cron or at: an interval has no dates"
    ]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("", "dates: is missing: give the days, as in dates = [2026-12-25]"),
        ("dates = 2026-12-25", "dates: must be a list such as [2026-12-25], not 2026-12-25"),
        ("dates = [2026-12-25, '2026-02-30']", "dates[2]: there is no date '2026-02-30'"),
        ("dates = [2026-12-25T00:00:00]", "dates[1]: must be a date such as 2026-12-07, unquoted"),
        ("date = [2026-12-25]\ndates = [2026-12-25]", "date: unknown key; did you mean 'dates'?"),
        ("ranges = [{ first = 2026-12-25 }]", "ranges[1].last: is missing: give the last day, as in last = 2027-01-01"),
        ("ranges = [{ last = 2026-12-25 }]", "ranges[1].first: is missing: give the first day, as in first = 2026-12-24"),
        ("ranges = [{ first = 2026-12-25, last = 2026-12-24 }]", "ranges[1].last: must not be before first, 2026-12-25"),
        ("ranges = [{ first = 2026-12-25, last = 2026-12-25, lasts = 1 }]", "ranges[1].lasts: unknown key; did you mean 'last'?"),
        ("weekdays = ['SAT', 'SAT']", "weekdays: contains 'SAT' twice"),
        ("dates = [" + "2026-12-25," * 1001 + "]", "dates: must have at most 1000 of them"),
    ],
)  # fmt: skip
def test_a_bad_calendar_is_told_once(keys: str, told: str) -> None:
    """With its place; it stops the schedules that name it, and no other."""
    named = (
        DAILY + 'holidays = ["bad"]\n' + DAILY.replace("daily", "other") + 'holidays = ["bad"]\n'
    )
    document = parse(f"{named}{PLAIN}[calendars.bad]\n{keys}\n")
    assert [str(problem) for problem in document.problems] == [f"[calendars.bad]: {told}"]
    assert set(document.schedules) == {"plain-1"}
    assert document.invalid == {"daily", "other"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("calendars = 3\n", "calendars: must be tables [calendars.<name>]"),
        ("[calendars]\nbank = 3\n", "[calendars.bank]: must be a table"),
        ('[calendars."my bank"]\ndates = [2026-12-25]\n', "[calendars.my bank]: the name of a calendar has 1 to 40 letters, digits, - or _"),
        ("".join(f"[calendars.c{n}]\ndates = [2026-12-25]\n" for n in range(51)), "calendars: 51 calendars; at most 50 are supported"),
    ],
)  # fmt: skip
def test_bad_calendars_stop_no_schedule(text: str, told: str) -> None:
    """That does not name them."""
    document = parse(text + PLAIN)
    assert [str(problem) for problem in document.problems] == [told]
    assert set(document.schedules) == {"plain-1"}


def test_days_of_calendars_count_for_each_schedule() -> None:
    """In their short form: five years of holidays of 1,000 schedules are no problem."""
    every = [date(2026 + n // 13, 1 + n % 12, 3 + 2 * (n % 13)) for n in range(65)]
    text = '[defaults]\ncommand = "true"\ncron = "0 9 * * *"\nholidays = ["bank"]\n'
    text += f"[calendars.bank]\ndates = [{', '.join(map(str, every))}]\n"
    assert parse(text + "".join(f"[schedules.s-{n:03}]\n" for n in range(1000))).problems == ()


def test_the_schema_agrees() -> None:
    """On what is right, and on what is not."""

    def wrong(text: str) -> bool:
        values = json.loads(json.dumps(tomllib.loads(text), default=_iso))
        return any(Draft202012Validator(json_schema()).iter_errors(values))

    assert not wrong(f'{DAILY}holidays = ["bank"]\nweekend = ["SUN"]\n{CALENDARS}')
    for keys in ("holidays = [3]", 'on_holiday = "move"', 'weekend = ["SO"]', 'holidays = ["a b"]'):
        assert wrong(f"{DAILY}{keys}\n")
    for keys in (
        "dates = [3]",
        "ranges = [{ first = 2026-12-25 }]",
        'weekdays = ["SO"]',
        "days = 1",
    ):
        assert wrong(f"{PLAIN}[calendars.bank]\n{keys}\n")


def _iso(value: Any) -> str:  # noqa: ANN401 - json's own hook
    assert isinstance(value, date | datetime)
    return value.isoformat()
