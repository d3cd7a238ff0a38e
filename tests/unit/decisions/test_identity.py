"""Whose a job is, and which life of a run a record tells of."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.batch_state import Job
from orchestrator.decisions.identity import (
    Whose,
    claim_id,
    identified,
    is_job_of,
    is_ours,
    is_stale,
    numbered,
    tells_of,
    whose,
)
from orchestrator.enums import SkipReason
from orchestrator.ids import RunId
from orchestrator.ledger.record import Action, Kind, Past, Record
from tests.support.records import RECORD, decided

RUN = RECORD.run_id
AT = RECORD.decision.at
OURS = replace(RECORD, ledger="ledger", claim="claim")
JOB = Job(state="active", run_id=RUN, attempt=1, created=None, ledger=OURS.ledger, claim=OURS.claim)
OLD = Job(state="active", run_id=RUN, attempt=1, created=None)
"""A job that an earlier version created."""

type Parts = tuple[str, RunId, datetime, str | None]

texts = st.text(st.characters(codec="ascii", exclude_characters="\n"), max_size=5)
parts = st.tuples(texts, texts.map(RunId), st.datetimes(), st.none() | texts.filter(bool))


@given(parts, parts)
def test_a_claim_id_is_the_same_for_a_replay_and_another_for_any_other_claim(
    one: Parts, other: Parts
) -> None:
    """Ledger, run, time of the decision and request make it."""
    assert (claim_id(*one) == claim_id(*other)) is (one == other)


def test_what_submits_has_both_ids_and_what_does_not_its_ledger_alone() -> None:
    """No job ever bears the id of a decision that submits nothing."""
    skipped = decided(AT, Action.SKIPPED, reason=SkipReason.PAUSED)

    submits, not_ = identified(RECORD, "ledger"), identified(skipped, "ledger")

    assert (submits.ledger, submits.claim) == ("ledger", claim_id("ledger", RUN, AT, None))
    assert (not_.ledger, not_.claim) == ("ledger", None)


def test_another_number_is_another_job() -> None:
    """The attempt in hand changes, and nothing else."""
    third = numbered(RECORD, 3)
    assert (third.attempt.number, third.attempt.job_id) == (3, f"{RUN}-r3")
    assert numbered(third, 1) == RECORD


@pytest.mark.parametrize(
    ("record", "job", "owner"),
    [
        (OURS, JOB, Whose.OURS),
        (OURS, replace(JOB, attempt=7), Whose.OURS),
        (OURS, replace(JOB, state="completed"), Whose.OURS),
        (RECORD, OLD, Whose.OURS),
        (OURS, replace(JOB, claim="older"), Whose.TAKEN),
        (OURS, replace(JOB, claim="older", state="completed"), Whose.ENDED),
        (OURS, replace(JOB, claim="older", state="deleting"), Whose.TAKEN),
        (OURS, replace(JOB, ledger="other", state="completed"), Whose.TAKEN),
        (OURS, replace(JOB, run_id=None, state="completed"), Whose.TAKEN),
        (OURS, replace(JOB, run_id=RunId("x"), state="completed"), Whose.TAKEN),
        (OURS, replace(OLD, state="completed"), Whose.ENDED),
        (RECORD, replace(JOB, state="completed"), Whose.TAKEN),
        (OURS, None, Whose.GONE),
    ],
)
def test_whose_a_job_is(record: Record, job: Job | None, owner: Whose) -> None:
    """By ledger, run and claim; the attempt and any time say nothing."""
    assert whose(record, job) is owner
    if job is not None:
        assert is_ours(record, job) is (owner is Whose.OURS)


def test_the_work_list_knows_a_job_by_its_claim() -> None:
    """Both without one agree as well."""
    assert is_job_of(RUN, "claim", JOB)
    assert is_job_of(RUN, None, OLD)
    assert not is_job_of(RUN, None, JOB)
    assert not is_job_of(RUN, "claim", OLD)


RERUN = replace(OURS, kind=Kind.BACKFILLED, request="r1")
PAST = Past(kind=Kind.BACKFILLED, claim="claim", request="r1", decision=OURS.decision)


@pytest.mark.parametrize(
    ("record", "final", "stale"),
    [
        (RERUN, RERUN, True),
        (RERUN, replace(RERUN, claim="later", history=(PAST,)), True),
        (RERUN, replace(OURS, claim="older"), False),
        (RERUN, RECORD, False),  # as it was before the backfill, and written anew
        (OURS, replace(OURS, claim="older"), True),  # a schedule claims the first life alone
        (replace(RERUN, claim=None), replace(RERUN, claim=None), True),
        (replace(RERUN, claim=None), RECORD, False),
        (
            replace(RERUN, claim=None),
            replace(RERUN, claim="later", request="r2", history=(replace(PAST, claim=None),)),
            True,
        ),
    ],
)
def test_a_claim_is_stale_where_a_final_record_holds_its_life(
    record: Record, final: Record, stale: bool
) -> None:
    """Its history counts; a final record that was rewritten does not drop a rerun."""
    assert is_stale(record, final) is stale
    if record is not OURS:
        assert tells_of(final, record) is stale


def test_a_claim_made_later_is_another_life() -> None:
    """Also of the same run and ledger."""
    later = replace(RECORD.decision, at=AT + timedelta(seconds=1))
    assert identified(replace(RECORD, decision=later), "l").claim != identified(RECORD, "l").claim
