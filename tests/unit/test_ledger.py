"""State of the ledger: names, timings that change, results that count."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import ids
from orchestrator.decisions.timings import take_over
from orchestrator.document.parse import parse
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import dump, load
from orchestrator.ledger.state import (
    CollectState,
    SubmitState,
    dump_collect,
    dump_submit,
    finished,
    load_collect,
    load_submit,
    read_open_run,
)
from orchestrator.timing.occurrences import occurrences_of
from tests.unit.test_conclude import RECORD

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ID = ScheduleId("ab")


def taken_over(state: SubmitState, at: datetime, **keys: str) -> SubmitState:
    """Take over a document that holds one schedule, or none where no key is given."""
    values = {"command": '"true"', **keys}
    lines = [f"{key} = {value}" for key, value in values.items()]
    text = "\n".join(["[schedules.ab]", *lines]) if keys else ""
    found = parse(text)
    return take_over(state, found.schedules, found.invalid, document=str(at), modified=at)


def times(state: SubmitState, until: datetime) -> list[str]:
    one = state.schedules[ID]
    found = occurrences_of(one.timings, after=one.decided_until, until=until)
    return [f"{o.nominal:%d %H:%M}" for o in found]


def test_a_new_schedule_begins_with_its_document() -> None:
    """Nothing is due that came before it was written down."""
    state = taken_over(SubmitState(), NOON, cron='"30 * * * *"')

    assert times(state, NOON + 2 * HOUR) == ["01 12:30", "01 13:30"]


def test_a_start_is_the_first_instant() -> None:
    """Before the document or after it: nothing before the start, the start itself counts."""
    past = taken_over(SubmitState(), NOON, cron='"0 * * * *"', start="2026-06-01T10:00:00Z")
    future = taken_over(SubmitState(), NOON, cron='"0 * * * *"', start="2026-06-01T14:00:00Z")

    assert times(past, NOON) == ["01 10:00", "01 11:00", "01 12:00"]
    assert times(future, NOON + 3 * HOUR) == ["01 14:00", "01 15:00"]


def test_a_start_that_is_moved_counts_from_then_on() -> None:
    """Earlier or later, an edit of a start still ahead holds, and never reaches back."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"', start="2026-06-02T00:00:00Z")
    earlier = taken_over(state, NOON + HOUR, cron='"0 * * * *"', start="2026-06-01T16:00:00Z")
    none = taken_over(state, NOON + HOUR, cron='"0 * * * *"')

    assert times(earlier, NOON + 5 * HOUR) == ["01 16:00", "01 17:00"]
    assert times(none, NOON + 3 * HOUR) == ["01 14:00", "01 15:00"]


def test_an_edit_without_a_change_of_timing_changes_nothing() -> None:
    """Another command or an untouched table keeps the timings as they are."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"', start="2026-06-01T10:00:00Z")
    again = taken_over(
        state, NOON + HOUR, cron='"0 * * * *"', start="2026-06-01T10:00:00Z", run_timeout='"1h"'
    )

    assert again.schedules == state.schedules


def test_a_change_of_timing_never_reaches_back() -> None:
    """Up to the document's Last-Modified the old timing holds, from then on the new one."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')
    changed = taken_over(state, NOON + 2 * HOUR, cron='"30 * * * *"')

    assert times(changed, NOON + 4 * HOUR) == ["01 13:00", "01 14:00", "01 14:30", "01 15:30"]


