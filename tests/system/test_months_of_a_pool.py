"""The bill of docs/costs.md: its numbers are rehearsed, and what is claimed of our formula holds."""

from dataclasses import replace

import pytest

from batch_emulator.formula import parse_formula
from bench.bill_tables import PAGE, read_rows, rows_of
from bench.pool_bill import bill
from bench.pool_formulas import OURS, Compared, our_formulas
from bench.pool_scenarios import IDLE, MOST_NODES, SCENARIOS, Scenario
from tests.support.breadth import everything

# The last formula of the article from which this product grew.
ARTICLE = parse_formula(
    "avgPendingTasks = avg($PendingTasks.GetSample(2*TimeInterval_Minute));"
    "$TargetLowPriorityNodes = avgPendingTasks > 0 ? 1 : 0;"
)
DEPLOYED, _ = our_formulas(MOST_NODES)
MONTHS = (*SCENARIOS, IDLE)
TRIED = SCENARIOS if everything() else SCENARIOS[::3]


def cell(row: str, number: int) -> str:
    return row.split(" | ")[1 + number].removesuffix(" |")


@pytest.mark.parametrize("scenario", TRIED, ids=[one.name for one in TRIED])
def test_the_page_says_what_a_month_needs(scenario: Scenario) -> None:
    """Under the deployed formula, which starts no node without a task and cuts no run."""
    one = bill(DEPLOYED, scenario)
    made = rows_of({OURS: dict.fromkeys((month.name for month in MONTHS), one)})["minutes"]

    page = read_rows(PAGE.read_text(), "minutes")
    number = SCENARIOS.index(scenario)
    for name in (OURS, f"{OURS}, without its grace"):
        assert cell(page[name], number) == cell(made[name], number)
    assert (one.idle_starts, one.cut, one.for_nothing) == (0, 0, 0)


def test_an_idle_pool_whose_samples_are_missing_starts_no_node() -> None:
    """A whole month, with four of ten samples lost, from its creation on."""
    one = bill(DEPLOYED, IDLE)

    assert (one.node_minutes, one.idle_starts, one.ratio) == (0, 0, None)


def test_where_samples_arrive_soon_the_article_needs_more_than_ours_without_its_grace() -> None:
    """Its last version then starts a node for each night, and gives it up sooner than ours."""
    nightly = SCENARIOS[0]
    nodes = nightly.nodes.model_copy(update={"sample_delay_seconds": 25.0})
    soon = replace(nightly, nodes=nodes)

    ours, theirs = bill(DEPLOYED, soon), bill(Compared("article", ARTICLE.text), soon)

    assert (theirs.unserved, theirs.idle_starts, theirs.cut) == (0, 0, 0)
    assert ours.ratio_without_grace is not None
    assert theirs.ratio is not None
    assert ours.ratio is not None
    assert ours.ratio_without_grace < theirs.ratio < ours.ratio
