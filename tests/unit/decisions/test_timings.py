"""How a changed document changes the timings in force."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.decisions.timings import take_over
from orchestrator.document.parse import parse
from orchestrator.ids import ScheduleId
from orchestrator.ledger.state import (
    SubmitState,
)
from orchestrator.timing.occurrences import occurrences_of

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
