"""Pauses of a schedule, by an operator or after failures."""

from dataclasses import replace
from datetime import datetime

from orchestrator.decisions import claims
from orchestrator.decisions.pauses import after_failures, pause, pausing, resume
from orchestrator.decisions.timings import take_over
from orchestrator.ids import RunId
from orchestrator.ledger.record import Kind
from orchestrator.ledger.request import Request, RequestKind
from orchestrator.ledger.state import (
    CollectState,
    ScheduleResults,
    SubmitState,
    finished,
)
from orchestrator.model import Occurrence, Pause, Schedule
from tests.support.hourly import (
    FAILED,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    STATE,
)
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
        return finished(results, record, succeeded=False)

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
