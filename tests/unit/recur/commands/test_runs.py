"""`recur runs` shows people what differs: equal skips share a row, failures have their exit code."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import cast

from rich.console import Console

from orchestrator.enums import Outcome, Reason
from orchestrator.ids import RunId
from orchestrator.ledger.record import Action, Record
from recur.commands.runs import show_runs
from recur.context import Context
from recur.ledger_reader.record_search import FoundRecord
from recur.output import Printer
from tests.support.records import claimed, decided, missed, ran

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BLOCKER = RunId("nightly-20261123T000000Z")


def at(hour: int) -> datetime:
    return NOON - timedelta(hours=12 - hour)


def shown(records: Sequence[Record], *, width: int | None = None) -> list[list[str]]:
    """Return the cells of the rows that people get, the heading first."""
    output = Printer()
    output.people = Console(
        file=StringIO(),
        width=width,
        force_terminal=width is not None,
        soft_wrap=True,
        highlight=False,
    )
    lines = [
        FoundRecord(record=one, is_open=one.outcome is None and bool(one.attempts))
        for one in records
    ]
    show_runs(Context(settings=None, output=output, zone=UTC), lines, NOON)
    told = cast("StringIO", output.people.file).getvalue().splitlines()
    return [[one for one in line.split("  ") if one.strip()] for line in told]


def skipped(hour: int, because: RunId | None = BLOCKER, reason: str = "overlap") -> Record:
    return decided(at(hour), Action.SKIPPED, reason=reason, because=because)


def test_equal_neighbours_that_did_not_run_share_a_row() -> None:
    """Named after the newest, with how many they are and the run that was in the way."""
    records = [ran(at(9)), *(skipped(hour) for hour in (8, 7, 6)), skipped(5, None, "paused")]

    heading, *rows = shown(records)

    assert [one.strip() for one in heading] == [
        "RUN",
        "NOMINAL",
        "LATE",
        "STATE",
        "REASON",
        "BEHIND",
        "TOOK",
    ]
    assert [[cell.strip() for cell in row] for row in rows[1:]] == [
        [
            "nightly-20261123T080000Z",
            "2026-11-23 08:00Z",
            "-",
            "skipped ×3",
            "overlap",
            BLOCKER,
            "-",
        ],
        ["nightly-20261123T050000Z", "2026-11-23 05:00Z", "-", "skipped", "paused", "-", "-"],
    ]


def test_only_neighbours_share_a_row() -> None:
    """What ran in between stays in its place, and so does what is open."""
    assert len(shown([skipped(8), ran(at(7)), skipped(6)])) == 4
    assert len(shown([claimed(at(8)), claimed(at(7))])) == 3
    assert len(shown([skipped(8), skipped(7, RunId("nightly-20261122T000000Z"))])) == 3


def test_a_range_counts_what_it_stands_for() -> None:
    """Also beside another."""
    records = [missed(at(7), at(8), 2), missed(at(1), at(6), 6)]

    assert any("missed ×8" in cell for cell in shown(records)[1])


def test_a_run_that_failed_shows_its_exit_code() -> None:
    """A run that succeeded has none to show."""
    failed = ran(at(9), Outcome.FAILED, Reason.EXIT_CODE)

    heading, first, second = shown([failed, ran(at(8))])

    assert first[3].strip() == "failed (3)"
    assert second[3].strip() == "succeeded"
    assert "BEHIND" not in "".join(heading)


def test_at_80_columns_run_time_and_state_are_there() -> None:
    """What explains less is left out."""
    record = ran(at(9), Outcome.FAILED, Reason.EXIT_CODE)

    (heading, _) = shown([record], width=80)

    for name in ("RUN", "NOMINAL", "STATE", "REASON"):
        assert name in " ".join(heading)


def test_at_80_columns_the_run_that_was_in_the_way_is_named_below_the_table() -> None:
    """Once, with how many it was in the way of; two ids do not fit in a row."""
    records = [*(skipped(hour) for hour in (8, 7, 6)), ran(at(5)), skipped(4), skipped(3, None)]

    told = shown(records, width=80)

    assert "BEHIND" not in "".join(told[0])
    assert told[-1] == [f"skipped ×4, behind {BLOCKER}"]
    assert len(shown(records)) == len(told) - 1, "where there is room the table has it"