def test_a_removed_schedule_ends_and_begins_anew() -> None:
    """In between it has no occurrence; a start before the removal does not reopen the past."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')
    removed = taken_over(state, NOON + HOUR)
    back = taken_over(removed, NOON + 3 * HOUR, cron='"0 * * * *"', start="2026-06-01T00:00:00Z")

    assert removed.schedules[ID].removed
    assert times(removed, NOON + 9 * HOUR) == ["01 13:00"]
    assert times(back, NOON + 5 * HOUR)[0] == "01 13:00"
    assert not back.schedules[ID].removed


def test_what_was_decided_is_never_opened_again() -> None:
    """A start in the past, or a document older than the watermark, changes only what lies ahead."""
    state = taken_over(SubmitState(), NOON, cron='"*/5 * * * *"')
    removed = taken_over(state, NOON + timedelta(minutes=10))
    one = replace(removed.schedules[ID], decided_until=NOON + timedelta(minutes=30))
    decided = replace(removed, schedules={ID: one})

    back = taken_over(
        decided, NOON + timedelta(minutes=40), cron='"*/5 * * * *"', start="2026-06-01T12:15:00Z"
    )
    early = taken_over(
        replace(state, schedules={ID: replace(state.schedules[ID], decided_until=NOON + HOUR)}),
        NOON + HOUR - timedelta(seconds=1),
        cron='"0 * * * *"',
    )

    assert times(back, NOON + timedelta(minutes=45)) == ["01 12:35", "01 12:40", "01 12:45"]
    assert early.schedules[ID].timings[-1].since == NOON + HOUR


def test_what_was_undecided_at_a_removal_stays_removed() -> None:
    """Also when the schedule is back before it is decided."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')
    removed = taken_over(state, NOON + HOUR)
    back = taken_over(removed, NOON + 2 * HOUR, cron='"0 * * * *"').schedules[ID]

    found = occurrences_of(back.timings, after=back.decided_until, until=NOON + 4 * HOUR)

    assert [(f"{o.nominal:%H}", o.removed) for o in found] == [
        ("13", True),
        ("15", False),
        ("16", False),
    ]


def test_a_removed_schedule_is_forgotten_after_its_records() -> None:
    """Its state is kept as long as the ledger keeps what happened."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')
    removed = taken_over(state, NOON + HOUR)

    assert taken_over(removed, NOON + timedelta(days=399)).schedules
    assert not taken_over(removed, NOON + timedelta(days=402)).schedules


def test_an_invalid_table_stands_still() -> None:
    """It is neither changed nor removed."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')

    assert taken_over(state, NOON + HOUR, cron='"0 * *"').schedules == state.schedules


def test_results_count_each_run_once() -> None:
    """A success forgets the failures before it; collecting a run again changes nothing."""
    other = replace(RECORD, run_id=RunId("nightly-20260602T120000Z"), nominal=NOON + 24 * HOUR)
    failed = finished(CollectState(), RECORD, succeeded=False)
    succeeded = finished(failed, other, succeeded=True)

    assert failed.schedules[RECORD.schedule].failed == (RECORD.run_id,)
    assert finished(failed, RECORD, succeeded=False) == failed
    assert succeeded.schedules[RECORD.schedule].last_success == other.nominal
    assert not succeeded.schedules[RECORD.schedule].failed
    assert finished(succeeded, other, succeeded=True) == succeeded
    assert finished(succeeded, RECORD, succeeded=False) == succeeded


def test_what_is_written_is_read_back() -> None:
    """Records and both states, the same bytes for the same value."""
    state = replace(taken_over(SubmitState(), NOON, cron='"0 * * * *"'), plan=(RECORD,))
    results = finished(CollectState(), RECORD, succeeded=True)

    assert load(dump(RECORD)) == RECORD
    assert dump(load(dump(RECORD))) == dump(RECORD)
    assert load_submit(dump_submit(state)) == state
    assert load_collect(dump_collect(results)) == results


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", dump(replace(RECORD, schema=2))])
def test_a_blob_that_is_no_record_is_told(data: bytes) -> None:
    """One of a later version included: to rewrite it would lose what it says."""
    with pytest.raises(RecordUnreadable):
        load(data)


@pytest.mark.parametrize(
    "metadata", [{"state": "dreaming"}, {"state": "claimed", "attempt": "first"}]
)
def test_an_open_run_that_says_what_we_do_not_know_is_told(metadata: dict[str, str]) -> None:
    """It does not vanish from the work list in silence."""
    with pytest.raises(RecordUnreadable):
        read_open_run(ids.open_blob(RECORD.run_id), metadata)
    assert read_open_run(ids.open_blob(RECORD.run_id), {}) is None


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
