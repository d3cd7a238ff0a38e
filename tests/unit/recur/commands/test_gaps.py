"""`recur gaps` says "no gap" only where nothing is wrong."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from recur.commands.gaps import summary
from recur.ledger_reader.coverage import Coverage, RangeRecord, Short
from tests.support.records import NIGHTLY

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WHOLE = Coverage(
    schedule=NIGHTLY,
    planned=40,
    gaps=(),
    short=(),
    doubled=(),
    unlisted=(),
    overdue=(),
    unplanned=(),
)
SHORT = Short(span=RangeRecord(first=NOON, last=NOON, count=1, blob="b"), bare=2)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, "no gap"),
        ({"gaps": (NOON, NOON)}, "2 gap(s)"),
        ({"gaps": (NOON,), "short": (SHORT,)}, "2 gap(s)"),
        ({"overdue": (NOON, NOON, NOON)}, "3 overdue and undecided"),
        (
            {"doubled": (NOON,), "unlisted": (NOON,)},
            "1 with more than one record, 1 ignored by ticks",
        ),
    ],
)
def test_the_last_line_counts_what_is_wrong(found: dict[str, Any], said: str) -> None:
    """Of each kind."""
    coverage = replace(WHOLE, **found)

    line = summary([WHOLE, coverage])

    assert line == f"80 occurrences of 2 schedule(s) were decided; {said}"
    assert line.endswith("no gap") is coverage.whole
