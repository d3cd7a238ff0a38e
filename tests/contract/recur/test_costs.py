"""`recur costs` on real storage: what the runs of a month cost, and their nodes beyond that."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.decisions.costs import with_cost
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Cost, Record
from orchestrator.model import NodePrice, Prices
from recur.errors import Exit
from tests.support.deployment import operator_of
from tests.support.history_world import Past, past
from tests.support.records import NIGHTLY, TASK, missed, ran
from tests.support.world import World, schedule

__all__ = ["past"]

OTHER = ScheduleId("other")
HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
PRICES = Prices(currency="USD", every=NodePrice(dedicated=0.4, spot=0.1))


def cost(
    nominal: datetime,
    begin: datetime | None = None,
    *,
    prices: Prices | None = PRICES,
    schedule: ScheduleId = NIGHTLY,
) -> Record:
    """Return the final record of a run of half an hour, on a node that booted for ten minutes."""
    begin = begin or nominal
    record = ran(nominal, schedule=schedule)
    attempt = replace(
        record.attempt,
        started=begin,
        finished=begin + HOUR / 2,
        node_allocated=begin - HOUR / 6,
        node=f"tvmps_{begin:%d%H}_d",
        pool="recur",
        task_seconds=1800.0,
        slot_share=1.0,
    )
    return with_cost(replace(record.with_attempt(attempt), task=replace(TASK, prices=prices)))


def test_a_month_is_summed_up_by_schedule(past: Past) -> None:
    """A run that a backfill ran late counts when it ran; what never ran counts nothing."""
    past.put(
        cost(NOON),
        cost(NOON + HOUR),
        cost(NOON - timedelta(days=40), NOON + 2 * HOUR),
        cost(NOON - timedelta(days=20)),
        cost(NOON + timedelta(days=30)),
        cost(NOON + 3 * HOUR, schedule=OTHER),
        missed(NOON + 9 * HOUR, NOON + 12 * HOUR, 3),
    )

    told = past.recur("costs", "--month", "2026-11")

    assert told.code == Exit.DONE
    assert told.out.splitlines() == [
        "SCHEDULE  RUNS  TASK TIME   COST",
        "nightly   3     1 h 30 min  0.60 USD",
        "other     1     30 min      0.20 USD",
        "all       4     2 h         0.80 USD",
        "",
        "POOL               NODES  NODE TIME   IN TASKS  BEYOND TASKS  COST BEYOND",
        "recur (dedicated)  4      2 h 40 min  2 h       40 min        0.27 USD",
    ]


def test_programs_get_the_same(past: Past) -> None:
    """Amounts are numbers, and times are seconds."""
    past.put(cost(NOON))

    told = past.recur("--json", "costs", "nightly", "--month", "2026-11")

    assert told.json == {
        "month": "2026-11",
        "schedules": [
            {
                "schedule": "nightly",
                "currency": "USD",
                "runs": 1,
                "task_seconds": 1800.0,
                "amount": 0.2,
            }
        ],
        "pools": [
            {
                "pool": "recur",
                "kind": "dedicated",
                "currency": "USD",
                "nodes": 1,
                "node_seconds": 2400.0,
                "busy_seconds": 1800.0,
                "beyond_amount": 0.066667,
            }
        ],
        "unreadable": [],
    }


def test_what_had_no_price_is_said(past: Past) -> None:
    """With the place where prices stand."""
    past.put(cost(NOON, prices=None))

    told = past.recur("costs", "--month", "2026-11")

    assert "nightly   1     30 min     -" in told.out.splitlines()
    assert "see [prices] in docs/costs.md" in told.out


def test_a_month_without_tasks_says_so(past: Past) -> None:
    """The current one is the default."""
    past.put(cost(NOON - timedelta(days=200)))

    told = past.recur("costs")

    assert told.code == Exit.DONE
    assert told.out == f"the records have no task that ended in {datetime.now(UTC):%Y-%m}\n"


def test_what_is_no_month_is_refused(past: Past) -> None:
    """And so is a schedule that there is not."""
    for text in ("2026-13", "november", "0001-01"):
        told = past.recur("costs", "--month", text)
        assert told.code == Exit.USAGE
        assert "write the year and the month, as in 2026-11" in told.err
    assert past.recur("costs", "nothing").code == Exit.REFUSED


def test_a_record_that_cannot_be_read_is_told(past: Past) -> None:
    """The others are summed up all the same."""
    record = cost(NOON)
    past.put(record, cost(NOON + HOUR))
    past.ledger.upload_blob(record.blob, b"{", overwrite=True)

    told = past.recur("--json", "costs", "--month", "2026-11")

    assert told.code == Exit.FOUND
    assert [one["runs"] for one in told.json["schedules"]] == [1]
    assert record.blob in told.json["unreadable"][0]


async def test_prices_of_the_document_reach_the_record_and_its_cost(
    world: World, tmp_path: Path
) -> None:
    """Frozen at the claim, applied by the collector, kept when the document changes."""
    prices = Prices(currency="USD", every=NodePrice(dedicated=5000.0))
    await world.pool(taskSlotsPerNode=2)
    await world.apply(
        schedule("hello", "sleep 1") + '[prices]\ncurrency = "USD"\ndedicated = 5000\n'
    )
    await world.submit()
    await world.apply(schedule("hello", "sleep 1"))
    (opened,) = await world.open()
    assert opened.task is not None
    assert opened.task.prices == prices

    (record,) = await world.collect_until_finished()

    (attempt,) = record.attempts
    assert attempt.task_seconds is not None
    assert attempt.task_seconds >= 1
    assert attempt.slot_share == 0.5
    amount = round(attempt.task_seconds * 0.5 * 5000 / 3600, 6)
    assert record.cost == Cost(amount=amount, currency="USD")
    someone = operator_of(world, tmp_path)
    told = await asyncio.to_thread(someone.recur, "--json", "costs")
    assert [one["amount"] for one in told.json["schedules"]] == [amount]
    (pool,) = told.json["pools"]
    assert pool["pool"] == "recur"
    assert pool["node_seconds"] >= pool["busy_seconds"] > 0
    shown = await asyncio.to_thread(someone.recur, "show", record.run_id)
    assert f"  cost          {amount} USD, estimated" in shown.out.splitlines()
