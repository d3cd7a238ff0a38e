"""How a changed document changes the timings in force."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.decisions.timings import take_over
from orchestrator.document.parse import parse
from orchestrator.ids import ScheduleId
from orchestrator.ledger.state import (
    ScheduleState,
    SubmitState,
)
from orchestrator.model import Pause, Recurrence, Schedule, Timing
from orchestrator.timing.occurrences import occurrences_of
from tests.support.schedules import schedule

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
HOURLY = Recurrence(cron=("0 * * * *",))
ID = ScheduleId("ab")


def taken_over(state: SubmitState, at: datetime, /, **keys: str) -> SubmitState:
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


def test_what_was_undecided_at_a_removal_is_removed_unless_that_is_undone() -> None:
    """A schedule that is back before it is decided has lost nothing of before."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')
    removed = taken_over(state, NOON + HOUR)
    back = taken_over(removed, NOON + 2 * HOUR, cron='"0 * * * *"')

    def found(state: SubmitState) -> list[tuple[str, bool]]:
        one = state.schedules[ID]
        every = occurrences_of(one.timings, after=one.decided_until, until=NOON + 4 * HOUR)
        return [(f"{o.nominal:%H}", o.removed) for o in every]

    assert found(removed) == [("13", True)]
    assert found(back) == [("13", False), ("15", False), ("16", False)]


def test_a_timing_names_the_version_that_brought_it() -> None:
    """A later version that changes nothing of it does not."""
    tables = parse('[schedules.ab]\ncron = "0 * * * *"\ncommand = "true"\n').schedules

    def after(state: SubmitState, version: int, tables: dict[ScheduleId, Schedule]) -> SubmitState:
        at = NOON + version * HOUR
        return take_over(
            state, tables, frozenset(), document=str(version), modified=at, version=version
        )

    first = after(SubmitState(), 1, tables)
    second = after(first, 2, tables)
    removed = after(second, 3, {})

    assert [timing.version for timing in second.schedules[ID].timings] == [1]
    assert second.version == 2
    assert removed.schedules[ID].timings[-1].version == 3


def test_a_removed_schedule_is_forgotten_after_its_records() -> None:
    """Its state is kept as long as the ledger keeps what happened."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')
    removed = taken_over(state, NOON + HOUR)

    last = NOON + HOUR + timedelta(days=400)
    assert taken_over(removed, last).schedules
    assert not taken_over(removed, last + timedelta(seconds=1)).schedules


def test_a_schedule_that_was_changed_long_ago_is_not_forgotten() -> None:
    """Only one that is removed is."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')
    later = taken_over(state, NOON + timedelta(days=500), cron='"0 * * * *"')
    assert later.schedules == state.schedules


def test_an_invalid_table_stands_still() -> None:
    """It is neither changed nor removed."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')

    assert taken_over(state, NOON + HOUR, cron='"0 * *"').schedules == state.schedules


def timings(state: SubmitState) -> tuple[Timing, ...]:
    return state.schedules[ID].timings


def decided_until(state: SubmitState, instant: datetime) -> SubmitState:
    return replace(state, schedules={ID: replace(state.schedules[ID], decided_until=instant)})


def test_a_new_schedule_is_undecided_from_its_beginning_on() -> None:
    """A start in the past is where its watermark begins; one in the future lies ahead of it."""
    plain = taken_over(SubmitState(), NOON, cron='"0 * * * *"', paused="true")
    past = taken_over(SubmitState(), NOON, cron='"0 * * * *"', start="2026-06-01T10:00:00Z")
    future = taken_over(SubmitState(), NOON, cron='"0 * * * *"', start="2026-06-01T14:00:00Z")

    assert plain.document == str(NOON)
    assert plain.schedules[ID] == ScheduleState(
        timings=(Timing(since=NOON, recurrence=HOURLY, paused=True),), decided_until=NOON
    )
    begin = NOON - 2 * HOUR - SECOND
    assert past.schedules[ID] == ScheduleState(
        timings=(Timing(since=begin, recurrence=HOURLY),), decided_until=begin
    )
    assert future.schedules[ID] == ScheduleState(
        timings=(Timing(since=NOON + 2 * HOUR - SECOND, recurrence=HOURLY),), decided_until=NOON
    )


def test_a_pause_in_the_document_is_a_change_of_timing() -> None:
    """From the change on, as with any other."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')
    paused = taken_over(state, NOON + HOUR, cron='"0 * * * *"', paused="true")
    assert timings(paused) == (
        Timing(since=NOON, recurrence=HOURLY),
        Timing(since=NOON + HOUR, recurrence=HOURLY, paused=True),
    )


