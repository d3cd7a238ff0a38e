"""Pauses of a schedule, by an operator or after failures."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from orchestrator import ids
from orchestrator.decisions import claims
from orchestrator.decisions.pauses import after_failures, failures, pause, pausing, resume
from orchestrator.decisions.timings import TIMINGS_KEPT, take_over
from orchestrator.ids import RunId
from orchestrator.ledger.record import Kind
from orchestrator.ledger.request import Request, RequestKind
from orchestrator.ledger.results import CollectState, ScheduleResults, finished
from orchestrator.ledger.state import ScheduleState, SubmitState
from orchestrator.model import Occurrence, Pause, Schedule, Timing
from tests.support.hourly import (
    FAILED,
    HOUR,
    HOURLY,
    MINUTE,
    NOON,
    SECOND,
    STATE,
)
from tests.support.records import comes_to
from tests.support.schedules import ID, schedule


def ask(kind: RequestKind, request_id: str, until: datetime | None = None) -> Request:
    return Request(id=request_id, kind=kind, by="me", schedule=ID, until=until)


def test_a_pause_begins_where_it_was_asked_for_and_not_before_what_is_decided() -> None:
    """Asked for twice it is one; another one takes its place from there on."""
    paused = pause(STATE, ask(RequestKind.PAUSE, "a"), NOON - HOUR)
    assert [(one.since, one.until) for one in paused.pauses] == [(NOON, None)]
    assert pause(paused, ask(RequestKind.PAUSE, "a"), NOON + HOUR) == paused

    other = pause(paused, ask(RequestKind.PAUSE, "b", NOON + 3 * HOUR), NOON + HOUR)
    assert [(one.since, one.until) for one in other.pauses] == [
        (NOON, NOON + HOUR),
        (NOON + HOUR - SECOND, NOON + 3 * HOUR),
    ]
    assert all(any(one.holds(NOON + n * HOUR) for one in other.pauses) for n in (0.5, 1, 2))
    assert pausing(other, NOON + 4 * HOUR) == ()


def test_a_resume_ends_pauses_and_forgives_failures() -> None:
    """Occurrences before it stay paused."""
    table = schedule(pause_after_failures=2)
    results = ScheduleResults(failed=FAILED)
    paused = after_failures(STATE, table, results)
    assert paused.pauses[0].by == "recur"
    assert after_failures(paused, table, results) == paused

    resumed = resume(paused, ask(RequestKind.RESUME, "c"), NOON + HOUR, results)

    assert resumed.pauses[0].until == NOON + HOUR
    assert resumed.pauses[0].holds(NOON + HOUR - MINUTE)
    assert after_failures(resumed, table, results) == resumed
    third = replace(results, failed=(*FAILED, RunId("nightly-20260601T130000Z")))
    assert after_failures(resumed, table, third) == resumed, "one failure since"


def test_a_schedule_without_a_limit_is_never_paused_by_failures() -> None:
    """Nor one that has failed less often."""
    results = ScheduleResults(failed=FAILED)
    assert after_failures(STATE, schedule(), results) == STATE
    assert after_failures(STATE, schedule(pause_after_failures=3), results) == STATE


def test_an_empty_pause_is_forgotten() -> None:
    """It held for no instant."""
    paused = pause(STATE, ask(RequestKind.PAUSE, "a"), NOON)
    resumed = resume(paused, ask(RequestKind.RESUME, "b"), NOON, ScheduleResults())
    assert resumed.pauses == ()
    assert not Pause(since=NOON, until=NOON, by="me").holds(NOON)


def paused_state(*pauses: Pause) -> ScheduleState:
    return replace(STATE, pauses=pauses)


@pytest.mark.parametrize(("until", "holds"), [(NOON, False), (NOON + SECOND, True), (None, True)])
def test_a_pause_holds_until_its_end(until: datetime | None, *, holds: bool) -> None:
    """One that ends at this instant holds no more."""
    one = Pause(since=NOON - HOUR, until=until, by="me")
    assert pausing(paused_state(one), NOON) == ((one,) if holds else ())


def test_a_pause_says_who_asked_for_it_and_why() -> None:
    """One that is asked for while none holds begins right there."""
    request = Request(
        id="a", kind=RequestKind.PAUSE, by="eva", schedule=ID, note="moving", until=NOON + 9 * HOUR
    )
    assert pause(STATE, request, NOON + HOUR).pauses == (
        Pause(since=NOON + HOUR, until=NOON + 9 * HOUR, by="eva", note="moving", request="a"),
    )


def test_a_pause_after_another_one_leaves_that_as_it_was() -> None:
    """It had ended before; nobody resumed it."""
    over = Pause(since=NOON - 2 * HOUR, until=NOON - HOUR, by="me", request="a")
    state = pause(paused_state(over), ask(RequestKind.PAUSE, "b"), NOON)
    assert state.pauses == (over, Pause(since=NOON, by="me", request="b"))


def test_a_pause_that_is_taken_over_says_by_which_request() -> None:
    """So does one that is resumed."""
    held = paused_state(Pause(since=NOON - HOUR, until=NOON + HOUR, by="me", request="a"))

    for state in (
        pause(held, ask(RequestKind.PAUSE, "b"), NOON),
        resume(held, ask(RequestKind.RESUME, "b"), NOON, ScheduleResults()),
    ):
        assert state.pauses[0] == Pause(
            since=NOON - HOUR, until=NOON, by="me", request="a", resumed_by="b"
        )


@pytest.mark.parametrize("since", [NOON, NOON + SECOND])
def test_a_pause_that_has_not_begun_is_dropped_by_a_resume(since: datetime) -> None:
    """It would have held from there on."""
    held = paused_state(Pause(since=since, by="me", request="a"))
    assert resume(held, ask(RequestKind.RESUME, "b"), NOON, ScheduleResults()).pauses == ()


def test_a_resume_never_opens_what_is_decided() -> None:
    """Its pauses end at the watermark at the earliest."""
    held = paused_state(Pause(since=NOON - HOUR, by="me", request="a"))
    state = resume(held, ask(RequestKind.RESUME, "b"), NOON - HOUR, ScheduleResults())
    assert [one.until for one in state.pauses] == [NOON]


@pytest.mark.parametrize(("more", "kept"), [(-SECOND, True), (timedelta(), False)])
def test_pauses_of_long_ago_are_forgotten(more: timedelta, *, kept: bool) -> None:
    """As long as timings are kept, they are."""
    end = NOON - TIMINGS_KEPT - more
    old = Pause(since=end - HOUR, until=end, by="me", request="a")
    state = resume(paused_state(old), ask(RequestKind.RESUME, "b"), NOON, ScheduleResults())
    assert state.pauses == ((old,) if kept else ())


def test_a_pause_that_ends_at_a_resume_stays_as_it_is() -> None:
    """The resume did not end it."""
    one = Pause(since=NOON - HOUR, until=NOON, by="me", request="a")
    state = resume(paused_state(one), ask(RequestKind.RESUME, "b"), NOON, ScheduleResults())
    assert state.pauses == (one,)


@pytest.mark.parametrize(("most", "paused"), [(1, True), (2, True), (3, False)])
def test_as_many_failures_as_are_allowed_pause_a_schedule(most: int, *, paused: bool) -> None:
    """From its watermark on, with the number and the newest of them."""
    state = after_failures(
        STATE, schedule(pause_after_failures=most), ScheduleResults(failed=FAILED)
    )
    note = f"2 runs have failed since the last success, most recently {FAILED[-1]}"
    assert state.pauses == ((Pause(since=NOON, by="recur", note=note),) if paused else ())


def test_a_pause_with_an_end_does_not_keep_failures_from_pausing() -> None:
    """It is over at some time, which says nothing of the failures; one without an end does."""
    table, results = schedule(pause_after_failures=2), ScheduleResults(failed=FAILED)
    ending = Pause(since=NOON - HOUR, until=NOON + HOUR, by="me", request="a")

    assert after_failures(paused_state(ending), table, results).pauses[0] == ending
    assert len(after_failures(paused_state(ending), table, results).pauses) == 2
    endless = paused_state(replace(ending, until=None))
    assert after_failures(endless, table, results) == endless


@pytest.mark.parametrize(
    ("removals", "counted"), [((), 3), ((NOON - HOUR,), 2), ((NOON - HOUR, NOON), 1)]
)
def test_failures_count_from_the_last_removal_on(
    removals: tuple[datetime, ...], counted: int
) -> None:
    """A failure at the very instant of a removal is of the life before."""
    failed = [ids.run_id(ID, NOON + n * MINUTE) for n in (-60, 0, 1)]
    timings = tuple(Timing(since=at, recurrence=None, removed=True) for at in removals)
    later = Timing(since=NOON + HOUR, recurrence=HOURLY)
    state = replace(STATE, timings=(*STATE.timings, *timings, later))

    assert failures(state, ScheduleResults(failed=tuple(failed))) == counted
    forgiven = replace(state, forgiven=tuple(failed[:2]))
    assert failures(forgiven, ScheduleResults(failed=tuple(failed))) == 1


def test_a_returned_schedule_is_not_paused_by_a_trigger_of_its_former_life() -> None:
    """Its failures count from its removal on, those of triggers included."""
    table = schedule(pause_after_failures=1)
    state, results = SubmitState(), CollectState()

    def failed(key: str, now: datetime) -> CollectState:
        """Return the results after a trigger at ``now`` whose run failed."""
        request = Request(id=key, kind=RequestKind.TRIGGER, by="me", schedule=ID, key=key)
        record = claims.claim_requested(
            table,
            Occurrence(nominal=now),
            state.schedules[ID],
            results,
            request,
            kind=Kind.TRIGGERED,
            now=now,
        )
        return finished(results, comes_to(record, succeeded=False))

    def applied(at: datetime, *tables: Schedule) -> SubmitState:
        found = {one.id: one for one in tables}
        return take_over(state, found, frozenset(), document=str(at), modified=at)

    state = applied(NOON, table)
    results = failed("former", NOON + MINUTE)
    assert after_failures(state.schedules[ID], table, results.schedules[ID]).pauses
    state = applied(NOON + 2 * MINUTE)
    state = applied(NOON + 3 * MINUTE, table)

    assert after_failures(state.schedules[ID], table, results.schedules[ID]).pauses == ()

    results = failed("new", NOON + 4 * MINUTE)
    assert after_failures(state.schedules[ID], table, results.schedules[ID]).pauses


@pytest.mark.parametrize("former", ["forgiven", "removed"])
def test_the_note_of_a_pause_names_the_last_failure_that_counts(former: str) -> None:
    """A run from before a resume or a removal may end last, and does not count."""
    old, new = (ids.run_id(ID, NOON + n * HOUR) for n in (-1, 1))
    removal = Timing(since=NOON, recurrence=None, removed=True)
    states = {
        "forgiven": replace(STATE, forgiven=(old,)),
        "removed": replace(STATE, timings=(*STATE.timings, removal)),
    }

    paused = after_failures(
        states[former], schedule(pause_after_failures=1), ScheduleResults(failed=(new, old))
    )

    note = f"1 runs have failed since the last success, most recently {new}"
    assert [one.note for one in paused.pauses] == [note]


def test_a_pause_keeps_the_beginning_of_a_long_note() -> None:
    """submit.json holds it; the answer to the request holds all of it."""
    request = replace(ask(RequestKind.PAUSE, "a"), by="b" * 101, note="n" * 201)
    (kept,) = pause(STATE, request, NOON).pauses
    assert kept.by == "b" * 97 + "..."
    assert kept.note == "n" * 197 + "..."

    short = replace(request, by="b" * 100, note="n" * 200)
    (kept,) = pause(STATE, short, NOON).pauses
    assert (kept.by, kept.note) == ("b" * 100, "n" * 200)


def failed_each_hour(*hours: int) -> ScheduleResults:
    return ScheduleResults(failed=tuple(ids.run_id(ID, NOON + n * HOUR) for n in hours))


@pytest.mark.parametrize("seen", [1, 7, 8, 9, 100])
def test_a_resume_forgives_all_that_it_has_seen(seen: int) -> None:
    """It writes down eight runs at most; what fails later counts."""
    results = failed_each_hour(*range(seen))
    state = resume(STATE, ask(RequestKind.RESUME, "b"), NOON, results)

    assert len(state.forgiven) == min(seen, 8)
    assert failures(state, results) == 0
    assert failures(state, failed_each_hour(*range(seen + 3))) == 3
    assert failures(state, failed_each_hour(*range(seen // 2 + 1, seen + 3))) == 3


def test_an_older_run_that_fails_after_a_resume_counts_unless_eight_are_written_down() -> None:
    """Beyond that it cannot be told from those that the resume has seen."""
    few = resume(STATE, ask(RequestKind.RESUME, "b"), NOON, failed_each_hour(*range(1, 8)))
    many = resume(STATE, ask(RequestKind.RESUME, "b"), NOON, failed_each_hour(*range(1, 9)))
    assert failures(few, failed_each_hour(*range(8))) == 1
    assert failures(many, failed_each_hour(*range(9))) == 0
