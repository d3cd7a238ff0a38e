"""Time zones as people write them."""

import re
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest
from tzlocal.windows_tz import win_tz

from orchestrator.document.windows_zones import WINDOWS_ZONES
from orchestrator.document.zone_names import check_zone
from orchestrator.errors import ScheduleSyntaxError
from orchestrator.timing.zones import parse_zone


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("America/Montreel", "did you mean 'America/Montreal'"),
        ("GMT+1", "'Etc/GMT-1' is UTC.01:00 all year"),
        ("UTC-11", "'Etc/GMT.11' is UTC-11:00 all year"),
        ("+02:00", "an offset is not a time zone"),
        ("UTC+05:30", "such as 'Europe/Paris'$"),
        ("UTC+15", "such as 'Europe/Paris'$"),
        ("EST5", "did you mean 'America/New_York'"),
        ("america/new_york", "did you mean 'America/New_York'"),
        ("New York", "did you mean 'America/New_York'"),
        ("Paris", "did you mean 'Europe/Paris'"),
        ("Eastern Standard Time", "did you mean 'America/New_York'"),
        ("W. Europe Standard Time", "did you mean 'Europe/Berlin'"),
        ("Cape Verde Standard Time", "did you mean 'Atlantic/Cape_Verde'"),
        ("central daylight  time", "did you mean 'America/Chicago'"),
        ("Central Standard Time (Mexico)", "did you mean 'America/Mexico_City'"),
        ("Russia Time Zone 3", "did you mean 'Europe/Samara'"),
        ("(UTC-05:00) Eastern Time (US & Canada)", "did you mean 'America/New_York'"),
        ("(UTC+01:00) Amsterdam, Berlin, Rome, Vienna", "did you mean 'Europe/Vienna'"),
        ("EST", "did you mean 'America/New_York'"),
        ("ET", "did you mean 'America/New_York'"),
        ("cet", "did you mean 'Europe/Paris'"),
        ("utc", "did you mean 'UTC'"),
        ("America/San_Francisco", "did you mean 'America/Los_Angeles'"),
        ("Milan", "did you mean 'Europe/Rome'"),
        ("Boston", "did you mean 'America/New_York'"),
        ("Europe\\Berlin", "did you mean 'Europe/Berlin'"),
        ("Montreal, Canada", "did you mean 'America/Montreal'"),
        ("EAST", "such as 'Europe/Paris'$"),
        ("England", "such as 'Europe/Paris'$"),
        ("Mars/Olympus", "such as 'Europe/Paris'"),
        ("Factory", "time zone 'Factory' is not accepted: name an area and a place, or UTC"),
        ("../etc/passwd", "no time zone"),
        ("", "no time zone"),
    ],
)
def test_a_zone_of_another_kind_is_told_with_the_iana_name(name: str, says: str) -> None:
    """Abbreviations, names of Windows, places, slips."""
    with pytest.raises(ScheduleSyntaxError, match=says):
        check_zone(name)


@pytest.mark.parametrize(("windows", "iana"), win_tz.items())
def test_every_zone_of_windows_has_its_iana_name(windows: str, iana: str) -> None:
    """As CLDR has it, from a library that is made of it; an older name of a zone has its rules."""
    meant = WINDOWS_ZONES[windows]
    with (
        pytest.raises(ScheduleSyntaxError, match=f"'{re.escape(meant)}'")
        if meant != windows
        else nullcontext()
    ):
        check_zone(windows)

    assert same_rules(meant, iana)


def same_rules(one: str, other: str) -> bool:
    """Whether two zones have one offset in each week of three years."""
    zones = parse_zone(one), parse_zone(other) if other != "Etc/UTC" else UTC
    weeks = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(weeks=n) for n in range(156))
    return all(len({week.astimezone(zone).utcoffset() for zone in zones}) == 1 for week in weeks)


def test_a_name_of_a_thousand_letters_is_compared_with_none() -> None:
    """It is cut short in the message."""
    with pytest.raises(ScheduleSyntaxError) as caught:
        check_zone("Europe/" + "x" * 4_000_000)

    assert len(str(caught.value)) < 200


def test_a_zone_is_taken_by_its_name() -> None:
    """As the pinned database spells it."""
    for name in ("UTC", "Europe/Paris", "America/Argentina/Ushuaia", "Etc/GMT+5"):
        check_zone(name)
