"""Why a run stands as it does follows from its record and its pool, and reads as in the status."""

from dataclasses import replace
from typing import Any

import pytest

from orchestrator import ids
from orchestrator.batch_state import Fault
from orchestrator.enums import After, AttemptState, BlockedReason, Outcome, Reason
from orchestrator.ids import RunId
from orchestrator.ledger.attempt import Stop
from orchestrator.ledger.record import Action, LastWords, Record, metadata
from orchestrator.ledger.state import OpenRun, damaged_open_run, read_open_run
from recur.causes.run_cause import RunCause, run_cause
from recur.causes.surroundings import OpenLine, Surroundings, Unreadable
from recur.causes.trouble import Health, Kind
from recur.status.overview import status_of, with_details
from recur.status.value import State, Status
from tests.support.records import claimed, decided, ran, replaced
from tests.support.status_readings import (
    ACCOUNT,
    HOUR,
    MINUTE,
    NIGHTLY,
    NOBODY,
    NOW,
    POOL,
    TWO,
    node,
    readings,
    recent,
    recent_run,
    surroundings,
)

RUN = ids.run_id(NIGHTLY, TWO)
FAILED_START = node(
    "starttaskfailed", start_task_exit_code=7, start_task_failure=Fault(code="X", message="No")
)
DISK_FULL = node("unusable", errors=(Fault(code="DiskFull", message="There is no space left"),))


def opened(**changes: Any) -> Record:  # noqa: ANN401 - fields of the attempt
    """Return the open record of the run of two o'clock, an hour ago."""
    record = claimed(TWO)
    return record.with_attempt(replaced(record.attempt, **({"account": ACCOUNT} | changes)))


def submitted(**changes: Any) -> Record:  # noqa: ANN401 - fields of the attempt
    """Return the same, submitted ten minutes ago."""
    values = {"state": AttemptState.SUBMITTED, "submitted": NOW - 10 * MINUTE, "pool": "recur"}
    return opened(**(values | changes))


RUNNING = submitted(started=NOW - 5 * MINUTE, node="node-1")
WAITING = submitted()


def line_of(record: Record) -> OpenRun:
    run = read_open_run(ids.open_blob(record.run_id), metadata(record))
    assert run
    return run


def cause_of(record: Record, around: Surroundings | None = None, *runs: OpenRun) -> RunCause:
    return run_cause(record, is_open=True, around=around or surroundings(), open_runs=runs)


def status_with(record: Record, around: Surroundings) -> Status:
    """Return the status of a deployment in which this is the only open run."""
    blocked = record.attempt.blocked
    line = OpenLine(run=line_of(record), blocked=blocked.value if blocked else None)
    changes = {"on_laptop": around.on_laptop, "pool": around.pool, "nodes": around.nodes}
    read = readings(line, start_task=around.start_task, **changes)
    return with_details(status_of(read), {record.run_id: record}, on_laptop=around.on_laptop)


TROUBLES = {
    "pool gone": (opened(blocked=BlockedReason.POOL_MISSING), {"pool": None}),
    "quota": (opened(blocked=BlockedReason.QUOTA, blocked_detail="All 100 are active."), {}),
    "start task": (WAITING, {"nodes": (FAILED_START,), "start_task": ("pip: no such file",)}),
    "start task unread": (WAITING, {"nodes": (FAILED_START,), "start_task": NOBODY}),
    "node lost while it waits": (WAITING, {"nodes": (DISK_FULL,)}),
    "node lost while it runs": (RUNNING, {"nodes": (DISK_FULL,)}),
    "node gone": (RUNNING, {"nodes": (node("running", id="node-2"),)}),
    "pool gone while it runs": (RUNNING, {"pool": None}),
    "overdue": (submitted(submitted=NOW - 5 * HOUR), {}),
    "disabled and overdue": (submitted(submitted=NOW - 5 * HOUR, diagnosis="It is disabled."), {}),
    "elsewhere": (opened(account="https://old.example"), {}),
}


