"""Checks of the Batch account by its data plane: pool, nodes, jobs, job schedules."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from azure.batch import BatchClient
from azure.batch.models import BatchJobSchedule, BatchNode, BatchPool
from azure.core.exceptions import HttpResponseError

from orchestrator.adapters.calls import enum_word
from orchestrator.duration_text import duration_text
from recur.checks.findings import Finding, good, note, problem, unchecked
from recur.importing.turning_point import MARK, Mark
from recur.target import Target

_NOT_FOUND: Final = 404
_FORBIDDEN: Final = 403
_UNAUTHORIZED: Final = 401
_MISSED_EVALUATIONS: Final = 3
_IDLE: Final = timedelta(minutes=30)


def check_batch(target: Target, now: datetime | None = None) -> Iterator[Finding]:
    """
    Yield what is found in the Batch account.

    Args:
        target: The deployment.
        now: The time from which on nodes count as idle; None: that of this machine.
    """
    with target.batch() as batch:
        pool_id = target.need("BATCH_POOL_ID")
        try:
            pool = batch.get_pool(pool_id)
        except HttpResponseError as error:
            yield _refused(pool_id, error)
            return
        yield from _pool_findings(pool)
        yield from _nodes(batch, pool, now or datetime.now(UTC))


def _refused(pool_id: str, error: HttpResponseError) -> Finding:
    """Say what it means that the pool cannot be read; anything unexpected is raised again."""
    if error.status_code == _NOT_FOUND:
        return problem(
            f"pool {pool_id}",
            "does not exist",
            "every run is blocked (pool_missing)",
            "recur publish, then deploy infra/pool (docs/deploy.md)",
        )
    if error.status_code in {_UNAUTHORIZED, _FORBIDDEN}:
        return problem(
            "Batch account",
            "Batch refuses your identity, or the account's key",
            "pool, nodes and jobs cannot be checked",
            "az role assignment create --role 'Azure Batch Data Contributor' --assignee <you> "
            "--scope <the Batch account>",
        )
    raise error


def _pool_findings(pool: BatchPool) -> Iterator[Finding]:
    check = f"pool {pool.id}"
    state, allocation = _known_word(pool.state), _known_word(pool.allocation_state)
    if state != "active":
        why = "it gets no new nodes"
        yield problem(check, f"is {state}", why, "deploy infra/pool when the pool is gone")
    else:
        yield good(check, f"active, {allocation}")
    wanted = (pool.target_dedicated_nodes or 0) + (pool.target_low_priority_nodes or 0)
    there = (pool.current_dedicated_nodes or 0) + (pool.current_low_priority_nodes or 0)
    for error in pool.resize_errors or ():
        what = f"{error.code}: {(error.message or '').strip()}"
        if there < wanted:
            fix = "ask for more quota, or deploy another VM size (docs/deploy.md)"
            yield problem(f"{check} resize", what, "runs wait, and no node comes", fix)
        else:
            yield note(
                f"{check} resize",
                what,
                "an error of an earlier resize; Batch shows it until the next one",
            )
    yield _formula(check, pool)


def _formula(check: str, pool: BatchPool) -> Finding:
    check = f"{check} formula"
    run, interval = pool.auto_scale_run, pool.auto_scale_evaluation_interval
    why = "the pool keeps its size: runs wait, or idle nodes cost money"
    fix = f"read az batch pool show --pool-id {pool.id} --query autoScaleRun, then deploy infra/pool again"
    if not pool.enable_auto_scale:
        return problem(check, "autoscale is off", why, "deploy infra/pool again")
    if run is None or run.timestamp is None:
        return note(check, "not evaluated yet", "Batch evaluates a new pool within minutes")
    if run.error:
        return problem(check, f"{run.error.code}: {run.error.message}", why, fix)
    age = datetime.now(UTC) - run.timestamp
    if interval and age > interval * _MISSED_EVALUATIONS:
        what = f"last evaluated {duration_text(age)} ago, although it is due every {duration_text(interval)}"
        return problem(check, what, why, "disable and enable autoscale on the pool")
    return good(check, f"evaluated {duration_text(age)} ago")


def _nodes(batch: BatchClient, pool: BatchPool, now: datetime) -> Iterator[Finding]:
    nodes = list(batch.list_nodes(pool.id))
    sick = [node for node in nodes if _known_word(node.state) in {"starttaskfailed", "unusable"}]
    if not sick:
        states = (
            ", ".join(sorted(_known_word(node.state) for node in nodes))
            or "none, as expected while no run is active"
        )
        yield good("nodes", states)
    for node in sick:
        yield problem(
            f"node {node.id}",
            _what_ails(node),
            "it runs nothing, costs money, and counts as a node of the pool",
            f"az batch node file download --pool-id {pool.id} --node-id {node.id} "
            "--file-path startup/stderr.txt --destination ./stderr.txt",
        )
    for node in nodes:
        since = node.state_transition_time
        if _known_word(node.state) == "idle" and now - since > _IDLE:
            yield note(
                f"node {node.id}",
                f"has been idle since {since:%Y-%m-%d %H:%M} UTC",
                "it costs money; the pool's formula removes a node 5 to 15 minutes after its last task",
                "see node-idle in docs/alerts.md",
            )


def _what_ails(node: BatchNode) -> str:
    if _known_word(node.state) == "unusable":
        words = "; ".join(f"{error.code}: {error.message}" for error in node.errors or ())
        return f"unusable: {words or 'no cause given'}"
    start = node.start_task_info
    code = start.exit_code if start else None
    return f"its start task failed{f' with exit code {code}' if code is not None else ''}"


def check_job_schedules(target: Target) -> Iterator[Finding]:
    """Yield one finding for each job schedule of Batch's own kind: Recur makes none."""
    check = "job schedules"
    try:
        with target.batch() as batch:
            found = {one.id: _is(one) for one in batch.list_job_schedules()}
    except HttpResponseError as error:
        if error.status_code in {_UNAUTHORIZED, _FORBIDDEN}:
            yield unchecked(check, f"they cannot be read: {error.reason or error.status_code}")
            return
        raise
    if not found:
        yield good(check, "none")
    for name, what in sorted(found.items()):
        yield note(
            f"job schedule {name}",
            what,
            "it can run tasks with the pool's identities",
            f"az batch job-schedule show --job-schedule-id {name}",
        )


def _is(job_schedule: BatchJobSchedule) -> str:
    state = _known_word(job_schedule.state)
    marks = [one.value for one in job_schedule.metadata or () if one.name == MARK]
    if marks and state == "disabled" and (mark := Mark.read(marks[0])):
        return f"disabled: schedule {mark.schedule} has taken over"
    return f"it is {state}, and Recur did not make it"


def _known_word(value: str | Enum | None) -> str:
    return (enum_word(value) or "unknown").lower()
