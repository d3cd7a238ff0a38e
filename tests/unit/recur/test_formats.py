"""Times as people read them: in one zone, and by their distance."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from orchestrator.timing.zones import parse_zone
from recur.formats import age, ago, local

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(180, "3 min ago"), (-7500, "in 2 h 5 min"), (0.5, "now"), (-0.5, "now"), (1, "1 s ago")],
)
def test_a_distance_says_its_direction(seconds: float, text: str) -> None:
    """Past or future."""
    assert ago(NOW - timedelta(seconds=seconds), NOW) == text


def test_a_time_has_the_offset_of_its_zone() -> None:
    """Without a zone, of the terminal's."""
    assert local(NOW, parse_zone("America/Montreal")) == "2026-11-23 02:00-05:00"
    assert local(NOW, UTC) == local(NOW, parse_zone("UTC")) == "2026-11-23 07:00Z"
    here = NOW.astimezone().utcoffset()
    assert here is not None
    assert local(NOW, None) == local(NOW, timezone(here) if here else UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (59, "59 s"),
        (460, "7 min 40 s"),
        (1439, "23 min"),
        (3900, "1 h 5 min"),
        (46_000, "12 h"),
        (435_600, "5 d 1 h"),
        (1_000_000, "11 d"),
    ],
)
def test_an_age_is_no_more_exact_than_is_of_use(seconds: int, text: str) -> None:
    """A second unit stands where the first is small; what is to come is no age below zero."""
    assert age(timedelta(seconds=seconds)) == text
