"""What is frozen at a claim."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import tzdata
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import __version__, ids
from orchestrator.decisions import claims
from orchestrator.enums import After, AttemptState, Overlap
from orchestrator.ledger.attempt import Attempt, FrozenTask
from orchestrator.ledger.record import Action, Decided, Kind, Record, Versions
from orchestrator.ledger.request import Request, RequestKind
from orchestrator.ledger.results import CollectState, ScheduleResults
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import (
    About,
    CatchUp,
    NodePrice,
    Occurrence,
    Prices,
    Recurrence,
    Retries,
    Schedule,
    Timing,
)
from tests.support.hourly import HOUR, HOURLY, MINUTE, NOON, SECOND, STATE, run_at_noon
from tests.support.schedules import ID, schedule

PRICES = Prices(currency="USD", every=NodePrice(spot=0.1))
REQUEST = Request(
    id="a1", kind=RequestKind.TRIGGER, by="eva", schedule=ID, note="because", force=True
)


def requested(kind: Kind, request: Request = REQUEST, table: Schedule | None = None) -> Record:
    return claims.claim_requested(
        table or schedule(recurrence=HOURLY, jitter=HOUR, overlap=Overlap.SKIP),
        Occurrence(nominal=NOON),
        STATE,
        CollectState(),
        request,
        kind=kind,
        now=NOON + SECOND,
    )


def environment(record: Record) -> dict[str, str]:
    assert record.task is not None
    return record.task.environment


def test_a_claim_freezes_everything_that_its_run_needs() -> None:
    """Later edits of the document do not reach it."""
    table = schedule(
        recurrence=HOURLY,
        command="run me",
        overlap=Overlap.ALLOW,
        start_timeout=MINUTE,
        run_timeout=2 * MINUTE,
        catch_up=CatchUp(window=3 * MINUTE),
        retries=Retries(max=4),
        outputs=("a.txt",),
        last_words=False,
        environment={"LEVEL": "info"},
        prices=PRICES,
        about=About(owner="finance-data"),
    )
    results = CollectState(schedules={ID: ScheduleResults(last_success=NOON - 2 * HOUR)})

    record = claims.scheduled(
        table,
        Occurrence(nominal=NOON, merged=2),
        STATE,
        results,
        after=After.QUEUE,
        now=NOON + SECOND,
    )

    run_id = ids.run_id(ID, NOON)
    assert record == Record(
        run_id=run_id,
        schedule=ID,
        nominal=NOON,
        about=About(owner="finance-data"),
        merged=2,
        decision=Decided(action=Action.SUBMIT, at=NOON + SECOND),
        task=FrozenTask(
            command="run me",
            environment={
                "LEVEL": "info",
                "RECUR_SCHEDULE": "nightly",
                "RECUR_RUN_ID": "nightly-20260601T120000Z",
                "RECUR_NOMINAL_TIME": "2026-06-01T12:00:00Z",
                "RECUR_NOMINAL_TIME_LOCAL": "2026-06-01T12:00:00+00:00",
                "RECUR_WINDOW_START": "2026-06-01T11:00:00Z",
                "RECUR_WINDOW_END": "2026-06-01T12:00:00Z",
                "RECUR_PREVIOUS_SUCCESS": "2026-06-01T10:00:00Z",
            },
            start_timeout=MINUTE,
            run_timeout=2 * MINUTE,
            catch_up_window=3 * MINUTE,
            outputs=("a.txt",),
            last_words=False,
            retries=Retries(max=4),
            retry_until=NOON + HOUR,
            allow=True,
            prices=PRICES,
        ),
        attempts=(
            Attempt(
                number=1,
                job_id=run_id,
                state=AttemptState.CLAIMED,
                claimed=NOON + SECOND,
                after=After.QUEUE,
            ),
        ),
        versions=Versions(product=__version__, tzdata=tzdata.IANA_VERSION),
    )


def test_a_scheduled_run_waits_for_its_jitter() -> None:
    """It is that of its time, before the next occurrence."""
    table = schedule(recurrence=HOURLY, jitter=24 * HOUR)
    not_before = run_at_noon(table).attempt.not_before
    assert not_before == claims.jittered(table, NOON, NOON + HOUR)
    assert not_before is not None


def test_a_triggered_run_starts_at_once() -> None:
    """Without jitter and end of its attempts, under an id of its own; its request is named."""
    record = requested(Kind.TRIGGERED)

    assert record.run_id == record.attempt.job_id == ids.trigger_id(ID, "a1")
    assert (record.kind, record.request) == (Kind.TRIGGERED, "a1")
    assert (record.by, record.note, record.forced) == ("eva", "because", True)
    assert record.attempt.not_before is None
    assert record.decision.at == record.attempt.claimed == NOON + SECOND
    assert record.task is not None
    assert (record.task.retry_until, record.task.allow) == (None, False)
    assert environment(record)["RECUR_RUN_ID"] == record.run_id


def test_a_trigger_with_a_key_is_one_run_however_often_it_is_asked_for() -> None:
    """The key makes the id, not the request."""
    keyed = requested(Kind.TRIGGERED, replace(REQUEST, key="monday", force=False))
    assert keyed.run_id == ids.trigger_id(ID, "monday")
    assert not keyed.forced


def test_a_backfilled_run_has_the_id_of_its_occurrence() -> None:
    """Also where the request has a key."""
    record = requested(Kind.BACKFILLED, replace(REQUEST, key="monday"))
    assert (record.run_id, record.kind) == (ids.run_id(ID, NOON), Kind.BACKFILLED)


def test_a_nominal_time_is_told_in_the_zone_in_force_at_it() -> None:
    """That of the timing of the occurrence; where nothing was in force, that of the table."""
    montreal = Recurrence(cron=("0 * * * *",), time_zone="America/Montreal")
    table = schedule(recurrence=Recurrence(cron=("0 * * * *",), time_zone="Asia/Tokyo"))

    def local(*timings: Timing) -> str:
        state = ScheduleState(timings=timings, decided_until=NOON)
        record = claims.scheduled(
            table, Occurrence(nominal=NOON), state, CollectState(), after=None, now=NOON
        )
        return environment(record)["RECUR_NOMINAL_TIME_LOCAL"]

    before = Timing(since=NOON - HOUR, recurrence=montreal)
    assert local(before) == "2026-06-01T08:00:00-04:00"
    assert local(before, Timing(since=NOON, recurrence=None)) == "2026-06-01T08:00:00-04:00"
    assert local(replace(before, recurrence=None)) == "2026-06-01T21:00:00+09:00"


def test_what_is_not_known_is_left_out_of_the_environment() -> None:
    """No window begins before the first occurrence of a schedule, and nothing succeeded yet."""
    state = ScheduleState(timings=(Timing(since=NOON, recurrence=HOURLY),), decided_until=NOON)
    other = CollectState(schedules={ID: ScheduleResults()})

    for results in (CollectState(), other):
        record = claims.scheduled(
            schedule(), Occurrence(nominal=NOON), state, results, after=None, now=NOON
        )
        assert "RECUR_WINDOW_START" not in environment(record)
        assert "RECUR_PREVIOUS_SUCCESS" not in environment(record)


@given(st.integers(0, 100_000), st.integers(1, 3000))
def test_jitter_is_the_same_whenever_it_is_asked_for(seconds: int, gap: int) -> None:
    """It is below its limit and below the time to the next occurrence."""
    table = schedule(jitter=timedelta(seconds=seconds))
    upcoming = NOON + timedelta(seconds=gap)

    first, second = (claims.jittered(table, NOON, upcoming) for _ in range(2))

    assert first == second
    if seconds == 0:
        assert first is None
    else:
        assert first is not None
        assert timedelta(0) <= first - NOON < timedelta(seconds=min(seconds, gap))


def test_occurrences_have_different_jitter() -> None:
    """Else all schedules of the hour would start at once again; it spreads over all of its time."""
    table = schedule(jitter=HOUR)
    waits = [claims.jittered(table, NOON + n * 24 * HOUR, None) for n in range(50)]
    minutes = {wait.minute for wait in waits if wait}
    assert len(minutes) > 20
    assert min(minutes) < 10
    assert max(minutes) > 50


@pytest.mark.parametrize(
    ("jitter", "upcoming", "seconds"),
    [
        (timedelta(), None, None),
        (timedelta(milliseconds=999), None, None),
        (SECOND, None, 0),
        (HOUR, NOON + SECOND, 0),
        (SECOND, NOON + HOUR, 0),
    ],
)
def test_jitter_is_whole_seconds_below_its_limit(
    jitter: timedelta, upcoming: datetime | None, seconds: int | None
) -> None:
    """Of less than a second there is none; of one second there is none left to wait."""
    found = claims.jittered(schedule(jitter=jitter), NOON, upcoming)
    assert found == (None if seconds is None else NOON + timedelta(seconds=seconds))


def test_jitter_of_an_occurrence_never_changes() -> None:
    """A new version that computes another one would start what waits at another time."""
    digest = 0x352BDE766F615F82  # the first 16 digits of `sha256sum` of the run id
    table = schedule(jitter=24 * HOUR)
    wait = timedelta(seconds=digest % (24 * 60 * 60))
    assert claims.jittered(table, NOON, None) == NOON + wait


def test_the_environment_of_a_schedule_cannot_hide_the_products_own() -> None:
    """Its own variables are there, those of the product are what they are."""
    record = run_at_noon(schedule(environment={"REPORT": "daily", "RECUR_RUN_ID": "mine"}))
    assert record.task is not None
    assert record.task.environment["REPORT"] == "daily"
    assert record.task.environment["RECUR_RUN_ID"] == record.run_id


def test_a_later_success_is_not_a_previous_one() -> None:
    """A backfilled run is not told of a success after its own time."""
    for success, known in ((NOON - SECOND, True), (NOON, False), (NOON + SECOND, False)):
        results = CollectState(schedules={ID: ScheduleResults(last_success=success)})
        record = run_at_noon(schedule(), results)
        assert ("RECUR_PREVIOUS_SUCCESS" in environment(record)) is known


def test_attempts_end_before_the_next_occurrence_unless_they_queue() -> None:
    """The next occurrence has the place."""
    for overlap, until in ((Overlap.SKIP, NOON + HOUR), (Overlap.QUEUE, None)):
        record = run_at_noon(schedule(recurrence=HOURLY, overlap=overlap))
        assert record.task is not None
        assert record.task.retry_until == until
