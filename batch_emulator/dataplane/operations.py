"""
The operations of the data plane, by the names that azure-batch 15.1 gives them.

Every operation of that client is in one of the two tables, so that a refusal can name it.
``batch_emulator/SUPPORT.md`` lists them for people; a test compares the two.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web

from batch_emulator.dataplane import (
    application_routes,
    file_routes,
    job_routes,
    job_schedule_routes,
    node_routes,
    pool_routes,
    task_routes,
)
from batch_emulator.dataplane.batch_call import BatchCall

type Handle = Callable[[BatchCall], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    One operation.

    Attributes:
        name: The official client's name for it.
        method: The HTTP method.
        path: The path, with its variable parts in braces.
        handler: What answers it; None refuses it.
        query: Its query parameters besides those of every operation.
        conditional: Whether it honours the conditional headers.
        notes: The notes in ``SUPPORT.md``, in Markdown.
    """

    name: str
    method: str
    path: str
    handler: Handle | None = None
    query: frozenset[str] = frozenset()
    conditional: bool = False
    notes: str = ""


_STATS: Final = frozenset({"$expand"})
_ONE: Final = frozenset({"$select"})
_PAGED: Final = frozenset({"maxresults", "$skiptoken"})
_MANY: Final = _PAGED | {"$select", "$filter"}
_FILES: Final = _PAGED | {"$filter", "recursive"}
_FORCE: Final = frozenset({"force"})
_POOL: Final = "/pools/{poolId}"
_NODE: Final = f"{_POOL}/nodes/{{nodeId}}"
_APPLICATION: Final = "/applications/{applicationId}"
_JOB: Final = "/jobs/{jobId}"
_JOB_SCHEDULE: Final = "/jobschedules/{jobScheduleId}"
_TASK: Final = f"{_JOB}/tasks/{{taskId}}"
_FILE: Final = "/files/{filePath}"


def _plain(
    name: str,
    route: str,
    handler: Handle,
    query: frozenset[str] = frozenset(),
    notes: str = "",
) -> Operation:
    method, _, path = route.partition(" ")
    return Operation(name=name, method=method, path=path, handler=handler, query=query, notes=notes)


def _conditional(
    name: str,
    route: str,
    handler: Handle,
    query: frozenset[str] = frozenset(),
    notes: str = "",
) -> Operation:
    return replace(_plain(name, route, handler, query, notes), conditional=True)