def test_a_start_still_ahead_that_is_moved_leaves_a_time_without_occurrences() -> None:
    """Between the change and the new start nothing is due; without a start it begins at once."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')
    later = taken_over(state, NOON + HOUR, cron='"0 * * * *"', start="2026-06-01T16:00:00Z")

    assert timings(later) == (
        Timing(since=NOON, recurrence=HOURLY),
        Timing(since=NOON + HOUR, recurrence=None),
        Timing(since=NOON + 4 * HOUR - SECOND, recurrence=HOURLY),
    )
    same = taken_over(later, NOON + 2 * HOUR, cron='"0 * * * *"', start="2026-06-01T16:00:00Z")
    assert same.schedules == later.schedules


def test_a_change_at_the_very_instant_of_a_timing_takes_its_place() -> None:
    """No occurrence lies between the two."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')
    again = taken_over(state, NOON, cron='"30 * * * *"')
    assert timings(again) == (Timing(since=NOON, recurrence=Recurrence(cron=("30 * * * *",))),)


def test_a_removal_is_a_timing_without_occurrences() -> None:
    """From the watermark on, if that is ahead of the document; a second document adds nothing."""
    state = decided_until(taken_over(SubmitState(), NOON, cron='"0 * * * *"'), NOON + 2 * HOUR)
    early = taken_over(state, NOON + HOUR)
    late = taken_over(state, NOON + 3 * HOUR)

    assert [timings(one)[-1] for one in (early, late)] == [
        Timing(since=NOON + 2 * HOUR, recurrence=None, removed=True),
        Timing(since=NOON + 3 * HOUR, recurrence=None, removed=True),
    ]
    assert taken_over(early, NOON + 4 * HOUR).schedules == early.schedules


def test_a_schedule_that_returns_begins_at_its_removal_at_the_earliest() -> None:
    """Where it has a start; else with the document that holds it again."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')
    removed = taken_over(state, NOON + HOUR)
    back = NOON + 3 * HOUR

    plain = taken_over(removed, back, cron='"0 * * * *"')
    started = taken_over(removed, back, cron='"0 * * * *"', start="2026-06-01T00:00:00Z")
    between = taken_over(removed, back, cron='"0 * * * *"', start="2026-06-01T14:00:00Z")
    ahead = taken_over(removed, back, cron='"0 * * * *"', start="2026-06-01T18:00:00Z")

    assert timings(plain)[-1] == Timing(since=back, recurrence=HOURLY)
    assert timings(plain)[-2].removed
    assert timings(started) == (
        Timing(since=NOON, recurrence=HOURLY),
        Timing(since=NOON + HOUR, recurrence=HOURLY),
    )
    assert timings(between)[-1].since == NOON + 2 * HOUR - SECOND
    assert timings(ahead)[-1].since == NOON + 6 * HOUR - SECOND
    assert len(timings(ahead)) == 3, "the removal itself says that nothing is due in between"
    assert timings(ahead)[1].removed
    decided = taken_over(
        decided_until(removed, NOON + 2 * HOUR),
        back,
        cron='"0 * * * *"',
        start="2026-06-01T00:00:00Z",
    )
    assert timings(decided)[-1].since == NOON + 2 * HOUR


def test_a_schedule_that_returns_after_changes_begins_at_its_removal() -> None:
    """Neither at its first change, nor are its pauses ended there."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')
    changed = taken_over(state, NOON + HOUR, cron='"30 * * * *"')
    pause = Pause(since=NOON, by="me")
    paused = replace(changed.schedules[ID], pauses=(pause,))
    removed = taken_over(replace(changed, schedules={ID: paused}), NOON + 2 * HOUR)

    back = taken_over(removed, NOON + 9 * HOUR, cron='"0 * * * *"', start="2026-06-01T00:00:00Z")

    assert timings(back)[-1].since == NOON + 2 * HOUR
    assert back.schedules[ID].pauses == (replace(pause, until=NOON + 2 * HOUR),)
    last = NOON + 2 * HOUR + timedelta(days=400)
    assert taken_over(removed, last).schedules
    assert not taken_over(removed, last + SECOND).schedules


def test_pauses_of_a_former_life_end_at_the_removal() -> None:
    """Those that ended before stay as they were; those that were to begin later are dropped."""
    state = taken_over(SubmitState(), NOON, cron='"0 * * * *"')
    removed = taken_over(state, NOON + HOUR)
    at = NOON + HOUR
    pauses = [
        Pause(since=since, until=until, by="me")
        for since, until in (
            (NOON, at - SECOND),
            (NOON, at),
            (NOON, at + SECOND),
            (NOON, None),
            (at - SECOND, None),
            (at, None),
            (at + SECOND, None),
        )
    ]
    held = replace(removed, schedules={ID: replace(removed.schedules[ID], pauses=tuple(pauses))})

    back = taken_over(held, NOON + 2 * HOUR, cron='"0 * * * *"').schedules[ID]

    assert [(one.since, one.until) for one in back.pauses] == [
        (NOON, at - SECOND),
        (NOON, at),
        (NOON, at),
        (NOON, at),
        (at - SECOND, at),
    ]
    changed = replace(state, schedules={ID: replace(state.schedules[ID], pauses=tuple(pauses))})
    kept = taken_over(changed, at, cron='"30 * * * *"').schedules[ID]
    assert kept.pauses == tuple(pauses), "a change is no new life"