@pytest.mark.parametrize("on_laptop", [False, True])
@pytest.mark.parametrize(("record", "changes"), TROUBLES.values(), ids=TROUBLES)
def test_a_run_reads_as_it_does_in_the_status(
    record: Record, changes: dict[str, Any], *, on_laptop: bool
) -> None:
    """Cause, remedy and last lines are the same, in Azure and on a laptop."""
    around = surroundings(on_laptop=on_laptop, **changes)

    found = cause_of(record, around)

    (trouble,) = status_with(record, around).troubles
    assert found.cause == trouble.cause
    assert found.next_step == trouble.next_step
    assert found.last_lines == trouble.last_lines


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome.FAILED, Reason.COMMAND_NOT_FOUND),
        (Outcome.LOST, Reason.NODE_UNUSABLE),
        (Outcome.NEVER_STARTED, Reason.START_TASK_FAILED),
    ],
)
def test_an_end_reads_as_it_does_in_the_status(outcome: Outcome, reason: Reason) -> None:
    """With the last lines of stderr."""
    words = LastWords(stderr="a\nb\nno such file\n")
    record = ran(TWO, outcome, reason, last_words=words)

    found = run_cause(record, is_open=False, around=surroundings())

    status = status_of(readings(recent=recent(recent_run(outcome, reason))))
    (trouble,) = with_details(status, {RUN: record}, on_laptop=False).troubles
    assert found.cause == trouble.cause == f"{outcome} ({reason}): It {outcome}"
    assert found.next_step == trouble.next_step
    assert found.last_lines == trouble.last_lines == ("a", "b", "no such file")


def test_a_lost_node_takes_the_run_back_to_waiting() -> None:
    """The ledger says that it runs, and Batch that its node does not."""
    around = surroundings(nodes=(DISK_FULL,))

    found = cause_of(RUNNING, around)
    status = status_with(RUNNING, around)

    assert (found.stands.word, found.stands.reason) == ("submitted", "node_lost")
    assert "There is no space left (DiskFull)" in (found.cause or "")
    (row,) = status.schedules
    assert (row.health, row.state, row.since) == (Health.PROBLEM, State.WAITING, None)
    (trouble,) = status.troubles
    assert (trouble.kind, trouble.health) == (Kind.NODE_LOST, Health.PROBLEM)
    assert trouble.since is None


@pytest.mark.parametrize("state", ["running", "idle", "offline"])
def test_a_node_that_may_have_the_task_is_no_cause(state: str) -> None:
    """A node that is offline takes no new task, and goes on with its own."""
    found = cause_of(RUNNING, surroundings(nodes=(node(state),)))

    assert (found.stands.word, found.cause) == ("running", None)
    assert found.next_step == f"recur logs {RUN} -f follows it to its end"


@pytest.mark.parametrize("state", ["preempted", "unknown", "leavingpool", None])
def test_a_node_that_batch_replaces_is_a_note(state: str | None) -> None:
    """Its task goes back into the queue: nobody has to act."""
    around = surroundings(nodes=(node(state),) if state else ())

    status = status_with(RUNNING, around)

    (trouble,) = status.troubles
    assert (trouble.kind, trouble.health) == (Kind.NODE_LOST, Health.NOTE)
    assert (state or "no longer in the pool") in trouble.cause
    assert not status.needs_person


def test_the_node_of_another_pool_is_not_judged_by_this_one() -> None:
    """The settings have changed since it was submitted; one that waits is told to wait there."""
    runs = submitted(started=NOW - 5 * MINUTE, node="node-1", pool="before")
    waits = submitted(pool="before")

    assert status_with(runs, surroundings()).troubles == ()
    (trouble,) = status_with(waits, surroundings(pool=None)).troubles
    assert trouble.health is Health.NOTE
    assert "pool before" in trouble.cause


def test_a_pool_that_cannot_be_read_is_named_with_the_role() -> None:
    """It may hold the cause."""
    hidden = Unreadable(why="the pool cannot be read", next_step="the role Reader is missing")
    around = surroundings(pool=hidden)

    assert cause_of(WAITING, around).unread == hidden.sentence
    assert cause_of(WAITING, around).next_step.startswith("recur doctor")
    assert cause_of(RUNNING, around).unread == hidden.sentence
    assert "the role Reader is missing" in hidden.sentence
    assert cause_of(opened(blocked=BlockedReason.QUOTA), around).unread is None


def test_a_run_that_waits_for_a_sound_pool_says_how_the_pool_stands() -> None:
    """Nothing is wrong: its node is about to come."""
    found = cause_of(WAITING, surroundings(pool=replace(POOL, target=1)))

    assert found.cause == "No node took the task: the pool has 0 of 1 nodes"
    assert found.next_step == f"recur logs {RUN} -f follows it to its end"


