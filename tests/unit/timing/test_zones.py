"""Time zones, from the pinned tzdata alone."""

from datetime import datetime, timedelta

import pytest

from orchestrator.errors import ScheduleSyntaxError
from orchestrator.timing.zones import parse_zone, zone_names


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe/"])
def test_a_bad_zone_is_refused(zone: str) -> None:
    """Only IANA names are zones."""
    with pytest.raises(ScheduleSyntaxError) as refused:
        parse_zone(zone)
    assert str(refused.value) == f"there is no time zone {zone!r}"


@pytest.mark.parametrize("zone", ["EST", "EST5EDT", "GMT", "Factory"])
def test_an_abbreviation_exists_and_is_not_taken(zone: str) -> None:
    """It means what nobody expects: EST has no summer time."""
    assert zone in zone_names()
    with pytest.raises(
        ScheduleSyntaxError, match=f"time zone '{zone}' is not accepted: name an area"
    ):
        parse_zone(zone)


@pytest.mark.parametrize(
    ("zone", "hours"),
    [
        ("UTC", 0),
        ("Europe/Paris", 2),
        ("America/Argentina/Ushuaia", -3),
        ("Etc/GMT+5", -5),
        ("America/Port-au-Prince", -4),
    ],
)
def test_a_zone_is_that_of_the_pinned_data(zone: str, hours: int) -> None:
    """It tells its name and the offset of an instant."""
    found = parse_zone(zone)
    assert str(found) == zone
    assert datetime(2026, 6, 1, tzinfo=found).utcoffset() == timedelta(hours=hours)
    assert parse_zone(zone) is found


def test_every_name_of_the_data_is_known() -> None:
    """Also those that are no zones for schedules."""
    assert {"UTC", "EST", "Factory", "Europe/Paris"} <= zone_names()
    assert "zones" not in zone_names()
