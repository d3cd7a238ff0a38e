"""Which past occurrences a backfill runs, and the claims they become."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.decisions.backfill import (
    Reopened,
    Rerun,
    claim,
    eligible,
    occurrences_between,
)
from orchestrator.enums import After, AttemptState, Outcome, Reason, SkipReason
from orchestrator.errors import RequestRefused
from orchestrator.ids import RunId
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Action, Decided, Kind, Past, Record, Versions
from orchestrator.ledger.request import MOST_RUNS, Request, RequestKind
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Occurrence, Recurrence, Timing
from tests.support.hourly import HOUR, MINUTE, NOON, STATE, ended, run_at_noon
from tests.support.schedules import ID, schedule


def test_a_backfill_takes_what_lies_after_its_begin_up_to_its_end() -> None:
    """The begin is not part of it, the end is."""
    found = occurrences_between(STATE, after=NOON - 3 * HOUR, until=NOON - HOUR)
    assert [one.nominal for one in found] == [NOON - 2 * HOUR, NOON - HOUR]


def test_a_backfill_takes_nothing_that_is_still_to_be_decided() -> None:
    """Its end may lie in the future; the ticks decide what is due until then."""
    found = occurrences_between(STATE, after=NOON - HOUR, until=NOON + 3 * HOUR)
    assert [one.nominal for one in found] == [NOON]


def test_a_backfill_takes_no_day_that_a_zone_left_out() -> None:
    """Apia had no 30 December 2011: it does not count among the 1,000 either."""
    until = NOON.replace(year=2012, month=1, day=1)
    recurrence = Recurrence(cron=("0 9 * * *",), time_zone="Pacific/Apia")
    state = ScheduleState(
        timings=(Timing(since=until - timedelta(days=9), recurrence=recurrence),),
        decided_until=until,
    )
    found = occurrences_between(state, after=until - timedelta(days=4), until=until)
    assert [f"{one.nominal:%d %H}" for one in found] == ["28 19", "29 19", "30 19", "31 19"]


def test_a_backfill_of_too_many_occurrences_is_refused() -> None:
    """A thousand are taken, one more is refused."""
    state = replace(
        STATE,
        timings=(
            Timing(since=NOON - timedelta(days=9), recurrence=Recurrence(cron=("* * * * *",))),
        ),
    )
    begin = NOON - MOST_RUNS * MINUTE

    assert len(occurrences_between(state, after=begin, until=NOON)) == MOST_RUNS
    with pytest.raises(RequestRefused) as refused:
        occurrences_between(state, after=begin - MINUTE, until=NOON)
    assert str(refused.value) == (
        "more than 1000 occurrences lie in this time span: choose a shorter one"
    )


def test_a_backfilled_run_waits_for_its_turn() -> None:
    """The first one of its occurrence is otherwise claimed as ever."""
    new = replace(run_at_noon(schedule()), kind=Kind.BACKFILLED)
    assert claim(new, None) == new.with_attempt(replace(new.attempt, after=After.BACKFILL))


def test_a_reopened_run_keeps_what_its_final_record_said() -> None:
    """Its attempts go on counting; what was decided and how it ended become history."""
    past = Past(kind=Kind.SCHEDULED, decision=Decided(action=Action.SUBMIT, at=NOON))
    old = replace(
        ended(Outcome.FAILED, exit_code=3),
        kind=Kind.BACKFILLED,
        request="a",
        by="eva",
        note="again",
        reason=Reason.EXIT_CODE,
        sentence="It ended with exit code 3.",
        history=(past,),
        extra={"later": 1},
    )
    new = replace(run_at_noon(schedule(command="false")), kind=Kind.BACKFILLED, request="b")

    reopened = claim(new, Reopened(old, "etag"))

    assert reopened == replace(
        new,
        attempts=(
            old.attempt,
            Attempt(
                number=2,
                job_id=f"{new.run_id}-r2",
                state=AttemptState.CLAIMED,
                claimed=new.attempt.claimed,
                after=After.BACKFILL,
            ),
        ),
        replaces="etag",
        history=(
            past,
            Past(
                kind=Kind.BACKFILLED,
                request="a",
                by="eva",
                note="again",
                decision=old.decision,
                outcome=Outcome.FAILED,
                reason=Reason.EXIT_CODE,
                sentence="It ended with exit code 3.",
                attempts=1,
            ),
        ),
    )
    assert reopened.history[-1].extra == {"later": 1}, "fields of another version"


@pytest.mark.parametrize(
    ("action", "reason", "excluded", "chosen"),
    [
        (None, None, False, set(Rerun)),
        (None, None, True, {Rerun.ALL}),
        (Action.SKIPPED, SkipReason.PAUSED, False, set(Rerun)),
        (Action.SKIPPED, SkipReason.EXCLUDED, True, {Rerun.ALL}),
        (Action.SKIPPED, SkipReason.HOLIDAY, False, {Rerun.ALL}),
        (Action.MISSED, "window", False, set(Rerun)),
    ],
)
def test_a_backfill_runs_what_got_no_run(
    action: Action | None, reason: str | None, excluded: bool, chosen: set[Rerun]
) -> None:
    """What `except` or a holiday leaves out only if everything is to run again."""
    final = action and Record(
        run_id=RunId("nightly-20260601T120000Z"),
        schedule=ID,
        nominal=NOON,
        decision=Decided(action=action, reason=reason, at=NOON),
        versions=Versions(product="", tzdata=""),
    )
    occurrence = Occurrence(nominal=NOON, excluded=excluded)
    assert {one for one in Rerun if eligible(occurrence, final or None, one)} == chosen


@pytest.mark.parametrize("excluded", [False, True])
@pytest.mark.parametrize("outcome", Outcome)
def test_a_run_that_ended_runs_again_if_that_is_asked_for(outcome: Outcome, excluded: bool) -> None:
    """Whatever the outcome but success is a failure; a run on a day left out was asked for."""
    occurrence = Occurrence(nominal=NOON, excluded=excluded)
    final = replace(ended(Outcome.FAILED), outcome=outcome)
    again = {Rerun.ALL} if outcome is Outcome.SUCCEEDED else {Rerun.ALL, Rerun.FAILED}

    assert {one for one in Rerun if eligible(occurrence, final, one)} == again


def test_a_request_names_what_runs_again() -> None:
    """By its two flags."""
    request = Request(id="a1", kind=RequestKind.BACKFILL, by="eva", schedule=ID)

    assert Rerun.of(request) is Rerun.NOTHING
    assert Rerun.of(replace(request, rerun=True)) is Rerun.ALL
    assert Rerun.of(replace(request, rerun_failed=True)) is Rerun.FAILED
