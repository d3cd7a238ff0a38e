"""Notes on prices that are valid and may not be meant."""

from datetime import UTC, datetime

import pytest

from orchestrator.document.parse import parse
from recur.lint.document_notes import lint
from recur.lint.notes import Code

NOW = datetime(2026, 11, 23, tzinfo=UTC)
QUIET = '[schedules.one]\ncron = "0 2 * * *"\ncommand = "true"\n'


def told(prices: str) -> list[str]:
    text = f'{QUIET}[prices]\ncurrency = "USD"\n{prices}'
    document = parse(text)
    assert document.problems == ()
    return [str(one) for one in lint(text, document, NOW)]


@pytest.mark.parametrize(
    "prices",
    ["dedicated = 0.2\nspot = 0.1", "spot = 0.1", "dedicated = 0.1", "dedicated = 0\nspot = 0"],
)
def test_ordinary_prices_have_no_note(prices: str) -> None:
    """Nor has one price alone, nor what is free."""
    assert told(prices) == []


def test_a_spot_node_that_costs_as_much_is_told() -> None:
    """For all pools, and for one of them."""
    says = "Spot nodes cost less; check whether the two are swapped"
    assert told("dedicated = 0.1\nspot = 0.2") == [
        f"[prices]: spot: is 0.2, and a dedicated node costs 0.1: {says} ({Code.SPOT_DEARER})"
    ]
    assert told("[prices.pools.big]\ndedicated = 1\nspot = 1") == [
        f"[prices]: pools.big.spot: is 1, and a dedicated node costs 1: {says} ({Code.SPOT_DEARER})"
    ]
