"""Times as operators type them mean one instant, or are refused with the two that they may mean."""

from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from orchestrator.ids import ScheduleId
from orchestrator.ledger.request import Request, RequestKind, dump_request, load_request
from orchestrator.timing.zones import parse_zone
from recur.errors import CliError, Exit
from recur.times import parse_past_time, parse_time

NEW_YORK = parse_zone("America/New_York")
CAIRO = parse_zone("Africa/Cairo")
HAVANA = parse_zone("America/Havana")
APIA = parse_zone("Pacific/Apia")
NOW = datetime(2026, 11, 23, 4, 30, 15, tzinfo=UTC)  # 23:30:15 of the day before in New York


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
    assert parse_time(text, zone, name="--from", now=NOW) == utc(instant)


@pytest.mark.parametrize(
    ("text", "said", "instead"),
    [
        ("2026-11-01T01:30", "comes twice", "2026-11-01T01:30-04:00 or 2026-11-01T01:30-05:00"),
        (
            "2026-03-08T02:30",
            "does not exist",
            "write 2026-03-08T03:00-04:00, the first time after",
        ),
        ("soon", "is not a time", "2026-11-01T02:30-05:00"),
        ("24:00", "is not a time", "22:38"),
        ("99999w", "out of range", "after the year 1970"),
        ("", "is not a time", "2026-11-01T02:30-05:00"),
        ("0001-01-01T00:00+14:00", "out of range", "after the year 1970"),
        ("1970-12-31", "out of range", "after the year 1970"),
        ("9999-12-31", "out of range", "before 2200"),
    ],
)
def test_a_time_that_is_none_or_two_is_refused(text: str, said: str, instead: str) -> None:
    """With what to write instead."""
    with pytest.raises(CliError) as refused:
        parse_time(text, NEW_YORK, name="--from", now=NOW)

    assert refused.value.code is Exit.USAGE
    assert said in refused.value.message
    assert "--from" in refused.value.message
    assert instead in (refused.value.next_step or "")


@pytest.mark.parametrize(
    ("text", "last", "next_"),
    [
        ("now", "2026-11-23T04:30:15", "2026-11-23T04:30:15"),
        ("1h", "2026-11-23T03:30:15", "2026-11-23T05:30:15"),
        ("1h30m", "2026-11-23T03:00:15", "2026-11-23T06:00:15"),
        ("today", "2026-11-22T05:00", "2026-11-22T05:00"),
        ("yesterday", "2026-11-21T05:00", "2026-11-21T05:00"),
        ("tomorrow", "2026-11-23T05:00", "2026-11-23T05:00"),
        ("22:38", "2026-11-23T03:38", "2026-11-24T03:38"),
        ("23:31", "2026-11-22T04:31", "2026-11-23T04:31"),
        ("23:30:15", "2026-11-23T04:30:15", "2026-11-24T04:30:15"),
        ("6:05", "2026-11-22T11:05", "2026-11-23T11:05"),
    ],
)
def test_a_time_may_be_counted_from_now(text: str, last: str, next_: str) -> None:
    """Days and times of day are those of the zone; back, or ahead where a time to come is asked for."""
    assert parse_time(text, NEW_YORK, name="--since", now=NOW) == utc(last)
    assert parse_time(text, NEW_YORK, name="--until", now=NOW, ahead=True) == utc(next_)


@pytest.mark.parametrize(
    ("text", "now", "last", "next_"),
    [
        # First pass of the hour that comes twice.
        ("01:30", "2026-11-01T05:45", "2026-11-01T05:30", "2026-11-01T06:30"),
        # Second pass.
        ("01:30", "2026-11-01T06:15", "2026-11-01T05:30", "2026-11-01T06:30"),
        ("00:30", "2026-11-01T06:15", "2026-11-01T04:30", "2026-11-02T05:30"),
        ("02:30", "2026-11-01T06:15", "2026-10-31T06:30", "2026-11-01T07:30"),
    ],
)
def test_a_time_of_day_is_the_nearest_where_the_clock_is_put_back(
    text: str, now: str, last: str, next_: str
) -> None:
    """Within the hour that comes twice, now decides which of the two is meant."""
    at = utc(now)

    assert parse_time(text, NEW_YORK, name="--since", now=at) == utc(last)
    assert parse_time(text, NEW_YORK, name="--until", now=at, ahead=True) == utc(next_)


@pytest.mark.parametrize(
    ("now", "ahead"), [("2026-11-01T15:00", False), ("2026-11-01T05:15", True)]
)
def test_a_time_of_day_with_two_instants_on_one_side_of_now_is_refused(
    now: str, ahead: bool
) -> None:
    """Both are named."""
    with pytest.raises(CliError, match="comes twice") as refused:
        parse_time("01:30", NEW_YORK, name="--since", now=utc(now), ahead=ahead)

    assert "2026-11-01T01:30-04:00 or 2026-11-01T01:30-05:00" in (refused.value.next_step or "")


def test_a_past_time_is_at_most_now() -> None:
    """Up to now it is an instant; one second later it is refused with what to write."""
    assert parse_past_time("now", None, name="--since", now=NOW) == NOW

    with pytest.raises(CliError, match="is in the future: it is 2026-11-23T04:30:15Z") as refused:
        parse_past_time("2026-11-23T04:30:16Z", None, name="--since", now=NOW)

    assert refused.value.code is Exit.USAGE
    assert "yesterday" in (refused.value.next_step or "")


@pytest.mark.parametrize("text", ["yesterday", "22:38"])
def test_a_time_of_a_wall_clock_needs_a_zone_too(text: str) -> None:
    """A duration needs none."""
    with pytest.raises(CliError, match="schedule's time zone is not known"):
        parse_time(text, None, name="--since", now=NOW)

    assert parse_time("1h", None, name="--since", now=NOW) == NOW - timedelta(hours=1)


@pytest.mark.parametrize("zone", [APIA, NEW_YORK])
@pytest.mark.parametrize("text", ["1971-01-01", "1999-12-31T23:59", "2199-12-31T23:59"])
def test_every_time_that_is_taken_can_stand_in_a_request(text: str, zone: tzinfo) -> None:
    """The tick can read what was asked for, up to both ends."""
    time = parse_time(text, zone, name="--from", now=NOW)
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
    with pytest.raises(CliError, match="schedule's time zone is not known") as refused:
        parse_time("2026-11-01T02:30", None, name="--to", now=NOW)

    assert "offset" in (refused.value.next_step or "")
