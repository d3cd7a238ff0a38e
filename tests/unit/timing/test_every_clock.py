"""Every change of every clock from 2025 to 2027, against oracles that walk minute by minute."""

import random
import zoneinfo
from bisect import bisect_left
from collections import defaultdict
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise, product

import pytest

from orchestrator.enums import Fold, Gap
from orchestrator.model import Recurrence, Timing
from orchestrator.timing.occurrences import occurrences
from orchestrator.timing.zones import parse_zone
from tests.support import debian
from tests.support.breadth import everything, sample

# What is walked here minute by minute is covered by examples: measuring would double its time.
pytestmark = pytest.mark.no_cover

SINCE = datetime(2000, 1, 1, tzinfo=UTC)
FIRST, LAST = datetime(2025, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
AROUND, BEYOND = timedelta(hours=8), timedelta(hours=5)
FIXED = (
    *("0 0 * * *", "30 0 * * *", "30 1 * * *", "15,45 1 * * *", "30 2 * * *", "0,30 2 * * *"),
    *("30 2,3 * * *", "0 3 * * *", "59 23 * * *", "0-59 2 * * *", "45 1-3 * * *", "5 0-23/2 * * *"),
)
WILD = (
    *("* * * * *", "*/7 * * * *", "0 * * * *", "30 */2 * * *", "*/30 1 * * *", "*/20 0-3 * * *"),
    *("45 * * * *", "0 */3 * * *"),
)
DAYS = ("30 1 L * *", "*/15 * LW * *", "30 2 * * SUN#2", "30 2 * OCT,NOV,MAR,APR 0L", "0 3 1-7 * 7")

Change = tuple[datetime, timedelta, timedelta]


def changes(zone: tzinfo) -> tuple[Change, ...]:
    """List when a zone changes its clock, to the minute, with the offsets before and after."""
    found: list[Change] = []
    weeks = [FIRST + timedelta(days=n) for n in range(0, (LAST - FIRST).days + 21, 21)]
    for low, high in pairwise(weeks):
        before, after = (one.astimezone(zone).utcoffset() or timedelta() for one in (low, high))
        if before != after:
            found.append((change_between(low, high, zone), before, after))
    return tuple(found)


def change_between(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """Return the first minute after ``low`` with another offset; one of them changes it."""
    before = low.astimezone(zone).utcoffset()

    def changed(minutes: int) -> bool:
        return (low + debian.MINUTE * minutes).astimezone(zone).utcoffset() != before

    minutes = bisect_left(range((high - low) // debian.MINUTE), x=True, key=changed)
    return low + debian.MINUTE * minutes


def rule_sets() -> dict[str, tuple[Change, ...]]:
    """Return one zone for each way in which clocks change, with its changes."""
    ways: dict[tuple[Change, ...], str] = {}
    for name in sorted(zoneinfo.available_timezones()):
        if "/" in name:
            ways.setdefault(changes(parse_zone(name)), name)
    return {name: found for found, name in ways.items() if found}


RULES = rule_sets()
NAMES = tuple(RULES)


def tried(name: str) -> tuple[tuple[int, datetime], ...]:
    """Return the changes of a rule set with their numbers: two of them; all in ``make proof``."""
    first = NAMES.index(name)  # so that the samples of two rule sets differ
    found = RULES[name] if everything() else RULES[name][:2]
    return tuple((first + n, change) for n, (change, _, _) in enumerate(found))


def generated(seed: str) -> list[str]:
    """Generate expressions that come due in the hours in which clocks change; always the same."""
    some = random.Random(seed)  # noqa: S311 - no secret

    def minute() -> str:
        one, other = sorted(some.sample(range(60), 2))
        step = some.choice([7, 10, 15, 20, 30])
        return some.choice(
            [str(one), f"{one},{other}", f"{one}-{other}/{step}", f"*/{step}", "*", "0"]
        )

    def hour() -> str:
        one, other = sorted(some.sample(range(24), 2))
        early = some.randrange(4)
        return some.choice(
            [str(early), f"{early},{other}", f"{one}-{other}", f"*/{early + 1}", "*", f"0-{early}"]
        )

    def day() -> str:
        return some.choice(["* *", "* *", "1-15 *", "*/2 *", "* 0", "* MON-FRI", "13 SUN", "L *"])

    texts = [(minute(), hour(), *day().split()) for _ in range(8)]
    return [f"{m} {h} {of_month} * {of_week}" for m, h, of_month, of_week in texts]


def found(recurrence: Recurrence, after: datetime, until: datetime) -> dict[datetime, int]:
    """Return the instants at which a recurrence runs, with the number of wall times on each."""
    timing = Timing(since=SINCE, recurrence=recurrence)
    return {
        one.nominal: one.merged
        for one in occurrences(timing, after=after, until=until)
        if one.exists and not one.excluded
    }


def test_there_is_something_to_compare() -> None:
    """The rule sets come from the pinned tzdata: half-hour steps, midnight gaps, Ramadan."""
    assert len(RULES) >= 25
    crons = len((*FIXED, *WILD, *DAYS, *generated("any")))
    assert sum(map(len, RULES.values())) * crons >= 5000
    assert {abs(after - before) for found in RULES.values() for _, before, after in found} >= {
        timedelta(minutes=30),
        timedelta(hours=1),
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_change_of_every_clock_is_taken_as_debians_cron_takes_it(name: str) -> None:
    """Zero differences: each change of a rule set, 16 hours around it, fixed and generated crons."""
    zone, wrong = parse_zone(name), []
    for n, change in tried(name):
        after, until = change - AROUND, change + AROUND
        for cron in sample((*FIXED, *WILD, *DAYS, *generated(f"{name} {n}")), n):
            ours = list(found(Recurrence(cron=(cron,), time_zone=name), after, until))
            if ours != debian.runs(cron, zone, after, until):
                wrong.append((cron, change))

    assert wrong == []


class Walk:
    """
    What the policies mean, by a walk over every minute, from hours before to hours after.

    Every wall time is there once, twice, or not at all; each policy picks from what there is.
    """

    def __init__(self, zone: tzinfo, after: datetime, until: datetime) -> None:
        self.shown: defaultdict[datetime, list[datetime]] = defaultdict(list)
        self.left_out: dict[datetime, datetime] = {}
        self.span = (after, until)
        minutes = debian.walk(zone, after - BEYOND, until + BEYOND)
        for (_, last), (instant, wall) in pairwise(minutes):
            self.shown[wall].append(instant)
            gap = int((wall - last) / debian.MINUTE)
            self.left_out |= {last + debian.MINUTE * n: instant for n in range(1, gap)}
        self.due = {
            cron: [wall for wall in (*self.shown, *self.left_out) if debian.matches(cron, wall)]
            for cron in {cron for crons, _ in RECURRENCES for cron in crons}
        }

    def instants(self, wall: datetime, recurrence: Recurrence, *, wild: bool) -> list[datetime]:
        if wall in self.shown:
            pick = {Fold.FIRST: slice(0, 1), Fold.SECOND: slice(-1, None), Fold.BOTH: slice(None)}
            auto = Fold.BOTH if wild else Fold.FIRST
            return self.shown[wall][pick.get(recurrence.fold, pick[auto])]
        shifts = recurrence.gap is Gap.SHIFT or (recurrence.gap is Gap.AUTO and not wild)
        return [self.left_out[wall]] if shifts else []

    def runs(self, recurrence: Recurrence) -> dict[datetime, int]:
        """Return the instants of a recurrence, with the number of wall times on each."""
        walls: defaultdict[datetime, set[datetime]] = defaultdict(set)
        for cron in recurrence.cron:
            for wall in self.due[cron]:
                if not _left_out(recurrence, wall):
                    for one in self.instants(wall, recurrence, wild=debian.read(cron).wild):
                        walls[one].add(wall)
        after, until = self.span
        return {one: len(those) for one, those in sorted(walls.items()) if after < one <= until}


def _left_out(recurrence: Recurrence, wall: datetime) -> bool:
    return any(
        debian.matches(entry, wall) if " " in entry else entry == wall.date().isoformat()
        for entry in recurrence.except_
    )


RECURRENCES = (
    (("30 2 * * *",), ()),
    (("0,15,45 1-2 * * *",), ()),
    (("*/15 * * * *",), ()),
    (("30 0-3 * * *", "*/20 1-2 * * *"), ()),
    (("*/5 * * * *", "0 0 * * *"), ("30-59 2 * * *", "*/10 1 * * *")),
)


POLICIES = tuple(
    (gap, overlap) for gap, overlap in product(Gap, Fold) if Gap.AUTO is gap or Fold.AUTO is overlap
)


@pytest.mark.parametrize("name", NAMES)
def test_every_policy_is_what_a_walk_over_the_minutes_says(name: str) -> None:
    """Each gap and overlap policy, unions and exceptions, at each change of each rule set."""
    wrong = []
    for n, change in tried(name):
        after, until = change - BEYOND, change + BEYOND
        walk = Walk(parse_zone(name), after, until)
        cases = tuple(product(POLICIES, RECURRENCES))
        for (gap, overlap), (crons, left_out) in sample(cases, n):
            recurrence = Recurrence(
                cron=crons, time_zone=name, gap=gap, fold=overlap, except_=left_out
            )
            if found(recurrence, after, until) != walk.runs(recurrence):
                wrong.append((change, recurrence))

    assert wrong == []


@pytest.mark.parametrize(
    "cron",
    [
        *("0 6 L * *", "0 6 LW * *", "0 6 1,LW * *", "0 6 * * MON#1", "0 6 * * 5L", "0 6 * * 0L"),
        *("0 6 * * FRI#5,TUE#2", "0 6 13 * FRI", "0 6 */2 * MON", "0 6 31 * *", "0 6 29 FEB *"),
        *("0 6 1-7 * */2", "0 6 * JAN-MAR,DEC WED-SAT", "0 6 15 6 7", "0 6 L 2 MON#1"),
    ],
)
def test_days_are_those_of_a_walk_over_four_years(cron: str) -> None:
    """Last days, last weekdays, n-th weekdays; OR where both fields are restricted, else AND."""
    begin, end = datetime(2025, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
    mornings = [begin + timedelta(days=n, hours=6) for n in range((end - begin).days)]

    days = list(found(Recurrence(cron=(cron,)), begin, end))

    assert days == [one for one in mornings if debian.matches(cron, one.replace(tzinfo=None))]
    assert days
