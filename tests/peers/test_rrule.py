"""rrule, a library for RFC 5545, gives the dates that `interval` and special days of a month give."""

import json
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator.enums import IntervalUnit
from orchestrator.model import Interval, Recurrence, Timing
from orchestrator.timing.occurrences import occurrences
from orchestrator.timing.zones import parse_zone

_FOLDER = Path(__file__).with_name("npm")
_SCRIPT = _FOLDER / "rules.mjs"
START, END = date(2024, 2, 26), date(2034, 2, 27)  # a Monday; leap days, and 20 changes of a clock
WEEKDAYS = "BYDAY=MO,TU,WE,TH,FR"
AT_NINE = "BYHOUR=9;BYMINUTE=0;BYSECOND=0"


def nearest(day: int) -> list[str]:
    """Return the rules of the weekday nearest to a day that is neither the first nor the last."""
    return [
        f"FREQ=MONTHLY;BYMONTHDAY={day};{WEEKDAYS}",
        f"FREQ=MONTHLY;BYMONTHDAY={day - 1};BYDAY=FR",
        f"FREQ=MONTHLY;BYMONTHDAY={day + 1};BYDAY=MO",
    ]


DAYS_OF_MONTH = {
    "0 9 1W * *": [f"FREQ=MONTHLY;{WEEKDAYS};BYSETPOS=1"],
    "0 9 LW * *": [f"FREQ=MONTHLY;{WEEKDAYS};BYSETPOS=-1"],
    "0 9 15W * *": nearest(15),
    "0 9 8W,15W * *": [*nearest(8), *nearest(15)],
    "0 9 1,15W * *": ["FREQ=MONTHLY;BYMONTHDAY=1", *nearest(15)],
    "0 9 L-3 * *": ["FREQ=MONTHLY;BYMONTHDAY=-4"],
    "0 9 L-30 * *": ["FREQ=MONTHLY;BYMONTHDAY=-31"],
    "0 9 L,L-1 * *": ["FREQ=MONTHLY;BYMONTHDAY=-1,-2"],
    "0 9 15W * MON": [*nearest(15), "FREQ=WEEKLY;BYDAY=MO"],
    "0 9 L-3 2 *": ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-4"],
}
COUNTED = [
    ("0 9 * * *", IntervalUnit.DAYS, "FREQ=DAILY"),
    ("0 9 * * MON", IntervalUnit.WEEKS, "FREQ=WEEKLY;BYDAY=MO;WKST=MO"),
    ("0 9 * * SUN", IntervalUnit.WEEKS, "FREQ=WEEKLY;BYDAY=SU;WKST=MO"),
    ("0 9 * * MON,THU,SAT", IntervalUnit.WEEKS, "FREQ=WEEKLY;BYDAY=MO,TH,SA;WKST=MO"),
    ("0 9 1 * *", IntervalUnit.MONTHS, "FREQ=MONTHLY;BYMONTHDAY=1"),
    ("0 9 L * *", IntervalUnit.MONTHS, "FREQ=MONTHLY;BYMONTHDAY=-1"),
    ("0 9 31 * *", IntervalUnit.MONTHS, "FREQ=MONTHLY;BYMONTHDAY=31"),
    ("0 9 * * MON#1", IntervalUnit.MONTHS, "FREQ=MONTHLY;BYDAY=1MO"),
    ("0 9 * * 5L", IntervalUnit.MONTHS, "FREQ=MONTHLY;BYDAY=-1FR"),
    ("0 9 LW * *", IntervalUnit.MONTHS, f"FREQ=MONTHLY;{WEEKDAYS};BYSETPOS=-1"),
]
CASES: list[tuple[str, Recurrence, list[str], date]] = [
    *((cron, Recurrence(cron=(cron,)), rules, START) for cron, rules in DAYS_OF_MONTH.items()),
    *(
        (
            f"{cron} every {every} {unit} from {anchor}",
            Recurrence(cron=(cron,), interval=Interval(every=every, unit=unit, anchor=anchor)),
            [f"{rule};INTERVAL={every}"],
            anchor,
        )
        for cron, unit, rule in COUNTED
        for every in (1, 2, 3, 5)
        for anchor in (START, date(2024, 2, 29), date(2026, 12, 27))
    ),
]
ZONES = ("UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe")


@pytest.fixture(scope="module")
def told() -> dict[str, list[str]]:
    """Ask rrule for all cases at once."""
    node = shutil.which("node")
    if not node or not (_FOLDER / "node_modules/rrule").exists():
        pytest.skip("rrule is not installed; `make peers` does it")
    cases = [
        {"start": str(start), "end": str(END), "rules": [f"{one};{AT_NINE}" for one in rules]}
        for _, _, rules, start in CASES
    ]
    done = subprocess.run(
        [node, str(_SCRIPT)], input=json.dumps(cases), capture_output=True, text=True, check=True
    )
    found: list[Any] = json.loads(done.stdout)
    return {name: times for (name, *_), times in zip(CASES, found, strict=True)}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("name", "recurrence", "start"), [(n, r, s) for n, r, _, s in CASES], ids=[n for n, *_ in CASES]
)
def test_the_wall_dates_are_those_of_rrule(
    told: dict[str, list[str]], name: str, recurrence: Recurrence, start: date, zone: str
) -> None:
    """Ten years of them, at nine by the clock of each zone, whatever that clock does."""
    there = parse_zone(zone)
    begin, end = (datetime.combine(day, datetime.min.time(), there) for day in (start, END))
    timing = Timing(
        since=datetime(2000, 1, 1, tzinfo=UTC),
        recurrence=Recurrence(cron=recurrence.cron, interval=recurrence.interval, time_zone=zone),
    )
    found = occurrences(timing, after=begin - timedelta(seconds=1), until=end)

    assert told[name]
    assert [f"{one.nominal.astimezone(there):%Y-%m-%dT%H:%M}" for one in found] == told[name]