def test_timings_are_kept_for_400_days() -> None:
    """And the one that was in force at the oldest of these instants."""
    state = SubmitState()
    for days, minute in ((0, 1), (1, 2), (2, 3)):
        state = taken_over(state, NOON + timedelta(days=days), cron=f'"{minute} * * * *"')
    last = NOON + timedelta(days=401)

    exactly = taken_over(state, last, cron='"4 * * * *"')
    before = taken_over(state, last - SECOND, cron='"4 * * * *"')

    assert [one.since for one in timings(exactly)] == [
        NOON + timedelta(days=1),
        NOON + timedelta(days=2),
        last,
    ]
    assert [one.since for one in timings(before)] == [
        *(NOON + timedelta(days=days) for days in range(3)),
        last - SECOND,
    ]


def test_a_document_that_holds_another_schedule_removes_none_but_those_it_left_out() -> None:
    """One whose table is invalid stands still beside it."""
    tables = {
        ScheduleId(name): replace(schedule(), id=ScheduleId(name)) for name in ("aa", "bb", "cc")
    }
    state = take_over(SubmitState(), tables, frozenset(), document="1", modified=NOON)
    kept = {ScheduleId("aa"): tables[ScheduleId("aa")]}

    after = take_over(
        state, kept, frozenset({ScheduleId("bb")}), document="2", modified=NOON + HOUR
    )

    assert {id_: one.removed for id_, one in after.schedules.items()} == {
        "aa": False,
        "bb": False,
        "cc": True,
    }
    assert after.schedules[ScheduleId("bb")] == state.schedules[ScheduleId("bb")]


def test_single_times_of_before_a_document_get_no_record() -> None:
    """A start in the past counts for expressions alone; nor does a later version bring any back."""
    start = "2026-06-01T10:00:00Z"
    several = "[2026-06-01T10:30:00, 2026-06-01T12:00:00, 2026-06-01T12:30:00]"
    alone = taken_over(SubmitState(), NOON, at=several, start=start)
    both = taken_over(SubmitState(), NOON, at=several, start=start, cron='"0 * * * *"')
    again = taken_over(both, NOON + HOUR, at=several, start=start, cron='"0 * * * *"')
    more = "[2026-06-01T11:30:00, 2026-06-01T14:30:00]"
    later = taken_over(alone, NOON + HOUR, at=more, start=start)

    assert times(alone, NOON + 3 * HOUR) == ["01 12:30"]
    assert times(both, NOON + HOUR) == ["01 10:00", "01 11:00", "01 12:00", "01 12:30", "01 13:00"]
    assert again.schedules == both.schedules
    assert times(later, NOON + 3 * HOUR) == ["01 12:30", "01 14:30"]


def test_single_times_of_a_schedule_that_returns_are_those_to_come() -> None:
    """Whatever its start says."""
    state = taken_over(taken_over(SubmitState(), NOON, cron='"0 * * * *"'), NOON + HOUR)
    back = taken_over(
        state,
        NOON + 4 * HOUR,
        at="[2026-06-01T15:00:00, 2026-06-01T17:00:00]",
        start="2026-06-01T14:00:00Z",
    )

    assert times(back, NOON + 6 * HOUR) == ["01 13:00", "01 17:00"]


@pytest.mark.parametrize("keys", [{}, {"at": "[2026-12-24T18:00:00]"}], ids=["cron", "cron and at"])
def test_a_schedule_that_returns_has_its_time_since_start(keys: dict[str, str]) -> None:
    """Its removal stays between both lives, also where single times stand beside its expression."""
    hour = timedelta(hours=1)
    state = taken_over(SubmitState(), NOON - 6.5 * hour, cron='"0 * * * *"')
    state = taken_over(state, NOON - 3.5 * hour)
    start = "2026-06-01T10:30:00Z"
    state = taken_over(state, NOON + 1.5 * hour, cron='"0 * * * *"', start=start, **keys)

    assert times(state, NOON + 2 * hour) == [f"01 {h:02}:00" for h in (6, 7, 8, 11, 12, 13, 14)]
    assert any(one.removed for one in state.schedules[ID].timings)
