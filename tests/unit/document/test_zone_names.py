"""Time zones as people write them."""

import pytest

from orchestrator.document.zone_names import check_zone
from orchestrator.errors import ScheduleSyntaxError


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("America/Montreel", "did you mean 'America/Montreal'"),
        ("GMT+1", "an offset is no zone"),
        ("+02:00", "an offset is no zone"),
        ("EST5", "did you mean 'America/New_York'"),
        ("america/new_york", "did you mean 'America/New_York'"),
        ("New York", "did you mean 'America/New_York'"),
        ("Paris", "did you mean 'Europe/Paris'"),
        ("Eastern Standard Time", "did you mean 'America/New_York'"),
        ("W. Europe Standard Time", "did you mean 'Europe/Berlin'"),
        ("EST", "did you mean 'America/New_York'"),
        ("cet", "did you mean 'Europe/Paris'"),
        ("utc", "did you mean 'UTC'"),
        ("Mars/Olympus", "such as 'Europe/Paris'"),
        ("Factory", "there is no time zone 'Factory'"),
        ("../etc/passwd", "no time zone"),
        ("", "no time zone"),
    ],
)
def test_a_zone_of_another_kind_is_told_with_the_iana_name(name: str, says: str) -> None:
    """Abbreviations, names of Windows, places, slips."""
    with pytest.raises(ScheduleSyntaxError, match=says):
        check_zone(name)


def test_a_zone_is_taken_by_its_name() -> None:
    """As the pinned database spells it."""
    for name in ("UTC", "Europe/Paris", "America/Argentina/Ushuaia", "Etc/GMT+5"):
        check_zone(name)
