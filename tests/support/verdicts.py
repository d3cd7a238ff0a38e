"""What Batch says of a job and a task, and what follows, for tests of both."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from orchestrator.batch_state import Fault, Job, Task
from orchestrator.decisions.outcome import AttemptVerdict, Ended, conclude
from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.ids import RunId
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.record import Record
from tests.support.records import RECORD

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
NODE = "tvm-1"
RUN = RunId("nightly-20260601T120000Z")
STOP = Stop(
    cause=Reason.START_TIMEOUT, reason=Reason.NO_NODE, sentence="No node.", at=NOON + 30 * MINUTE
)
ACTIVE = Job(state="active", run_id=RUN, attempt=1, created=NOON)
COMPLETED = replace(ACTIVE, state="completed", terminate_reason="JMComplete")
WAITING = Task(state="active")
RUNNING = Task(state="running", started=NOON + MINUTE)
DONE = Task(
    state="completed",
    succeeded=True,
    exit_code=0,
    started=NOON + MINUTE,
    finished=NOON + 2 * MINUTE,
)


def failed(exit_code: int | None, code: str = "FailureExitCode") -> Task:
    """Return a task that failed after a minute."""
    failure = Fault(code=code, message="The task failed")
    return replace(DONE, succeeded=False, exit_code=exit_code, failure=failure)


def ending(state: str, *, hours: float) -> Job:
    """Return a job that Batch has been ending since noon less so many hours."""
    return replace(ACTIVE, state=state, since=NOON - timedelta(hours=hours))


def result(verdict: AttemptVerdict) -> tuple[Outcome | None, Reason | None]:
    """Return outcome and reason of an attempt that has ended."""
    assert isinstance(verdict, Ended)
    assert verdict.attempt.state is AttemptState.ENDED
    assert verdict.attempt.sentence
    return verdict.attempt.outcome, verdict.attempt.reason


def at(minutes: int, job: Job | None, task: Task | None, record: Record = RECORD) -> AttemptVerdict:
    """Conclude so many minutes after noon."""
    return conclude(record, job, task, NOON + minutes * MINUTE)


def sentence(verdict: AttemptVerdict) -> str | None:
    """Return the sentence of an attempt that has ended."""
    assert isinstance(verdict, Ended)
    return verdict.attempt.sentence
