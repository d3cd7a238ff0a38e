"""A length of time reads the same wherever it stands."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.duration_text import duration_text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(), "0 s"),
        (timedelta(seconds=0.4), "0 s"),
        (timedelta(seconds=30), "30 s"),
        (timedelta(seconds=59.6), "1 min"),
        (timedelta(minutes=5, seconds=49.300005), "5 min 49 s"),
        (timedelta(hours=2, minutes=5, seconds=59), "2 h 5 min"),
        (timedelta(hours=6), "6 h"),
        (timedelta(days=1, minutes=5), "1 d"),
        (timedelta(days=7, hours=23), "7 d 23 h"),
        (timedelta(seconds=-90), "-1 min 30 s"),
        (90, "1 min 30 s"),
    ],
)
def test_a_length_has_two_units_at_most(length: timedelta | float, text: str) -> None:
    """The second one is the next smaller unit, or is left out."""
    assert duration_text(length) == text


@given(st.timedeltas())
def test_a_length_never_looks_like_a_time_of_day(length: timedelta) -> None:
    """Whatever its size."""
    assert re.fullmatch(r"-?\d+ (d|h|min|s)( \d+ (h|min|s))?", duration_text(length))
