"""Time zones, from the pinned tzdata alone."""

import pytest

from orchestrator.errors import ScheduleSyntaxError
from orchestrator.timing.zones import parse_zone


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "", "../etc/passwd", "EST", "EST5EDT", "Factory", "Europe/"]
)
def test_a_bad_zone_is_refused(zone: str) -> None:
    """Only IANA names are zones."""
    with pytest.raises(ScheduleSyntaxError, match="no time zone"):
        parse_zone(zone)
