"""When the thin host finds a timer due: the rules of the Functions host."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.errors import LocalError
from local.host.timers import (
    Ncrontab,
    ScheduleStatus,
    status_after_run,
    status_at_start,
    timer_input,
)

_HOURLY = Ncrontab("0 0 * * * *")
_EXPRESSIONS = ("0 * * * * *", "30 * * * * *", "*/2 * * * * *", "*/5 * * * *", "0 30 4 * * 1-5")

instants = st.integers(1_780_000_000_000, 1_900_000_000_000).map(
    lambda milliseconds: datetime.fromtimestamp(milliseconds / 1000, UTC)
)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _status(last: str | None, following: str, updated: str) -> ScheduleStatus:
    return ScheduleStatus(
        last=_at(last) if last else None, next=_at(following), last_updated=_at(updated)
    )


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("0 * * * * *", "2026-11-23T05:42:59.999", "2026-11-23T05:43:00"),
        ("0 * * * * *", "2026-11-23T05:43:00", "2026-11-23T05:44:00"),
        ("30 * * * * *", "2026-11-23T05:43:00.5", "2026-11-23T05:43:30"),
        ("*/2 * * * * *", "2026-11-23T05:43:58", "2026-11-23T05:44:00"),
        ("*/5 * * * *", "2026-11-23T05:43:00", "2026-11-23T05:45:00"),
        ("0 30 4 * * 1-5", "2026-11-20T05:00:00", "2026-11-23T04:30:00"),
    ],
)
def test_an_expression_has_five_fields_or_six_with_the_seconds_first(
    expression: str, after: str, expected: str
) -> None:
    """The next occurrence is later than the instant asked about, never equal."""
    assert Ncrontab(expression).after(_at(after)) == _at(expected)


@pytest.mark.parametrize(
    "expression",
    ["", "* * * *", "61 * * * * *", "0 0 0 30 2 *", "00:05:00", "0 0 0 L * *", "0 0 0 * * 1#2",
     "0 0 0 1 * MON"],
)  # fmt: skip
def test_what_ncrontab_does_not_know_or_reads_otherwise_is_refused(expression: str) -> None:
    """Nothing fires at another time than it would on Azure."""
    with pytest.raises(LocalError):
        Ncrontab(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/5 * * * * *", True),
        ("10,20,45 * * * * *", True),
        ("0 */5 * * * *", False),
        ("0 30 * * * *", False),
        ("* 30 * * * *", False),
        ("0 * * * * *", False),
        ("30 * * * * *", False),
        ("* 1-5 * * * *", False),
        ("* * 12 * * Mon", False),
        ("* * * * *", False),
    ],
)
def test_only_what_fires_more_than_once_in_every_minute_goes_unmonitored(
    expression: str, expected: object
) -> None:
    """The rows are the Functions host's own."""
    assert Ncrontab(expression).more_than_once_a_minute is expected


def test_a_new_timer_waits_for_its_next_occurrence() -> None:
    """The first start is never past due."""
    started = status_at_start(_HOURLY, None, _at("2026-11-23T05:10:00"))

    assert started == _status(None, "2026-11-23T06:00:00", "2026-11-23T05:10:00")


def test_a_run_missed_while_stopped_makes_the_timer_past_due_once() -> None:
    """However many were missed: the status after the past-due run points into the future."""
    stored = _status("2026-11-23T05:00:00.2", "2026-11-23T06:00:00", "2026-11-23T05:00:00.2")
    now = _at("2026-11-23T09:10:00")

    started = status_at_start(_HOURLY, stored, now)

    assert started.next < now
    assert status_after_run(_HOURLY, now).next == _at("2026-11-23T10:00:00")


def test_a_run_missed_before_the_first_one_makes_the_timer_past_due_too() -> None:
    """What was stored at the first start is enough."""
    stored = _status(None, "2026-11-23T06:00:00", "2026-11-23T05:10:00")

    assert status_at_start(_HOURLY, stored, _at("2026-11-23T06:00:01")) == stored


def test_a_changed_expression_starts_anew_and_can_swallow_an_occurrence() -> None:
    """The stored `next` belongs to the old expression: it makes nothing past due."""
    stored = _status("2026-11-23T05:00:00", "2026-11-23T05:05:00", "2026-11-23T05:00:00")

    later = status_at_start(_HOURLY, stored, _at("2026-11-23T05:30:00"))
    much_later = status_at_start(_HOURLY, stored, _at("2026-11-23T06:30:00"))

    assert later == _status(None, "2026-11-23T06:00:00", "2026-11-23T05:00:00")
    assert much_later == _status(None, "2026-11-23T07:00:00", "2026-11-23T05:00:00")


@given(expression=st.sampled_from(_EXPRESSIONS), now=instants, gap=st.integers(0, 10**7))
def test_a_stored_status_is_read_back_as_it_was(expression: str, now: datetime, gap: int) -> None:
    """A restart with an unchanged expression is past due exactly if the next run is in the past."""
    schedule = Ncrontab(expression)
    stored = ScheduleStatus.from_json(status_after_run(schedule, now).to_json())
    restarted = now + timedelta(milliseconds=gap)

    assert stored == status_after_run(schedule, now)
    assert status_at_start(schedule, stored, restarted) == stored


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Last": 1, "Next": 1, "LastUpdated": 1}'])
def test_another_json_is_no_status(text: str) -> None:
    """A blob that something else wrote is not taken for a status."""
    with pytest.raises(ValueError):  # noqa: PT011 - JSONDecodeError is one of them
        ScheduleStatus.from_json(text)


def test_a_status_written_by_the_real_host_is_understood() -> None:
    """Seven decimals, an offset, the year 1 for never."""
    status = ScheduleStatus.from_json(
        '{"Last":"0001-01-01T00:00:00","Next":"2026-11-23T06:00:00+00:00",'
        '"LastUpdated":"2026-11-23T00:40:00.1234567-05:00"}'
    )

    assert status == _status(None, "2026-11-23T06:00:00", "2026-11-23T05:40:00.123456")


def test_the_input_has_the_host_s_keys() -> None:
    """Without a monitor the status is null."""
    assert timer_input(past_due=True, status=None) == (
        '{"Schedule": {"AdjustForDST": true}, "ScheduleStatus": null, "IsPastDue": true}'
    )
