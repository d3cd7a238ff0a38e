"""Which jobs of Batch may be deleted, and when they are looked for."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.batch_state import EndedJob, Job
from orchestrator.decisions.housekeeping import EVERY, is_due, may_go
from orchestrator.enums import Outcome
from orchestrator.ids import RunId
from orchestrator.ledger.record import Kind, Past, Record
from orchestrator.ledger.state import HousekeepingMark
from tests.support.hourly import NOON, SECOND, ended

FINAL = replace(ended(Outcome.SUCCEEDED), ledger="led", claim="second")
RUN = FINAL.run_id


def job(**changes: Any) -> EndedJob:  # noqa: ANN401 - values of whatever field
    """Return the job of the run's attempt, with some of its values changed."""
    one = Job(
        state="completed",
        run_id=RUN,
        attempt=1,
        ledger="led",
        claim="second",
        created=NOON,
        finished=NOON,
    )
    return EndedJob(id=changes.pop("id", RUN), etag="0x1", job=replace(one, **changes))


def with_past(claim: str | None) -> Record:
    past = Past(kind=Kind.SCHEDULED, claim=claim, decision=FINAL.decision, attempts=1)
    return replace(FINAL, history=(past,))


@pytest.mark.parametrize(
    ("one", "goes"),
    [
        (job(), True),
        (job(run_id=None, attempt=None, ledger=None, claim=None), False),
        (job(run_id=RunId("nightly-20260601T110000Z")), False),
        (job(attempt=None), False),
        (job(attempt=2), False),
        (job(id=f"{RUN}-r2", attempt=2), False),
        (job(id="another"), False),
        (job(ledger="other"), False),
        (job(ledger=None), False),
        (job(claim="first"), False),
        (job(claim=None), False),
    ],
)
def test_a_job_goes_if_its_final_record_holds_it(one: EndedJob, goes: bool) -> None:
    """Run, ledger, claim, attempt and the id of the job must be those of the record."""
    assert may_go(one, FINAL) is goes
    assert not may_go(one, None)


def test_the_job_of_an_earlier_life_goes_as_well() -> None:
    """The history of the record holds its claim; one of before the ids has none."""
    assert may_go(job(claim="first"), with_past("first"))
    assert not may_go(job(claim="third"), with_past("first"))
    assert may_go(job(ledger=None, claim=None), with_past(None))
    assert not may_go(job(ledger="led", claim=None), with_past(None))
    before = replace(FINAL, ledger=None, claim=None)
    assert may_go(job(ledger=None, claim=None), before)
    assert not may_go(job(), before)


def test_old_jobs_are_looked_for_once_an_hour() -> None:
    """Or at once, while a search is not at its end; never before the first run has ended."""
    mark = HousekeepingMark(at=NOON, after=None, etag="0x1")
    assert not is_due(None, NOON)
    assert not is_due(mark, NOON + EVERY - SECOND)
    assert is_due(mark, NOON + EVERY)
    assert timedelta(hours=1) == EVERY
    assert is_due(replace(mark, after=RUN), NOON)
