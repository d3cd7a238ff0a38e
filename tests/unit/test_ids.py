"""Ids and blob names, and the way back from them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import ids
from orchestrator.ids import ScheduleId


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
