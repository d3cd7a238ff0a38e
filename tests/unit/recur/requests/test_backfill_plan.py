"""What `recur backfill` says that it would do: from values, by the rules of the tick."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.decisions.backfill import Rerun
from orchestrator.enums import Outcome, Reason
from orchestrator.errors import RequestRefused
from orchestrator.ids import RunId, ScheduleId, run_id
from orchestrator.ledger.record import Action, Decided, Record, Versions
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Recurrence, Timing
from recur.requests.backfill_plan import BackfillPlan, PriorState, plan_backfill

NIGHTLY = ScheduleId("nightly")
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
STATE = ScheduleState(
    timings=(Timing(since=BEGIN - 30 * DAY, recurrence=Recurrence(cron=("0 0 * * *",))),),
    decided_until=BEGIN + 10 * DAY + timedelta(hours=1),
)


def at(day: int) -> RunId:
    return run_id(NIGHTLY, BEGIN + day * DAY)


def record(day: int, action: Action, reason: str | None, outcome: Outcome | None = None) -> Record:
    nominal = BEGIN + day * DAY
    return Record(
        run_id=run_id(NIGHTLY, nominal),
        schedule=NIGHTLY,
        nominal=nominal,
        decision=Decided(action=action, reason=reason, at=nominal),
        outcome=outcome,
        reason=Reason.EXIT_CODE if outcome is Outcome.FAILED else None,
        versions=Versions(product="test", tzdata="test"),
    )


RECORDS: Mapping[RunId, Record] = {
    one.run_id: one
    for one in (
        record(1, Action.SUBMIT, None, Outcome.SUCCEEDED),
        record(2, Action.SUBMIT, None, Outcome.FAILED),
        record(3, Action.SKIPPED, "paused"),
        record(4, Action.MISSED, "window"),
        record(6, Action.SUBMIT, None, Outcome.LOST),
        record(7, Action.SKIPPED, "excluded"),
    )
}


def made(
    begin: datetime = BEGIN,
    end: datetime = BEGIN + 10 * DAY,
    *,
    rerun: Rerun = Rerun.NOTHING,
    state: ScheduleState = STATE,
    opened: frozenset[RunId] = frozenset({at(6), at(8)}),
) -> BackfillPlan:
    return plan_backfill(
        NIGHTLY, state, after=begin, until=end, rerun=rerun, opened=opened, records=RECORDS
    )


def test_what_got_no_run_is_to_run() -> None:
    """Skipped, missed, and what has no record of its own; what ended and what is open is left."""
    chosen = made().chosen

    assert [line.run_id for line in chosen] == [at(3), at(4), at(5), at(7 + 2), at(10)]
    assert made().counts(chosen=True) == {
        "skipped": 1,
        "missed": 1,
        "without a record of its own": 3,
    }
    assert made().counts(chosen=False) == {
        "succeeded": 1,
        "failed": 1,
        "open": 2,
        "skipped": 1,
    }
    assert [line.because for line in made().lines][:4] == [
        None,
        "exit_code",
        "paused",
        "window",
    ]


def test_a_rerun_leaves_only_what_is_open() -> None:
    """No two attempts of one run at once."""
    assert {line.run_id for line in made(rerun=Rerun.ALL).lines if not line.chosen} == {
        at(6),
        at(8),
    }


def test_what_did_not_succeed_is_to_run_again_where_that_is_asked_for() -> None:
    """Besides what got no run; not what succeeded, and not a lost run that is open once more."""
    plain, again = made(), made(rerun=Rerun.FAILED)

    assert [line.run_id for line in again.chosen if line not in plain.chosen] == [at(2)]
    assert {*plain.chosen} <= {*again.chosen}
    assert again.counts(chosen=False) == {"succeeded": 1, "open": 2, "skipped": 1}
    assert (plain.failed_and_left, again.failed_and_left) == (1, 0)


@pytest.mark.parametrize("outcome", Outcome)
def test_of_a_run_its_outcome_is_said_and_never_that_it_ran(outcome: Outcome) -> None:
    """A run that never started has ended as well."""
    one = replace(RECORDS[at(1)], outcome=outcome)
    (line,) = plan_backfill(
        NIGHTLY,
        STATE,
        after=BEGIN,
        until=BEGIN + DAY,
        rerun=Rerun.FAILED,
        opened=frozenset(),
        records={one.run_id: one},
    ).lines

    assert line.prior == outcome
    assert line.chosen is (outcome is not Outcome.SUCCEEDED)


def test_the_first_instant_is_not_meant_and_the_last_one_is() -> None:
    """So that two backfills that touch share nothing."""
    first, second = made(BEGIN, BEGIN + 4 * DAY), made(BEGIN + 4 * DAY, BEGIN + 10 * DAY)

    assert {line.run_id for line in first.lines} & {line.run_id for line in second.lines} == set()
    assert first.lines + second.lines == made().lines
    assert at(0) not in {line.run_id for line in made().lines}


def test_what_is_still_to_be_decided_is_the_ticks() -> None:
    """The plan says up to when it goes."""
    until = made(end=BEGIN + 100 * DAY)

    assert until.until == STATE.decided_until
    assert until.lines[-1].run_id == at(10)


def test_more_than_a_request_may_ask_for_is_refused() -> None:
    """Before anything is read."""
    every = Recurrence(every=timedelta(minutes=1), anchor=BEGIN)
    state = replace(STATE, timings=(Timing(since=BEGIN - DAY, recurrence=every),))

    with pytest.raises(RequestRefused, match="1000"):
        made(state=state)


def test_what_except_leaves_out_runs_only_by_a_rerun() -> None:
    """It was left out on purpose."""
    recurrence = Recurrence(cron=("0 0 * * *",), except_=("2026-11-06",))
    state = replace(STATE, timings=(Timing(since=BEGIN - DAY, recurrence=recurrence),))

    assert {line.run_id: line for line in made(state=state).lines}[at(5)].chosen is False
    assert PriorState.EXCLUDED in {line.prior for line in made(state=state).lines}
    assert {line.run_id: line for line in made(state=state, rerun=Rerun.ALL).lines}[at(5)].chosen


@pytest.mark.parametrize("rerun", Rerun)
def test_what_cannot_be_read_is_left(rerun: Rerun) -> None:
    """As the tick leaves it: nobody knows whether it ran."""
    unreadable = frozenset({at(4), at(6)})

    found = plan_backfill(
        NIGHTLY,
        STATE,
        after=BEGIN,
        until=BEGIN + 10 * DAY,
        rerun=rerun,
        opened=frozenset({at(6), at(8)}),
        records={run: one for run, one in RECORDS.items() if run not in unreadable},
        unreadable=unreadable,
    )

    assert [line.run_id for line in found.lines if line.prior is PriorState.UNREADABLE] == [at(4)]
    assert not unreadable & {line.run_id for line in found.chosen}


def test_what_does_not_exist_is_named_and_never_runs() -> None:
    """Apia had no 30 December 2011."""
    recurrence = Recurrence(cron=("0 12 * * *",), time_zone="Pacific/Apia")
    begin = datetime(2011, 12, 28, tzinfo=UTC)
    state = ScheduleState(
        timings=(Timing(since=begin - DAY, recurrence=recurrence),), decided_until=begin + 9 * DAY
    )

    lines = made(begin, begin + 4 * DAY, state=state, rerun=Rerun.ALL).lines

    assert [line.chosen for line in lines if line.prior is PriorState.NONEXISTENT] == [False]
    assert [line.nominal for line in lines] == sorted(line.nominal for line in lines)
