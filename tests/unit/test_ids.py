"""Ids and blob names, and the way back from them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import ids
from orchestrator.ids import RunId, ScheduleId

NIGHTLY = ScheduleId("nightly")
RUN = RunId("nightly-20260601T120000Z")
TRIGGERED = RunId("nightly-m0123456789abcdef")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@given(
    st.from_regex(ids.SCHEDULE_ID, fullmatch=True),
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_a_run_id_is_parsed_back(schedule: str, nominal: datetime) -> None:
    """Also where one schedule's id begins another's."""
    nominal = nominal.replace(microsecond=0)
    run = ids.run_id(ScheduleId(schedule), nominal)

    assert ids.parse_run_id(run) == (schedule, nominal)
    assert ids.open_run_id(ids.open_blob(run)) == run
    assert len(ids.job_id(run, 99)) <= 64
    assert ids.open_run_id(f"open/request/{run}.json") is None


@pytest.mark.parametrize("time", ["00010101T000000Z", "19691231T235959Z", "99991231T235959Z"])
def test_what_no_schedule_reaches_is_no_run_id(time: str) -> None:
    """Whoever looks around such a time would leave the recurrence."""
    assert ids.parse_run_id(f"nightly-{time}") is None


def test_an_id_is_that_of_the_instant_whatever_its_offset() -> None:
    """The name is the lock: one instant, one name."""
    there = NOON.astimezone(timezone(timedelta(hours=-5)))
    assert ids.run_id(NIGHTLY, NOON) == ids.run_id(NIGHTLY, there) == RUN


def test_the_id_of_a_trigger_is_made_of_its_key() -> None:
    """It tells the schedule, and no time."""
    run = ids.trigger_id(NIGHTLY, "monday")
    assert run == ids.trigger_id(NIGHTLY, "monday") != ids.trigger_id(NIGHTLY, "tuesday")
    assert ids.parse_run_id(run) == (NIGHTLY, None)
    assert len(run) == len(NIGHTLY) + len("-m") + 16


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nightly",
        "Nightly-20260601T120000Z",
        "nightly-20260601T120000",
        "nightly-20260631T120000Z",
        "nightly-20260601T120000Z-r2",
        "nightly-m0123456789abcde",
        "nightly-m0123456789abcdeg",
    ],
)
def test_what_is_no_run_id_is_none(text: str) -> None:
    """A job id of a later attempt neither."""
    assert ids.parse_run_id(text) is None
    with pytest.raises(ValueError, match="run id"):
        ids.blob_of(RunId(text))


@pytest.mark.parametrize(("year", "known"), [(1969, 0), (1970, 1), (2200, 1), (2201, 0)])
def test_run_ids_lie_in_the_years_of_schedules(year: int, *, known: bool) -> None:
    """The first and the last year count."""
    parsed = ids.parse_run_id(f"nightly-{year}0601T120000Z")
    assert parsed == ((NIGHTLY, NOON.replace(year=year)) if known else None)


def test_each_blob_has_its_name() -> None:
    """The public layout of the ledger."""
    assert ids.open_blob(RUN) == "open/nightly-20260601T120000Z.json"
    assert ids.request_blob("a1") == "open/request/a1.json"
    assert ids.answer_blob("a1") == "answers/a1.json"
    assert ids.blob_of(RUN) == "runs/nightly/2026/06/nightly-20260601T120000Z.json"
    assert ids.blob_of(TRIGGERED) == "runs/nightly/triggered/nightly-m0123456789abcdef.json"
    assert ids.final_blob(NIGHTLY, NOON, RUN, count=2) == (
        "runs/nightly/2026/06/nightly-20260601T120000Z+2.json"
    )
    assert ids.output_prefix(NIGHTLY, NOON, RUN, 1) == "nightly/2026/06/nightly-20260601T120000Z/"
    assert ids.output_prefix(NIGHTLY, NOON, RUN, 2) == (
        "nightly/2026/06/nightly-20260601T120000Z/r2/"
    )
    assert (ids.job_id(RUN, 1), ids.job_id(RUN, 2)) == (RUN, f"{RUN}-r2")


@pytest.mark.parametrize(
    ("blob", "request_id"),
    [
        ("open/request/a1.json", "a1"),
        (f"open/request/{'a' * 64}.json", "a" * 64),
        (f"open/request/{'a' * 65}.json", None),
        ("open/request/.json", None),
        ("open/request/A1.json", None),
        ("open/request/a/1.json", None),
        (f"open/{RUN}.json", None),
        ("a1", None),
    ],
)
def test_a_request_is_known_by_its_name(blob: str, request_id: str | None) -> None:
    """Whatever else lies below ``open/`` is none."""
    assert ids.open_request_id(blob) == request_id