SUPPORTED: Final = (
    _plain(
        "create_pool",
        "POST /pools",
        pool_routes.create_pool,
        notes="fixed size or formula; properties below",
    ),
    _plain(
        "list_pools",
        "GET /pools",
        pool_routes.list_pools,
        _MANY | _STATS,
        notes="pages, `$select`, `$filter`",
    ),
    _conditional(
        "get_pool",
        f"GET {_POOL}",
        pool_routes.get_pool,
        _ONE | _STATS,
        notes="conditional headers, `$select`",
    ),
    _conditional("pool_exists", f"HEAD {_POOL}", pool_routes.get_pool),
    _conditional(
        "delete_pool",
        f"DELETE {_POOL}",
        pool_routes.delete_pool,
        notes="tasks on its nodes go back to their queue",
    ),
    _conditional(
        "update_pool",
        f"PATCH {_POOL}",
        pool_routes.update_pool,
        notes="with nodes: start task, packages and metadata",
    ),
    _plain(
        "replace_pool_properties",
        f"POST {_POOL}/updateproperties",
        pool_routes.replace_pool_properties,
        notes="start task, packages and metadata",
    ),
    _conditional(
        "resize_pool",
        f"POST {_POOL}/resize",
        pool_routes.resize_pool,
        notes="`requeue`, `terminate`, `taskcompletion`; an absent target stays",
    ),
    _conditional(
        "stop_pool_resize",
        f"POST {_POOL}/stopresize",
        pool_routes.stop_pool_resize,
        notes="nothing happens while the pool is steady",
    ),
    _conditional(
        "remove_nodes",
        f"POST {_POOL}/removenodes",
        pool_routes.remove_nodes,
        notes="at most 100; the targets become what is left",
    ),
    _conditional(
        "enable_pool_auto_scale",
        f"POST {_POOL}/enableautoscale",
        pool_routes.enable_pool_auto_scale,
        notes="at most every 30 s, at the pool's speed",
    ),
    _plain(
        "disable_pool_auto_scale",
        f"POST {_POOL}/disableautoscale",
        pool_routes.disable_pool_auto_scale,
        notes="the targets stay",
    ),
    _plain(
        "evaluate_pool_auto_scale",
        f"POST {_POOL}/evaluateautoscale",
        pool_routes.evaluate_pool_auto_scale,
        notes="only if the pool follows a formula",
    ),
    _plain(
        "list_pool_node_counts",
        "GET /nodecounts",
        pool_routes.list_pool_node_counts,
        _PAGED | {"$filter"},
        notes="pages of 10, `$filter`; always up to date",
    ),
    _plain(
        "list_supported_images",
        "GET /supportedimages",
        pool_routes.list_supported_images,
        _PAGED | {"$filter"},
        notes="a few images; pages, `$filter`",
    ),
    _plain(
        "list_nodes",
        f"GET {_POOL}/nodes",
        node_routes.list_nodes,
        _MANY,
        notes="pages, `$select`, `$filter`",
    ),
    _plain("get_node", f"GET {_NODE}", node_routes.get_node, _ONE, notes="`$select`"),
    _plain(
        "get_node_remote_login_settings",
        f"GET {_NODE}/remoteloginsettings",
        node_routes.get_remote_login,
        notes="nothing listens at the address",
    ),
    _plain(
        "upload_node_logs",
        f"POST {_NODE}/uploadbatchservicelogs",
        node_routes.upload_node_logs,
        notes="one file: what the emulator knows of the node",
    ),
    _plain(
        "reboot_node",
        f"POST {_NODE}/reboot",
        node_routes.reboot_node,
        notes="also if the node is unusable or its start task failed; files stay",
    ),
    _plain(
        "reimage_node",
        f"POST {_NODE}/reimage",
        node_routes.reimage_node,
        notes="as `reboot_node`, and the node's folder is emptied",
    ),
    _plain(
        "deallocate_node",
        f"POST {_NODE}/deallocate",
        node_routes.deallocate_node,
        notes="only if the node is idle, running or offline; empties its folder, removes its users",
    ),
    _plain(
        "start_node",
        f"POST {_NODE}/start",
        node_routes.start_node,
        notes="only if the node is deallocated",
    ),
    _plain(
        "create_node_user",
        f"POST {_NODE}/users",
        node_routes.create_node_user,
        notes="kept until it expires; nobody can log in",
    ),
    _plain("replace_node_user", f"PUT {_NODE}/users/{{userName}}", node_routes.replace_node_user),
    _plain("delete_node_user", f"DELETE {_NODE}/users/{{userName}}", node_routes.delete_node_user),
    _plain(
        "list_node_extensions",
        f"GET {_NODE}/extensions",
        node_routes.list_node_extensions,
        _PAGED | _ONE,
        notes="those of the pool and one of Batch's own; nothing is installed",
    ),
    _plain(
        "get_node_extension",
        f"GET {_NODE}/extensions/{{extensionName}}",
        node_routes.get_node_extension,
        _ONE,
    ),
    _plain(
        "disable_node_scheduling",
        f"POST {_NODE}/disablescheduling",
        node_routes.disable_node_scheduling,
        notes="the node is `offline` when its tasks have ended",
    ),
    _plain(
        "enable_node_scheduling",
        f"POST {_NODE}/enablescheduling",
        node_routes.enable_node_scheduling,
    ),
    _plain(
        "list_node_files",
        f"GET {_NODE}/files",
        file_routes.list_node_files,
        _FILES,
        notes="pages, `recursive`, `$filter`",
    ),
    _conditional(
        "download_node_file",
        f"GET {_NODE}{_FILE}",
        file_routes.node_file,
        notes="`ocp-range` (one range)",
    ),
    _conditional("get_node_file_properties", f"HEAD {_NODE}{_FILE}", file_routes.node_file),
    _plain(
        "delete_node_file",
        f"DELETE {_NODE}{_FILE}",
        file_routes.delete_node_file,
        frozenset({"recursive"}),
        notes="a non-empty directory only with `recursive`",
    ),
    _plain(
        "list_applications",
        "GET /applications",
        application_routes.list_applications,
        _PAGED,
        notes="pages",
    ),
    _plain("get_application", f"GET {_APPLICATION}", application_routes.get_application),
    _plain(
        "create_job",
        "POST /jobs",
        job_routes.create_job,
        notes="properties below",
    ),
    _plain(
        "list_jobs",
        "GET /jobs",
        job_routes.list_jobs,
        _MANY | _STATS,
        notes="pages, `$select`, `$filter`",
    ),
    _conditional(
        "get_job",
        f"GET {_JOB}",
        job_routes.get_job,
        _ONE | _STATS,
        notes="conditional headers, `$select`",
    ),
    _conditional(
        "delete_job",
        f"DELETE {_JOB}",
        job_routes.delete_job,
        _FORCE,
        notes="running tasks are ended first; `force` adds nothing, since ending never fails",
    ),
    _conditional(
        "terminate_job",
        f"POST {_JOB}/terminate",
        job_routes.terminate_job,
        _FORCE,
        notes="keeps the reason; `force` as above",
    ),
    _conditional(
        "update_job",
        f"PATCH {_JOB}",
        job_routes.update_job,
        notes="changes the pool only of a disabled job; replaces constraints as a whole",
    ),
    _conditional("replace_job", f"PUT {_JOB}", job_routes.replace_job, notes="as `update_job`"),
    _conditional(
        "disable_job",
        f"POST {_JOB}/disable",
        job_routes.disable_job,
        notes="requeue, terminate, wait",
    ),
    _conditional("enable_job", f"POST {_JOB}/enable", job_routes.enable_job),
    _plain(
        "get_job_task_counts",
        f"GET {_JOB}/taskcounts",
        job_routes.get_job_task_counts,
        notes="can be out of date with `--counts-delay`",
    ),
    _plain(
        "list_job_preparation_and_release_task_status",
        f"GET {_JOB}/jobpreparationandreleasetaskstatus",
        job_routes.list_job_preparation_and_release_task_status,
        _MANY,
        notes="pages, `$select`, `$filter`",
    ),
    _plain(
        "create_job_schedule",
        "POST /jobschedules",
        job_schedule_routes.create_job_schedule,
        notes="its first job is made at once, or at `doNotRunUntil`; properties below",
    ),
    _plain(
        "list_job_schedules",
        "GET /jobschedules",
        job_schedule_routes.list_job_schedules,
        _MANY | _STATS,
        notes="pages, `$select`, `$filter`",
    ),
    _conditional(
        "get_job_schedule",
        f"GET {_JOB_SCHEDULE}",
        job_schedule_routes.get_job_schedule,
        _ONE | _STATS,
        notes="conditional headers, `$select`",
    ),
    _conditional(
        "job_schedule_exists", f"HEAD {_JOB_SCHEDULE}", job_schedule_routes.get_job_schedule
    ),
    _conditional(
        "update_job_schedule",
        f"PATCH {_JOB_SCHEDULE}",
        job_schedule_routes.update_job_schedule,
        notes="an active job goes on as it is; replaces each property as a whole",
    ),
    _conditional(
        "replace_job_schedule",
        f"PUT {_JOB_SCHEDULE}",
        job_schedule_routes.replace_job_schedule,
        notes="without `schedule` it does not recur",
    ),
    _conditional(
        "disable_job_schedule",
        f"POST {_JOB_SCHEDULE}/disable",
        job_schedule_routes.disable_job_schedule,
        notes="an active job goes on",
    ),
    _conditional(
        "enable_job_schedule",
        f"POST {_JOB_SCHEDULE}/enable",
        job_schedule_routes.enable_job_schedule,
    ),
    _conditional(
        "terminate_job_schedule",
        f"POST {_JOB_SCHEDULE}/terminate",
        job_schedule_routes.terminate_job_schedule,
        _FORCE,
        notes="ends its active job; `force` as above",
    ),
    _conditional(
        "delete_job_schedule",
        f"DELETE {_JOB_SCHEDULE}",
        job_schedule_routes.delete_job_schedule,
        _FORCE,
        notes="with all its jobs; `force` as above",
    ),
    _plain(
        "list_jobs_from_schedule",
        f"GET {_JOB_SCHEDULE}/jobs",
        job_schedule_routes.list_jobs_from_schedule,
        _MANY | _STATS,
        notes="as `list_jobs`, but no filter by `id`",
    ),
    _plain(
        "create_task",
        f"POST {_JOB}/tasks",
        task_routes.create_task,
        notes="at most 1 MiB; properties below",
    ),
    _plain(
        "create_task_collection",
        f"POST {_JOB}/addtaskcollection",
        task_routes.create_task_collection,
        notes="at most 100 tasks and 1 MiB; `--lower-case-status` for `success`",
    ),
    _plain(
        "list_tasks",
        f"GET {_JOB}/tasks",
        task_routes.list_tasks,
        _MANY | _STATS,
        notes="pages, `$select`, `$filter`",
    ),
    _conditional(
        "get_task",
        f"GET {_TASK}",
        task_routes.get_task,
        _ONE | _STATS,
        notes="conditional headers, `$select`",
    ),
    _conditional(
        "terminate_task",
        f"POST {_TASK}/terminate",
        task_routes.terminate_task,
        notes="a running task is completed when its processes have ended",
    ),
    _conditional(
        "reactivate_task",
        f"POST {_TASK}/reactivate",
        task_routes.reactivate_task,
        notes="only if the task failed",
    ),
    _conditional(
        "replace_task", f"PUT {_TASK}", task_routes.replace_task, notes="replaces its constraints"
    ),
    _conditional(
        "delete_task",
        f"DELETE {_TASK}",
        task_routes.delete_task,
        notes="a running task is ended first",
    ),
    _plain(
        "list_subtasks",
        f"GET {_TASK}/subtasksinfo",
        task_routes.list_subtasks,
        _ONE,
        notes="none: tasks run on one node",
    ),
    _plain(
        "list_task_files",
        f"GET {_TASK}/files",
        file_routes.list_task_files,
        _FILES,
        notes="pages, `recursive`, `$filter`",
    ),
    _conditional(
        "download_task_file",
        f"GET {_TASK}{_FILE}",
        file_routes.task_file,
        notes="`ocp-range` (one range)",
    ),
    _conditional("get_task_file_properties", f"HEAD {_TASK}{_FILE}", file_routes.task_file),
    _plain(
        "delete_task_file",
        f"DELETE {_TASK}{_FILE}",
        file_routes.delete_task_file,
        frozenset({"recursive"}),
        notes="as `delete_node_file`",
    ),
)

_REFUSED: Final = (
    Operation(
        name="list_pool_usage_metrics",
        method="GET",
        path="/poolusagemetrics",
        notes="the service sums up core hours of half hours that are over for two hours: of nodes that are "
        "gone nothing is kept here, nor how many cores each VM size has",
    ),
)

OPERATIONS: Final = (*SUPPORTED, *_REFUSED)

_BY_ROUTE: Final = {(item.method, item.path): item for item in OPERATIONS}


def find_operation(request: web.Request) -> Operation | None:
    """Return the operation that a request asks for; None if Azure Batch has no such operation."""
    resource = request.match_info.route.resource
    return _BY_ROUTE.get((request.method, resource.canonical)) if resource else None
