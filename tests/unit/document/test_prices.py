"""The table [prices]: what it says, and what is told of a mistake in it."""

import json

import pytest
from jsonschema import Draft202012Validator

from orchestrator.document.keys import json_schema
from orchestrator.document.parse import parse, read
from orchestrator.model import NodePrice, Prices
from tests.support.documents import PLAIN

PRICES = """
[prices]
currency = "EUR"
dedicated = 0.113
spot = 1

[prices.pools.Big_1]
dedicated = 0
"""
NO_PRICE = "is missing: give dedicated or spot, the price of one node for one hour"
NUMBER = "must be a number such as 0.113, the price of one node for one hour"
WITHIN = "must be from 0 to 10,000 for one node and one hour"


def test_each_schedule_holds_the_prices_of_its_document() -> None:
    """A pool of its own has what it gives, and nothing of the others'."""
    document = parse(PLAIN + PRICES)
    told = Prices(
        currency="EUR",
        every=NodePrice(dedicated=0.113, spot=1.0),
        pools={"Big_1": NodePrice(dedicated=0.0)},
    )

    assert document.problems == ()
    assert document.prices == told
    assert [one.prices for one in document.schedules.values()] == [told]
    assert parse(PLAIN).prices is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("prices = 3", ["[prices]: must be a table"]),
        (
            "[prices]",
            [
                '[prices]: currency: is missing: give the currency of the prices, as in "USD"',
                f"[prices]: dedicated: {NO_PRICE}",
            ],
        ),
        (
            '[prices]\ncurrency = "usd"\nspot = 0.1',
            ['[prices]: currency: must be the three capital letters of a currency, such as "USD"'],
        ),
        ('[prices]\ncurrency = "USD"\nspot = "0.1"', [f"[prices]: spot: {NUMBER}"]),
        ('[prices]\ncurrency = "USD"\nspot = true', [f"[prices]: spot: {NUMBER}"]),
        ('[prices]\ncurrency = "USD"\nspot = nan', [f"[prices]: spot: {WITHIN}"]),
        ('[prices]\ncurrency = "USD"\nspot = inf', [f"[prices]: spot: {WITHIN}"]),
        ('[prices]\ncurrency = "USD"\nspot = -0.1', [f"[prices]: spot: {WITHIN}"]),
        ('[prices]\ncurrency = "USD"\nspot = 10001', [f"[prices]: spot: {WITHIN}"]),
        (
            '[prices]\ncurrency = "USD"\ndedicatd = 0.1\nspot = 0.1',
            ["[prices]: dedicatd: unknown key; did you mean 'dedicated'?"],
        ),
        ('[prices]\ncurrency = "USD"\n[prices.pools.a]', [f"[prices]: pools.a: {NO_PRICE}"]),
        (
            '[prices]\ncurrency = "USD"\n[prices.pools.a]\nspto = 0.1',
            ["[prices]: pools.a.spto: unknown key; did you mean 'spot'?"],
        ),
        (
            '[prices]\ncurrency = "USD"\npools = { "a b" = { spot = 0.1 } }',
            ["[prices]: pools.a b: must be the id of a pool: 1 to 64 letters, digits, - or _"],
        ),
        ('[prices]\ncurrency = "USD"\npools = 3', ["[prices]: pools: must be a table, not 3"]),
    ],
)
def test_a_mistake_is_told_with_its_place_and_stops_no_schedule(text: str, told: list[str]) -> None:
    """Prices are for reading alone: what runs does not depend on them."""
    text = f"{text}\n{PLAIN}" if text.startswith("prices =") else f"{PLAIN}\n{text}"
    document = parse(text)

    assert [str(problem) for problem in document.problems] == told
    assert document.prices is None
    assert document.schedules.keys() == {"plain-1"}
    assert document.invalid == frozenset()


def test_a_misspelt_table_is_recognised() -> None:
    """As those of schedules are."""
    with pytest.raises(Exception, match="pricse: unknown; did you mean 'prices'"):
        parse(PLAIN + '[pricse]\ncurrency = "USD"')


@pytest.mark.parametrize(
    "text",
    [
        '[prices]\ncurrency = "usd"\nspot = 0.1',
        '[prices]\ncurrency = "USD"\nspot = -0.1',
        '[prices]\ncurrency = "USD"\nspot = 10001',
        "[prices]\nspot = 0.1",
        '[prices]\ncurrency = "USD"\n[prices.pools.a]',
    ],
)
def test_the_schema_refuses_what_the_document_refuses(text: str) -> None:
    """And takes what it takes."""
    schema = Draft202012Validator(json_schema())

    assert [*schema.iter_errors(_as_json(PLAIN + text))] != []
    assert [*schema.iter_errors(_as_json(PLAIN + PRICES))] == []


def _as_json(text: str) -> object:
    return json.loads(json.dumps(read(text)))
