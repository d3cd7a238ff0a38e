"""Lengths of time: as the document has them, and as others write them."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.document.durations import (
    SCHEMA_PATTERN,
    duration_hint,
    foreign_duration,
    parse_duration,
    spelt,
)
from orchestrator.document.parse import parse
from tests.support.documents import table


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("1h30m", 5400),
        ("1d12h", 129_600),
        ("1w", 604_800),
        ("2w1d3h4m5s", 1_307_045),
        ("PT30M", 1800),
        ("P1D", 86_400),
        ("P1W", 604_800),
        ("P1W2DT3H", 788_400),
        ("PT1H30M5S", 5405),
        ("PT0S", 0),
    ],
)
def test_a_duration_is_iso_8601_or_short(text: str, seconds: int) -> None:
    """Weeks, and several units in one, too."""
    assert parse_duration(text) == timedelta(seconds=seconds)
    assert re.match(SCHEMA_PATTERN, text)


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "1", "h", "30m1h", "1h 30m", "1.5h", "P1M", "P1Y", "pt30m", "1H", "-1h", "٣h", "P1DT", "1h30"],
)  # fmt: skip
def test_what_is_unclear_is_no_duration(text: str) -> None:
    """Editors say so by the same pattern."""
    assert parse_duration(text) is None
    assert not re.match(SCHEMA_PATTERN, text)


def test_a_sum_that_is_too_long_is_the_longest() -> None:
    """The bounds of each key refuse it with what would be right."""
    assert parse_duration("999999w999999999d") == timedelta.max
    (problem,) = parse(table(run_timeout='"999999w999999999d"')).problems
    assert "180 days" in str(problem)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1.5h", 'write "1h30m"'),
        ("PT1.5H", 'write "1h30m"'),
        ("pt30m", 'write "30m"'),
        ("1H", 'write "1h"'),
        ("1h 30m", 'write "1h30m"'),
        ("2 hours, 5 minutes", 'write "2h5m"'),
        ("30 min", 'write "30m"'),
        ("01:30:00", 'write "1h30m"'),
        ("1.00:00:00", 'write "1d"'),
        ("1500ms", None),
        ("2000ms", 'write "2s"'),
        ("P1M", "months and years have no fixed length: use weeks or days, or cron"),
        ("1 month", "months and years have no fixed length: use weeks or days, or cron"),
        ("P1Y", "months and years have no fixed length: use weeks or days, or cron"),
        ("half an hour", None),
        ("5 apples", None),
        ("PT1.5.5H", None),
        ("PT.H", None),
        ("9" * 9000 + "h", None),
        ("1,", None),
        ("999999999w", None),
    ],
)
def test_another_form_is_told_with_ours(text: str, says: str | None) -> None:
    """Where it can mean one thing only."""
    assert duration_hint(text) == says
    (problem,) = parse(table(run_timeout=f'"{text}"')).problems
    assert problem.message.startswith('must be a duration such as "PT30M"')
    assert problem.message.endswith(f"; {says}") == (says is not None)


def test_a_bare_number_is_told_with_its_units() -> None:
    """Which of them is meant is not clear."""
    (problem,) = parse(table(run_timeout="3600")).problems

    assert problem.message.endswith(
        'not 3600; write "3600s" if seconds are meant, "3600m" if minutes'
    )


@given(st.integers(1, 10**9))
def test_what_is_spelt_is_read_again(seconds: int) -> None:
    """The short form says the same."""
    length = timedelta(seconds=seconds)
    assert parse_duration(spelt(length)) == foreign_duration(spelt(length)) == length
