"""Times as people read them: in one zone, and by their distance."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from orchestrator.timing.zones import parse_zone
from recur.formats import ago, local

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
