"""A search costs what its days cost, however many expressions it has to ask."""

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import CodeType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model import Recurrence, Timing
from orchestrator.timing.cron import Expression, exceptions, parse_cron, with_joined_days
from orchestrator.timing.occurrences import following, latest, previous

NOW, LONG_AGO = datetime(2026, 11, 30, tzinfo=UTC), datetime(2017, 11, 30, tzinfo=UTC)
DAYS = 366 * 9 + 10
MINUTES = tuple(f"{n % 60} {n // 60} * * *" for n in range(398))


def asked(search: Callable[[], object]) -> int:
    """Return how many times an expression is asked for a day."""
    monitoring, tool = sys.monitoring, sys.monitoring.PROFILER_ID
    calls = 0

    def count(_: CodeType, __: int) -> None:
        nonlocal calls
        calls += 1

    monitoring.use_tool_id(tool, "asked")
    monitoring.register_callback(tool, monitoring.events.PY_START, count)
    monitoring.set_local_events(tool, Expression.on.__code__, monitoring.events.PY_START)
    try:
        search()
    finally:
        monitoring.set_local_events(tool, Expression.on.__code__, 0)
        monitoring.free_tool_id(tool)
    return calls


@pytest.mark.parametrize(
    ("cron", "left_out"),
    [
        (tuple(f"{n} 3 1-30,L * *" for n in range(50)), (*MINUTES, "* * * * *")),
        (tuple(f"{n} 3 * * 0-6" for n in range(50)), MINUTES),
        (("0 0 29 2 MON#5", "0 0 30 4 FRI#1"), (*MINUTES, "* * * * 0-5", "* * * * 6")),
        (("* * * * *",), (*MINUTES, "* * * * 0-5", "* * * * SAT", "* * * * MON#1")),
    ],
    ids=["all left out", "each minute left out", "rare", "all but nothing"],
)
@pytest.mark.parametrize("search", ["following", "latest", "previous"])
def test_nine_years_without_an_occurrence_are_soon_searched(
    cron: tuple[str, ...], left_out: tuple[str, ...], search: str
) -> None:
    """Each day asks a few expressions, not 450 of them."""
    timing = Timing(since=LONG_AGO, recurrence=Recurrence(cron=cron, except_=left_out))
    searches: dict[str, Callable[[], object]] = {
        "following": lambda: following((timing,), NOW),
        "latest": lambda: latest((timing,), NOW),
        "previous": lambda: previous((timing,), NOW),
    }

    assert asked(searches[search]) < 20 * DAYS


EXPRESSIONS = st.lists(
    st.sampled_from(
        ["0 1 * * *", "*/7 2 * * *", "5 * 13 * FRI", "5 3 13 * fri", "* * */2 * *", "9 9 L 2 *", "1 1 15W * *", "* * * * *"]
    ),
    max_size=6,
)  # fmt: skip
SOME_DAYS = st.integers(0, 800).map(lambda n: date(2027, 1, 1) + timedelta(days=n))


@given(EXPRESSIONS, SOME_DAYS)
def test_expressions_that_are_joined_mean_the_same(expressions: list[str], day: date) -> None:
    """The times of a day are those of each of them."""
    each = [parse_cron(one) for one in expressions]
    times = {
        wild: sum(1 << n for n in range(1440) if any(one.times >> n & 1 for one in each if one.wild is wild and one.on(day)))
        for wild in (False, True)
    }  # fmt: skip

    joined = with_joined_days(each)

    for wild in (False, True):
        found = 0
        for one in joined:
            found |= one.times if one.wild is wild and one.on(day) else 0
        assert found == times[wild]
    assert exceptions(tuple(expressions)).on(day) == times[False] | times[True]
