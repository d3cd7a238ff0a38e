"""What a run costs, by the seconds of its tasks and the prices that were frozen at its claim."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from orchestrator.decisions.costs import estimated_cost, node_kind, with_cost
from orchestrator.enums import NodeKind
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Cost, Record, dump, load
from orchestrator.model import NodePrice, Prices
from tests.support.records import TASK, ran

HOUR = 3600.0
PRICES = Prices(
    currency="USD",
    every=NodePrice(dedicated=0.4, spot=0.1),
    pools={"Big": NodePrice(dedicated=2.0)},
)
RAN = ran(datetime(2026, 11, 2, 2, tzinfo=UTC))
DEDICATED, SPOT = "tvmps_0a_d", "tvmps_0b_p"


def run(*attempts: Attempt, prices: Prices | None = PRICES) -> Record:
    return replace(RAN, task=replace(TASK, prices=prices), attempts=attempts)


def attempt(seconds: float | None, node: str | None = DEDICATED, **keys: object) -> Attempt:
    values = {"slot_share": 1.0, **keys}
    return replace(RAN.attempt, task_seconds=seconds, node=node, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("attempts", "amount"),
    [
        ([attempt(HOUR)], 0.4),
        ([attempt(HOUR, SPOT)], 0.1),
        ([attempt(HOUR / 2, slot_share=0.25)], 0.05),
        ([attempt(HOUR), attempt(HOUR, SPOT)], 0.5),
        ([attempt(HOUR, pool="big")], 2.0),
        ([attempt(HOUR, pool="recur")], 0.4),
        ([attempt(1.0)], 0.000111),
        ([attempt(None, None)], 0.0),
        ([attempt(None, None), attempt(HOUR)], 0.4),
    ],
)
def test_a_cost_is_task_seconds_times_share_times_price(
    attempts: list[Attempt], amount: float
) -> None:
    """Of all attempts; one whose task never ran costs nothing."""
    assert estimated_cost(run(*attempts)) == Cost(amount=amount, currency="USD")


@pytest.mark.parametrize(
    "attempts",
    [
        [attempt(HOUR, SPOT, pool="big")],
        [attempt(HOUR), attempt(HOUR, "another-id")],
        [attempt(HOUR, None)],
        [attempt(HOUR, slot_share=None)],
    ],
)
def test_a_factor_that_is_not_known_leaves_no_cost(attempts: list[Attempt]) -> None:
    """Half a cost would look like a whole one."""
    assert estimated_cost(run(*attempts)) is None


def test_no_table_no_cost() -> None:
    """Neither a run without prices, nor one of which nothing is frozen."""
    assert estimated_cost(run(attempt(HOUR), prices=None)) is None
    assert estimated_cost(replace(RAN, task=None)) is None


def test_a_final_record_keeps_its_cost_and_its_prices() -> None:
    """As JSON and back."""
    record = with_cost(run(attempt(HOUR)))

    assert load(dump(record)) == record
    assert record.cost == Cost(amount=0.4, currency="USD")


@pytest.mark.parametrize(
    ("node", "kind"),
    [
        (
            "tvmps_b9b4e41584cf58978a17841766269526a899c03f90723c2a67ab7c9e5c2b9f59_d",
            NodeKind.DEDICATED,
        ),
        ("tvmps_b9b4e41584cf58978a17841766269526a899c03f90723c2a67ab7c9e5c2b9f59_p", NodeKind.SPOT),
        ("tvm-1", None),
        ("", None),
        (None, None),
    ],
)
def test_a_nodes_id_tells_its_kind(node: str | None, kind: NodeKind | None) -> None:
    """By its end."""
    assert node_kind(node) is kind
