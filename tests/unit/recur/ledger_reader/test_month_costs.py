"""What runs cost in a month, and what their nodes cost beyond that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.enums import NodeKind
from orchestrator.ids import ScheduleId
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Record
from orchestrator.model import NodePrice, Prices
from recur.ledger_reader.month_costs import (
    Month,
    PoolCost,
    ScheduleCost,
    Spent,
    pool_costs,
    schedule_costs,
    spent_in,
)
from tests.support.records import NIGHTLY, TASK, ran

NOVEMBER = Month.of(2026, 11)
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OTHER = ScheduleId("other")
DOLLARS = Prices(currency="USD", every=NodePrice(dedicated=0.4, spot=0.1))
EUROS = replace(DOLLARS, currency="EUR")
NODE, SPOT = "tvmps_0a_d", "tvmps_0b_p"


def attempt(begin: datetime = NOON, length: timedelta = HOUR, **keys: object) -> Attempt:
    values: dict[str, object] = {
        "node": NODE,
        "pool": "recur",
        "slot_share": 1.0,
        "task_seconds": length.total_seconds(),
        **keys,
    }
    base = ran(NOON).attempt
    return replace(base, started=begin, finished=begin + length, **values)  # type: ignore[arg-type]


def run(
    *attempts: Attempt,
    schedule: ScheduleId = NIGHTLY,
    prices: Prices | None = DOLLARS,
    nominal: datetime = NOON,
) -> Record:
    record = ran(nominal, schedule=schedule)
    return replace(record, task=replace(TASK, prices=prices), attempts=attempts)


def spent(*records: Record, month: Month = NOVEMBER) -> list[Spent]:
    return [one for record in records for one in spent_in(month, record)]


@pytest.mark.parametrize(
    ("year", "number", "end"), [(2026, 11, (2026, 12)), (2026, 12, (2027, 1)), (2027, 1, (2027, 2))]
)
def test_a_month_ends_where_the_next_begins(year: int, number: int, end: tuple[int, int]) -> None:
    """Also at the end of a year."""
    month = Month.of(year, number)

    assert month.end == datetime(*end, 1, tzinfo=UTC)
    assert str(month) == f"{year}-{number:02}"


def test_an_attempt_belongs_to_the_month_in_which_its_task_ended() -> None:
    """On both sides of each end of it; one that never ran belongs to none."""
    instant = timedelta(microseconds=1)
    ends = [NOVEMBER.begin - instant, NOVEMBER.begin, NOVEMBER.end - instant, NOVEMBER.end]
    attempts = [attempt(end - HOUR) for end in ends]
    never = attempt(task_seconds=None, node=None)

    found = spent(run(*attempts, never))

    assert [one.attempt.finished for one in found] == ends[1:3]


def test_schedules_are_summed_up_by_currency() -> None:
    """What has no price is counted apart, without an amount."""
    found = schedule_costs(
        spent(
            run(attempt(), attempt(node=SPOT)),
            run(attempt(), nominal=NOON + HOUR),
            run(attempt(), prices=EUROS, schedule=OTHER),
            run(attempt(), prices=None, schedule=OTHER),
            run(attempt(node="unknown"), schedule=OTHER, nominal=NOON + HOUR),
        )
    )

    assert found == [
        ScheduleCost(schedule=NIGHTLY, currency="USD", runs=2, task_seconds=3 * 3600.0, amount=0.9),
        ScheduleCost(schedule=OTHER, currency="EUR", runs=1, task_seconds=3600.0, amount=0.4),
        ScheduleCost(schedule=OTHER, currency=None, runs=2, task_seconds=2 * 3600.0, amount=None),
    ]


def test_a_node_costs_from_its_allocation_to_the_end_of_its_last_task() -> None:
    """What lies between tasks, and before the first, is beyond them."""
    allocated = NOON - HOUR
    one = attempt(node_allocated=allocated)
    later = attempt(NOON + 3 * HOUR, node_allocated=allocated)

    assert pool_costs(NOVEMBER, spent(run(one), run(later, schedule=OTHER))) == [
        PoolCost(
            pool="recur",
            kind=NodeKind.DEDICATED,
            currency="USD",
            nodes=1,
            node_seconds=5 * 3600.0,
            busy_seconds=2 * 3600.0,
            beyond_amount=1.2,
        )
    ]


def test_a_node_of_unknown_allocation_counts_from_its_first_task() -> None:
    """Then nothing is known of its boot."""
    (found,) = pool_costs(NOVEMBER, spent(run(attempt())))

    assert (found.node_seconds, found.busy_seconds, found.beyond_amount) == (3600.0, 3600.0, 0.0)


def test_a_node_that_is_older_than_the_month_counts_from_its_begin() -> None:
    """And so does a task."""
    begin = NOVEMBER.begin
    over = attempt(begin - HOUR, 2 * HOUR, node_allocated=begin - 5 * HOUR)
    later = attempt(begin + 2 * HOUR, node_allocated=begin - 5 * HOUR)

    (found,) = pool_costs(NOVEMBER, spent(run(over, later)))

    assert found.node_seconds == 3 * 3600.0
    assert found.busy_seconds == 2 * 3600.0


def test_pools_and_kinds_of_nodes_are_told_apart() -> None:
    """Pool ids by their letters in any case; a pool without a name stands first."""
    found = pool_costs(
        NOVEMBER,
        spent(
            run(
                attempt(pool="Recur"),
                attempt(NOON + HOUR, pool="recur"),
                attempt(node=SPOT),
                attempt(pool=None),
                attempt(node="unknown"),
            )
        ),
    )

    assert [(one.pool, one.kind, one.nodes) for one in found] == [
        (None, NodeKind.DEDICATED, 1),
        ("recur", NodeKind.DEDICATED, 1),
        ("recur", NodeKind.SPOT, 1),
    ]


def test_without_a_price_times_are_told_and_no_amount() -> None:
    """Neither of runs nor of nodes."""
    (found,) = pool_costs(NOVEMBER, spent(run(attempt(node_allocated=NOON - HOUR), prices=None)))

    assert (found.node_seconds, found.currency, found.beyond_amount) == (2 * 3600.0, None, None)


@given(
    st.lists(st.tuples(st.integers(0, 80), st.integers(1, 30), st.integers(1, 4)), min_size=1),
    st.integers(0, 20),
)
def test_tasks_never_take_more_than_their_node(
    tasks: list[tuple[int, int, int]], boot: int
) -> None:
    """Whatever overlaps: what lies beyond tasks never costs less than nothing."""
    allocated = NOVEMBER.begin - 10 * HOUR
    attempts = [
        attempt(
            allocated + boot * HOUR + begin * HOUR,
            length * HOUR,
            node_allocated=allocated,
            slot_share=1 / share,
        )
        for begin, length, share in tasks
    ]

    for found in pool_costs(NOVEMBER, spent(run(*attempts))):
        assert 0 <= found.busy_seconds <= found.node_seconds
        assert (found.beyond_amount or 0) >= 0
