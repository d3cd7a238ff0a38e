"""Resources as the service prints them."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from batch_emulator.dataplane.endpoints import show_endpoints
from batch_emulator.runtime.backlog import Counts, Progress, TaskCounts
from batch_emulator.runtime.enums import NodeState, TaskState
from batch_emulator.runtime.execution import Execution, Failure
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.node import Node, RecentTask
from batch_emulator.runtime.state.pool import Pool, Scaling
from batch_emulator.runtime.state.task import Task
from batch_emulator.runtime.state.visit import Visit
from batch_emulator.wire import Json, print_etag, print_time

_AGENT_VERSION = "emulator"
NODE_IPV6: Final = "::1"
_IMAGE_VERSION = "1.0.0"
_COUNTED: Final[dict[str, NodeState | None]] = {
    "creating": NodeState.CREATING,
    "idle": NodeState.IDLE,
    "leavingPool": NodeState.LEAVING_POOL,
    "offline": NodeState.OFFLINE,
    "preempted": NodeState.PREEMPTED,
    "rebooting": NodeState.REBOOTING,
    "reimaging": NodeState.REIMAGING,
    "running": NodeState.RUNNING,
    "starting": NodeState.STARTING,
    "startTaskFailed": NodeState.START_TASK_FAILED,
    "unusable": NodeState.UNUSABLE,
    "unknown": None,
    "upgradingOS": None,
    "waitingForStartTask": NodeState.WAITING_FOR_START_TASK,
    "deallocated": NodeState.DEALLOCATED,
    "deallocating": NodeState.DEALLOCATING,
}
"""The states of nodes by the names of their counts; None: no node here enters it."""


def present(**values: object) -> Json:
    """Return the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[Json]:
    return [{"name": name, "value": value} for name, value in pairs]


def _failure_info(failure: Failure) -> Json:
    return {
        "category": failure.category,
        "code": failure.code,
        "message": failure.message,
        **present(details=_pairs(failure.details) or None),
    }


def pool_url(base: str, pool: Pool) -> str:
    """Return a pool's address."""
    return f"{base}/pools/{pool.id}"


def node_url(base: str, node: Node) -> str:
    """Return a node's address."""
    return f"{pool_url(base, node.pool)}/nodes/{node.id}"


def job_url(base: str, job: Job) -> str:
    """Return a job's address."""
    return f"{base}/jobs/{job.id}"


def task_url(base: str, task: Task) -> str:
    """Return a task's address."""
    return f"{job_url(base, task.job)}/tasks/{task.id}"


def show_scaling(run: Scaling) -> Json:
    """Print what an evaluation of a formula said."""
    error = None
    if run.error is not None:
        values = _pairs(("Message", detail) for detail in run.error.details)
        error = {"code": run.error.code, "message": run.error.message, "values": values}
    return present(timestamp=print_time(run.at), results=run.results, error=error)


def _resize_error(failure: Failure) -> Json:
    return {"code": failure.code, "message": failure.message}


def show_pool(pool: Pool, base: str) -> Json:
    """Print a pool."""
    body = {name: value for name, value in pool.body.items() if name not in {"id", "displayName"}}
    return {
        "id": pool.id,
        **present(displayName=pool.body.get("displayName")),
        "url": pool_url(base, pool),
        "eTag": print_etag(pool.modified),
        "lastModified": print_time(pool.modified),
        "creationTime": print_time(pool.created),
        "state": pool.state,
        "stateTransitionTime": print_time(pool.state_since),
        "allocationState": pool.allocation,
        "allocationStateTransitionTime": print_time(pool.allocation_since),
        "currentDedicatedNodes": pool.current(dedicated=True),
        "targetDedicatedNodes": pool.target_dedicated,
        "currentLowPriorityNodes": pool.current(dedicated=False),
        "targetLowPriorityNodes": pool.target_low_priority,
        **body,
        **present(
            autoScaleRun=pool.scaling and show_scaling(pool.scaling),
            resizeErrors=[_resize_error(error) for error in pool.resize_errors] or None,
        ),
    }