def test_a_run_that_waits_for_busy_nodes_says_so() -> None:
    """Nothing is wrong with a pool that runs something else first."""
    found = cause_of(WAITING, surroundings(nodes=(node("running"),)))

    assert found.cause == "it waits for its turn: the nodes of the pool are busy with other tasks"


@pytest.mark.parametrize("record", [WAITING, RUNNING])
def test_a_run_whose_job_has_ended_waits_for_no_node(record: Record) -> None:
    """It waits for the collector alone, however the pool stands by now."""
    found = run_cause(record, is_open=True, around=surroundings(pool=None), job_ended=True)

    assert found.cause == "its job has ended in Batch, and no collect tick has recorded that yet"
    assert found.next_step.startswith("recur tick collect ")


def test_an_open_record_without_metadata_is_mended_by_a_collect_tick() -> None:
    """In the status as well, which does not know whether the record itself can be read."""
    why = "it bears no metadata"
    found = run_cause(WAITING, is_open=True, around=surroundings(), unlisted=why)
    damaged = damaged_open_run(ids.open_blob(RUN), NOW - HOUR)
    assert damaged
    (trouble,) = status_of(readings(OpenLine(run=damaged))).troubles

    assert found.cause == (
        "the metadata of its open record cannot be read, and a collect tick writes them again: "
        + why
    )
    for step in (found.next_step, trouble.next_step):
        assert step.startswith("recur tick collect ")


def test_a_run_in_the_queue_names_the_run_in_its_way() -> None:
    """And the command that looks at that one."""
    before = replaced(claimed(TWO - HOUR))
    ahead = line_of(before)

    found = cause_of(opened(after=After.QUEUE), None, ahead)

    assert found.in_the_way == (before.run_id,)
    assert found.next_step == f"recur show {before.run_id} says how that run stands"
    nobody = cause_of(opened(after=After.QUEUE))
    assert nobody.in_the_way == ()
    assert "the next tick submits it" in (nobody.cause or "")


def test_an_occurrence_that_was_skipped_names_the_run_that_was_in_the_way() -> None:
    """By its record."""
    before = RunId("nightly-20260601T020000Z")
    record = decided(
        TWO, Action.SKIPPED, reason="overlap", because=before, sentence="Skipped: run x ran."
    )

    found = run_cause(record, is_open=False, around=surroundings())

    assert (found.cause, found.in_the_way) == ("Skipped: run x ran", (before,))
    assert found.next_step == f"recur show {before} says how that run stands"


def test_a_run_that_is_being_ended_says_why() -> None:
    """By the words of whoever asked for it."""
    stop = Stop(cause=Reason.STOPPED, reason=Reason.STOPPED, sentence="Jane did.", at=NOW - MINUTE)

    found = cause_of(replaced(RUNNING, stop=stop), surroundings(nodes=(DISK_FULL,)))

    assert (found.stands.word, found.cause) == ("stopping", "Jane did")


def test_a_run_that_is_due_is_left_to_the_next_tick() -> None:
    """Nothing is wrong for a quarter of an hour."""
    record = opened(claimed=NOW - MINUTE)

    found = cause_of(record)

    assert found.cause is None
    assert found.next_step.startswith("recur tick")


def test_a_success_has_no_cause() -> None:
    """It leads to its output."""
    found = run_cause(ran(TWO), is_open=False, around=surroundings())

    assert (found.stands.word, found.cause, found.unread) == ("succeeded", None, None)
    assert found.next_step == f"recur logs {RUN}"


def test_a_start_task_that_failed_ends_with_its_words() -> None:
    """What cannot be read of them is told in the cause."""
    told = cause_of(WAITING, surroundings(nodes=(FAILED_START,), start_task=("no pip",)))
    hidden = cause_of(WAITING, surroundings(nodes=(FAILED_START,), start_task=NOBODY))

    assert told.last_lines == ("no pip",)
    assert "exit code 7" in (told.cause or "")
    assert NOBODY.sentence in (hidden.cause or "")


def test_many_last_lines_are_cut() -> None:
    """To as many as are asked for."""
    words = LastWords(stderr="".join(f"{number}\n" for number in range(20)))
    record = ran(TWO, Outcome.FAILED, Reason.EXIT_CODE, last_words=words)

    found = run_cause(record, is_open=False, around=surroundings(), lines=5)

    assert found.last_lines == ("15", "16", "17", "18", "19")
