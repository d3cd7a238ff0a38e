"""docs/costs.md shows what the product does: its document, and what `recur costs` says."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.decisions.costs import with_cost
from orchestrator.document.parse import parse
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Record
from orchestrator.model import Prices
from tests.support.history_world import Past, past
from tests.support.records import TASK, ran

__all__ = ["past"]

PAGE = (Path(__file__).parents[3] / "docs/costs.md").read_text()
BOOT = timedelta(minutes=10)
(DOCUMENT,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
((TYPED, TOLD),) = re.findall(
    r"^```console\n\$ recur (.+?)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE
)


def november(prices: Prices) -> Iterator[Record]:
    """Yield 20 nights on dedicated nodes and 4 Sundays on Spot nodes, each on a node of its own."""
    for day in range(1, 25):
        nightly = day > 4
        nominal = datetime(2026, 11, day, 7, tzinfo=UTC)
        length = timedelta(minutes=45) if nightly else timedelta(hours=5)
        record = ran(nominal, schedule=ScheduleId("nightly-report" if nightly else "weekly-model"))
        attempt = replace(
            record.attempt,
            pool="recur",
            node=f"tvmps_{day}_{'d' if nightly else 'p'}",
            node_allocated=nominal - BOOT,
            started=nominal,
            finished=nominal + length,
            task_seconds=length.total_seconds(),
            slot_share=1.0,
        )
        task = replace(TASK, prices=prices)
        yield with_cost(replace(record.with_attempt(attempt), task=task))


def test_the_page_shows_what_the_command_says(past: Past) -> None:
    """To the letter, by the prices of its own document."""
    document = parse(DOCUMENT)
    assert document.problems == ()
    assert document.prices is not None
    past.put(*november(document.prices))

    assert past.recur(*TYPED.split()).out == TOLD


def test_the_page_names_every_key_of_the_result(past: Past) -> None:
    """And no other."""
    document = parse(DOCUMENT)
    assert document.prices is not None
    past.put(*november(document.prices))

    told = past.recur("--json", *TYPED.split()).json

    _, _, part = PAGE.partition("| `month` |")
    named = set(re.findall(r"`([a-z_]+)`", f"`month`{part}")) - {"dedicated", "spot"}
    given = {*told, *told["schedules"][0], *told["pools"][0]}
    assert named == given