def _side_task_info(execution: Execution) -> Json:
    """Print the last run of a start, job preparation or job release task."""
    return present(
        state="completed" if execution.ended else "running",
        startTime=execution.started and print_time(execution.started),
        endTime=execution.ended and print_time(execution.ended),
        exitCode=execution.exit_code,
        failureInfo=execution.failure and _failure_info(execution.failure),
        result=execution.result,
        retryCount=execution.retries,
        lastRetryTime=execution.last_retry and print_time(execution.last_retry),
    )


def _node_error(failure: Failure) -> Json:
    return {
        "code": failure.code,
        "message": failure.message,
        "errorDetails": _pairs(failure.details),
    }


def show_node(node: Node, base: str) -> Json:
    """Print a node, with this machine's loopback address."""
    image = node.pool.body["virtualMachineConfiguration"]["imageReference"]
    version = image.get("version", _IMAGE_VERSION)
    leaving = node.draining or node.state is NodeState.LEAVING_POOL
    agent = node.booted and {
        "version": _AGENT_VERSION,
        "lastUpdateTime": print_time(node.booted),
    }
    return {
        "id": node.id,
        "url": node_url(base, node),
        "state": node.state,
        "schedulingState": "disabled" if leaving else node.scheduling,
        "stateTransitionTime": print_time(node.state_since),
        **present(lastBootTime=node.booted and print_time(node.booted)),
        "allocationTime": print_time(node.allocated),
        "ipAddress": "127.0.0.1",
        "ipv6Address": NODE_IPV6,
        "affinityId": f"TVM:{node.id}",
        "vmSize": node.pool.body["vmSize"],
        "totalTasksRun": node.total_run,
        "totalTasksSucceeded": node.total_succeeded,
        "runningTasksCount": len(node.runs),
        "runningTaskSlotsCount": node.slots_taken,
        **present(
            recentTasks=[_show_recent(task, base) for task in node.recent] or None,
            startTask=node.pool.body.get("startTask"),
            startTaskInfo=node.start and _side_task_info(node.start),
            errors=[_node_error(error) for error in node.errors] or None,
            nodeAgentInfo=agent,
        ),
        "isDedicated": node.dedicated,
        **present(endpointConfiguration=show_endpoints(node)),
        "virtualMachineInfo": {
            "imageReference": {
                **image,
                "exactVersion": _IMAGE_VERSION if version == "latest" else version,
            }
        },
    }


def _show_recent(recent: RecentTask, base: str) -> Json:
    return {
        "taskUrl": f"{base}/jobs/{recent.job}/tasks/{recent.task}",
        "jobId": recent.job,
        "taskId": recent.task,
        "taskState": recent.state,
        "executionInfo": _task_execution(recent.execution),
    }


def show_node_counts(pool: Pool) -> Json:
    """Print how many nodes of a pool are in each state."""
    return {
        "poolId": pool.id,
        "dedicated": _node_counts(pool, dedicated=True),
        "lowPriority": _node_counts(pool, dedicated=False),
    }


def _node_counts(pool: Pool, *, dedicated: bool) -> Json:
    counts = Counter(node.state for node in pool.nodes.values() if node.dedicated == dedicated)
    named = {name: counts[state] for name, state in _COUNTED.items() if state}
    return dict.fromkeys(_COUNTED, 0) | named | {"total": counts.total()}


def show_job(job: Job, base: str) -> Json:
    """Print a job."""
    body = {name: value for name, value in job.body.items() if name not in {"id", "displayName"}}
    return {
        "id": job.id,
        **present(displayName=job.body.get("displayName")),
        "url": job_url(base, job),
        "eTag": print_etag(job.modified),
        "lastModified": print_time(job.modified),
        "creationTime": print_time(job.created),
        "state": job.state,
        "stateTransitionTime": print_time(job.state_since),
        **_previous(job),
        **body,
        "executionInfo": present(
            startTime=print_time(job.created),
            endTime=job.ended and print_time(job.ended),
            poolId=job.pool_id,
            schedulingError=job.scheduling_error and _failure_info(job.scheduling_error),
            terminateReason=job.reason if job.ended else None,
        ),
    }


