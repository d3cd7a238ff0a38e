"""What Batch answers, from the models of its client into values."""

from enum import Enum
from typing import Any

from azure.batch.models import BatchJob, BatchNode, BatchPool, BatchTask

from orchestrator.adapters.calls import enum_word
from orchestrator.batch_state import (
    ATTEMPT_KEY,
    CLAIM_KEY,
    JOB_CLIENT_ID_KEY,
    LEDGER_KEY,
    RUN_ID_KEY,
    Fault,
    Job,
    Node,
    Pool,
    Task,
)

_DETAILS = ("details", "error_details", "error_values")
"""Names of the same thing in the client's five models of errors."""


def read_job(job: BatchJob) -> Job:
    """Return a job as a value."""
    ours = {item.name: item.value for item in job.metadata or ()}
    attempt = ours.get(ATTEMPT_KEY, "")
    info = job.execution_info
    error = info.scheduling_error if info else None
    return Job(
        state=_lower_word(job.state),
        run_id=ours.get(RUN_ID_KEY),
        attempt=int(attempt) if attempt.isdigit() else None,
        created=job.creation_time,
        since=job.state_transition_time,
        ledger=ours.get(LEDGER_KEY),
        claim=ours.get(CLAIM_KEY),
        finished=info.end_time if info else None,
        terminate_reason=info.termination_reason if info else None,
        scheduling_error=_fault(error),
    )


def read_task(task: BatchTask) -> Task:
    """Return a task as a value."""
    info = task.execution_info
    node = task.node_info.node_id if task.node_info else None
    slots = task.required_slots or 1
    if info is None:
        return Task(state=_lower_word(task.state), node=node, slots=slots)
    return Task(
        state=_lower_word(task.state),
        succeeded=_lower_word(info.result) == "success" if info.result else None,
        exit_code=info.exit_code,
        failure=_fault(info.failure_info),
        started=info.start_time,
        finished=info.end_time,
        requeues=info.requeue_count or 0,
        node=node,
        slots=slots,
    )


def read_pool(pool: BatchPool) -> Pool:
    """Return a pool as a value."""
    machine = pool.virtual_machine_configuration
    image = machine.image_reference if machine else None
    parts = [image.publisher, image.offer, image.sku, image.version] if image else []
    metadata = {item.name: item.value for item in pool.metadata or ()}
    run = pool.auto_scale_run
    return Pool(
        state=_lower_word(pool.state),
        # By the service's newest versions an application's id is its whole ARM id.
        packages={
            reference.application_id.rpartition("/")[2]: reference.version or ""
            for reference in pool.application_package_references or ()
        },
        image=":".join(part for part in parts if part) or None,
        windows=bool(machine and "windows" in machine.node_agent_sku_id.lower()),
        job_client_id=metadata.get(JOB_CLIENT_ID_KEY) or None,
        target=(pool.target_dedicated_nodes or 0) + (pool.target_low_priority_nodes or 0),
        current=(pool.current_dedicated_nodes or 0) + (pool.current_low_priority_nodes or 0),
        slots_per_node=pool.task_slots_per_node or 1,
        resize_errors=tuple(
            fault for error in pool.resize_errors or () if (fault := _fault(error))
        ),
        autoscale_error=_fault(run.error) if run else None,
        evaluated=run.timestamp if run else None,
        interval=pool.auto_scale_evaluation_interval,
    )


def read_node(node: BatchNode) -> Node:
    """Return a node as a value."""
    start = node.start_task_info
    return Node(
        id=node.id,
        state=_lower_word(node.state),
        start_task_exit_code=start.exit_code if start else None,
        start_task_failure=_fault(start.failure_info) if start else None,
        errors=tuple(fault for error in node.errors or () if (fault := _fault(error))),
        dedicated=bool(node.is_dedicated),
        allocated=node.allocation_time,
    )


def _fault(error: Any) -> Fault | None:  # noqa: ANN401 - five models of the client, one shape
    if error is None:
        return None
    named = (getattr(error, name, None) for name in _DETAILS)
    values = [str(one.value) for several in named for one in several or () if one.value]
    return Fault(
        code=error.code or "Unknown",
        message=(error.message or "").strip(),
        details=": ".join(values),
    )


def _lower_word(value: str | Enum | None) -> str:
    """Return an enum's word in lower case: the service's own casing is not uniform."""
    return (enum_word(value) or "").lower()
