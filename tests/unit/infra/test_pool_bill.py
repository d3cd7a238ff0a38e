"""The tables of the bill in docs/costs.md, and what is claimed of our formula in them."""

from dataclasses import replace

import pytest

from bench.bill_tables import PAGE, Bill, read_rows, rows_of, with_tables
from bench.pool_bill import broken_claims, verdict
from bench.pool_formulas import OURS, Compared, our_formulas
from bench.pool_scenarios import IDLE, MOST_NODES, SCENARIOS

DEPLOYED, WITH_MORE_NODES = our_formulas(MOST_NODES)
MONTHS = (*SCENARIOS, IDLE)
ONE = Bill(
    node_minutes=130,
    kept_minutes=20,
    useful_minutes=100,
    cold_starts=3,
    idle_starts=0,
    for_nothing=0,
    cut=0,
    runs=3,
    unserved=0,
    waiting_minutes=8,
)


def test_claims_that_do_not_hold_are_named() -> None:
    """Of formulas that start nodes without a task, cut runs or leave more unserved, nothing is claimed."""
    months = [month.name for month in MONTHS]
    ours = dict.fromkeys(months, ONE)
    cheap = dict.fromkeys(months, replace(ONE, node_minutes=105, kept_minutes=0))
    assert broken_claims({OURS: ours, "other": dict.fromkeys(months, ONE)}) == []

    broken = broken_claims({OURS: ours, "other": cheap})
    assert broken[0] == "nightly: 1.100 is more than 1.050 of other"
    assert len(broken) == len(months)
    for change in ({"idle_starts": 1}, {"cut": 1}, {"unserved": 1}):
        worse = {**cheap, "nightly": replace(cheap["nightly"], **change)}
        assert broken_claims({OURS: ours, "other": worse}) == []
    bad = {**ours, "bursts": replace(ONE, cut=2)}
    assert broken_claims({OURS: bad}) == ["Recur: 0 nodes without a task, 2 tasks cut"]


def test_claims_that_were_not_checked_are_not_said_to_hold() -> None:
    """Without our formula, or without another one, nothing was compared."""
    ours = dict.fromkeys((month.name for month in MONTHS), ONE)

    assert verdict({"other": ours}) == ("no claim was checked: our formula was left out", False)
    assert verdict({OURS: ours})[0].startswith("nothing to compare with")
    assert verdict({OURS: ours, "other": ours}) == (
        "the claims hold; other formulas: 1",
        False,
    )
    cheap = dict.fromkeys(ours, replace(ONE, node_minutes=105, kept_minutes=0))
    assert verdict({OURS: ours, "other": cheap})[1]


def test_rows_are_written_and_others_stay() -> None:
    """A formula that is rehearsed again replaces its row alone."""
    page = PAGE.read_text()
    months = dict.fromkeys((month.name for month in MONTHS), ONE)

    written = with_tables(page, rows_of({"new": months}))

    for name in ("minutes", "counts"):
        before, after = read_rows(page, name), read_rows(written, name)
        assert {**before, "new": after["new"]} == after
    assert with_tables(written, rows_of({"new": months})) == written
    with pytest.raises(ValueError, match="the page must hold"):
        with_tables("# nothing", rows_of({"new": months}))


def test_formulas_ask_for_spot_nodes() -> None:
    """Ours by its own switch; others by the names of the variables, unless they do already."""
    assert "spot = 1;" in DEPLOYED.on_spot()
    assert f"maxNodes = {MOST_NODES};" in WITH_MORE_NODES.text
    dedicated = Compared("a", "$TargetDedicatedNodes = $CurrentDedicatedNodes;")
    assert dedicated.on_spot() == "$TargetLowPriorityNodes = $CurrentLowPriorityNodes;"
    spot = Compared("b", "$TargetLowPriorityNodes = 1; $TargetDedicatedNodes = 0;")
    assert spot.on_spot() == spot.text