def show_visit(job: Job, visit: Visit, base: str) -> Json:
    """Print the status of a job's preparation and release tasks on one node."""
    infos = {}
    for kind, execution in (("Preparation", visit.preparation), ("Release", visit.release)):
        if execution is not None:
            root = f"{job.root}/{job.body[f'job{kind}Task']['id']}"
            info = _side_task_info(execution)
            info["taskRootDirectory"] = root
            info["taskRootDirectoryUrl"] = f"{node_url(base, visit.node)}/files/{root}"
            infos[f"job{kind}TaskExecutionInfo"] = info
    for name in ("retryCount", "lastRetryTime"):  # a job release task is never retried
        infos.get("jobReleaseTaskExecutionInfo", {}).pop(name, None)
    return {
        "poolId": visit.node.pool.id,
        "nodeId": visit.node.id,
        "nodeUrl": node_url(base, visit.node),
        **infos,
    }


def _previous(thing: Job | Task) -> Json:
    if thing.previous is None:
        return {}
    state, since = thing.previous
    return {"previousState": state, "previousStateTransitionTime": print_time(since)}


def _task_execution(execution: Execution) -> Json:
    return present(
        startTime=execution.started and print_time(execution.started),
        endTime=execution.ended and print_time(execution.ended),
        exitCode=execution.exit_code,
        failureInfo=execution.failure and _failure_info(execution.failure),
        result=execution.result,
        retryCount=execution.retries,
        lastRetryTime=execution.last_retry and print_time(execution.last_retry),
        requeueCount=execution.requeues,
        lastRequeueTime=execution.last_requeue and print_time(execution.last_requeue),
    )


def _node_info(task: Task, node: Node, base: str) -> Json:
    address = node_url(base, node)
    where = {
        "affinityId": f"TVM:{node.id}",
        "nodeUrl": address,
        "poolId": node.pool.id,
        "nodeId": node.id,
    }
    if task.state is TaskState.PREPARING:
        return where
    root = {"taskRootDirectory": task.root, "taskRootDirectoryUrl": f"{address}/files/{task.root}"}
    return where | root


_OF_MANAGERS_ONLY = ("killJobOnCompletion", "runExclusive", "allowLowPriorityNode")


def show_task(task: Task, base: str) -> Json:
    """Print a task; its tag changes when a client changes it, and not when it starts or ends."""
    apart = {"id", "displayName", *_OF_MANAGERS_ONLY}
    body = {name: value for name, value in task.body.items() if name not in apart}
    node_info = _node_info(task, task.node, base) if task.node else None
    if task.node is None and task.state is TaskState.COMPLETED:
        node_info = {}  # it never ran
    return {
        "id": task.id,
        **present(displayName=task.body.get("displayName")),
        "url": task_url(base, task),
        "eTag": print_etag(task.modified),
        "creationTime": print_time(task.created),
        "lastModified": print_time(task.modified),
        "state": task.state,
        "stateTransitionTime": print_time(task.state_since),
        **_previous(task),
        **body,
        "executionInfo": _task_execution(task.execution),
        **present(nodeInfo=node_info),
    }


def show_counts(counts: TaskCounts) -> Json:
    """Print the counts of a job's tasks and of the slots that they need."""
    return {"taskCounts": _counts(counts.tasks), "taskSlotCounts": _counts(counts.slots)}


def _counts(numbers: Counts) -> Json:
    return {
        "active": numbers[Progress.ACTIVE],
        "running": numbers[Progress.RUNNING],
        "completed": numbers[Progress.SUCCEEDED] + numbers[Progress.FAILED],
        "succeeded": numbers[Progress.SUCCEEDED],
        "failed": numbers[Progress.FAILED],
    }
