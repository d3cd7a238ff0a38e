"""Times as operators type them mean one instant, or are refused with the two that they may mean."""

from datetime import UTC, datetime, tzinfo

import pytest

from orchestrator.ids import ScheduleId
from orchestrator.ledger.request import Request, RequestKind, dump_request, load_request
from orchestrator.timing.zones import parse_zone
from recur.errors import CliError, Exit
from recur.times import parse_time

NEW_YORK = parse_zone("America/New_York")
CAIRO = parse_zone("Africa/Cairo")
HAVANA = parse_zone("America/Havana")
APIA = parse_zone("Pacific/Apia")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2026-11-23T07:30Z", None, "2026-11-23T07:30"),
        ("2026-11-23T02:30:15-05:00", CAIRO, "2026-11-23T07:30:15"),
        ("20261123T073000Z", None, "2026-11-23T07:30"),
        ("2026-11-23T02:30", NEW_YORK, "2026-11-23T07:30"),
        ("2026-11-23 02:30", NEW_YORK, "2026-11-23T07:30"),
        ("2026-11-23", NEW_YORK, "2026-11-23T05:00"),
        ("2026-04-24", CAIRO, "2026-04-23T22:00"),  # its midnight does not exist
        ("2025-11-02", HAVANA, "2025-11-02T04:00"),  # its midnight comes twice
        ("2011-12-30", APIA, "2011-12-30T10:00"),  # the whole day does not exist
    ],
)
def test_a_time_is_one_instant(text: str, zone: tzinfo | None, instant: str) -> None:
    """By its offset where it has one, else on the wall of the zone; a date is when it begins."""
    assert parse_time(text, zone, name="--from") == utc(instant)


@pytest.mark.parametrize(
    ("text", "said", "instead"),
    [
        ("2026-11-01T01:30", "comes twice", "2026-11-01T01:30-04:00 or 2026-11-01T01:30-05:00"),
        ("2026-03-08T02:30", "does not exist", "2026-03-08T03:30-04:00 or 2026-03-08T01:30-05:00"),
        ("yesterday", "is no time", "2026-11-01T02:30-05:00"),
        ("", "is no time", "2026-11-01T02:30-05:00"),
        ("0001-01-01T00:00+14:00", "too far away", "after the year 1970"),
        ("1970-12-31", "too far away", "after the year 1970"),
        ("9999-12-31", "too far away", "before 2200"),
    ],
)
def test_a_time_that_is_none_or_two_is_refused(text: str, said: str, instead: str) -> None:
    """With what to write instead."""
    with pytest.raises(CliError) as refused:
        parse_time(text, NEW_YORK, name="--from")

    assert refused.value.code is Exit.USAGE
    assert said in refused.value.message
    assert "--from" in refused.value.message
    assert instead in (refused.value.next_step or "")


@pytest.mark.parametrize("zone", [APIA, NEW_YORK])
@pytest.mark.parametrize("text", ["1971-01-01", "1999-12-31T23:59", "2199-12-31T23:59"])
def test_every_time_that_is_taken_can_stand_in_a_request(text: str, zone: tzinfo) -> None:
    """The tick can read what was asked for, up to both ends."""
    time = parse_time(text, zone, name="--from")
    request = Request(
        id="1",
        kind=RequestKind.BACKFILL,
        by="eva",
        schedule=ScheduleId("nightly"),
        after=time,
        until=time,
    )

    assert load_request(dump_request(request)) == request


def test_a_wall_time_needs_a_zone() -> None:
    """Where the zone is not known, nothing is guessed."""
    with pytest.raises(CliError, match="zone of the schedule is not known") as refused:
        parse_time("2026-11-01T02:30", None, name="--to")

    assert "offset" in (refused.value.next_step or "")
