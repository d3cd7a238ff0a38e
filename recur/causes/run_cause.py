"""Why one run stands as it does, by its record and what it runs in: a pure function."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator import ids
from orchestrator.ids import RunId
from orchestrator.ledger.record import Action, Record, metadata
from orchestrator.ledger.state import OpenRun, read_open_run
from recur.causes.ended_run import LAST_LINES, recorded_trouble
from recur.causes.in_the_way import runs_ahead, waiting_sentence
from recur.causes.not_run import not_run_cause
from recur.causes.open_run import held_up, lost_node, open_run_trouble, with_record
from recur.causes.pool_causes import pool_sentence
from recur.causes.remedies import ended_remedy
from recur.causes.surroundings import OpenLine, Surroundings, Unreadable
from recur.causes.trouble import Trouble
from recur.ledger_reader.run_state import RunState, run_state

_WAITS: Final = frozenset({"submitted", "running"})
"""States in which the pool matters."""
_DOCTOR: Final = "recur doctor names what is missing, and how to fix it"

_JOB_ENDED: Final = "its job has ended in Batch, and no collect tick has recorded that yet"
_NO_METADATA: Final = (
    "the metadata of its open record cannot be read, and a collect tick writes them again"
)
_COLLECT: Final = "recur tick collect does by hand what the next collect tick does"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCause:
    """
    Why a run stands as it does.

    Attributes:
        stands: Its state: by its record, unless Batch says that its node is lost.
        cause: In a sentence without a full stop; None: it goes on, or ended, as it should.
        next_step: What to do, with a command; or, where nothing is wrong, what shows more.
        last_lines: The end of what it wrote, or of what a start task said that failed.
        in_the_way: The runs for which it waits, or did not run.
        unread: What could not be read that may hold the cause, and the role that is missing.
    """

    stands: RunState
    cause: str | None
    next_step: str
    last_lines: tuple[str, ...] = ()
    in_the_way: tuple[RunId, ...] = ()
    unread: str | None = None


def run_cause(  # noqa: PLR0913 - what a cause follows from
    record: Record,
    *,
    is_open: bool,
    around: Surroundings,
    open_runs: Sequence[OpenRun] = (),
    job_ended: bool = False,
    unlisted: str | None = None,
    lines: int = LAST_LINES,
) -> RunCause:
    """
    Return why a run stands as it does, or an occurrence did not run.

    Args:
        record: Its open record, or its final one.
        is_open: Which of both.
        around: What it runs in; of one that has ended, the pool does not matter.
        open_runs: The work list.
        job_ended: Whether Batch says that its job is completed.
        unlisted: Why the metadata of its open record cannot be read; None: they can.
        lines: So many of the last lines that it wrote, at most.
    """
    stands = run_state(record, around.now, is_open=is_open)
    if unlisted:
        return RunCause(stands=stands, cause=f"{_NO_METADATA}: {unlisted}", next_step=_COLLECT)
    if is_open and record.attempts:
        if job_ended and stands.word in _WAITS:
            return RunCause(stands=stands, cause=_JOB_ENDED, next_step=_COLLECT)
        return _of_open(record, stands, around, open_runs)
    if record.decision.action is not Action.SUBMIT:
        cause, step = not_run_cause(record)
        because = record.decision.because
        way = (RunId(because),) if because else ()
        return RunCause(stands=stands, cause=cause, next_step=step, in_the_way=way)
    failed = recorded_trouble(record, on_laptop=around.on_laptop, lines=lines)
    if failed:
        return _of_trouble(failed, stands)
    step = ended_remedy(record, on_laptop=around.on_laptop)
    return RunCause(stands=stands, cause=None, next_step=step)


def _of_trouble(trouble: Trouble, stands: RunState, unread: str | None = None) -> RunCause:
    return RunCause(
        stands=stands,
        cause=trouble.cause,
        next_step=trouble.next_step,
        last_lines=trouble.last_lines,
        unread=unread,
    )


def _of_open(
    record: Record, stands: RunState, around: Surroundings, open_runs: Sequence[OpenRun]
) -> RunCause:
    line = _line(record)
    pool = around.pool
    unread = pool.sentence if isinstance(pool, Unreadable) and stands.word in _WAITS else None
    if lost_node(line, around):
        stands = RunState(word="submitted", reason="node_lost")
    timeout = record.task.run_timeout if record.task else None
    if trouble := open_run_trouble(line, around, timeout):
        return _of_trouble(with_record(trouble, record, on_laptop=around.on_laptop), stands, unread)
    if held := held_up(record, on_laptop=around.on_laptop):
        return RunCause(stands=stands, cause=held[0], next_step=held[1], unread=unread)
    attempt = record.attempt
    if stands.word == "waiting" and attempt.after and stands.reason == attempt.after:
        ahead = runs_ahead(record, open_runs)
        step = f"recur show {ahead[0]} says how that run stands" if ahead else _tick()
        cause = waiting_sentence(record, ahead)
        return RunCause(stands=stands, cause=cause, next_step=step, in_the_way=ahead)
    return RunCause(
        stands=stands,
        cause=_plain_cause(record, stands, around, unread),
        next_step=_DOCTOR if unread else _follow(record, stands),
        unread=unread,
    )


def _plain_cause(
    record: Record, stands: RunState, around: Surroundings, unread: str | None
) -> str | None:
    """Say of a run that goes on as it should what it waits for."""
    if record.stop:
        return record.stop.sentence.rstrip(".")
    if stands.word == "submitted" and unread is None:
        return pool_sentence(around)
    return None


def _follow(record: Record, stands: RunState) -> str:
    if stands.word in {"claimed", "waiting"}:
        return _tick()
    return f"recur logs {record.run_id} -f follows it to its end"


def _tick() -> str:
    return "recur tick does the work of the next tick now"


def _line(record: Record) -> OpenLine:
    """Return the line of the work list that an open record has, or will have."""
    run = read_open_run(ids.open_blob(record.run_id), metadata(record))
    assert run is not None, "our own metadata"  # noqa: S101
    blocked = record.attempt.blocked
    return OpenLine(run=run, blocked=blocked.value if blocked else None)
