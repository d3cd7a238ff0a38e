"""
Incidents that users reported of the real service, and the faults that reproduce them.

Sources: public issues and pull requests of users of Azure Batch.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """
    One incident.

    Attributes:
        what: What happened.
        faults: What reproduces it: kinds of rules, and paths such as ``nodes/spoil``; if there are
            none, ``how`` says what does.
        how: How to use them, in Markdown.
        seen: What clients see, in Markdown.
    """

    what: str
    faults: tuple[str, ...] = ()
    how: str = ""
    seen: str


INCIDENTS: Final[dict[int, Incident]] = {
    1: Incident(
        what="a node is removed before its stdout is read",
        faults=("pools/shrink", "nodes/spoil", "refusal"),
        how="shrink the pool, spoil the node, or send only the codes",
        seen=(
            "the task is completed; its files are 409 `NodeNotReady` while the node leaves or is "
            "`unusable`, 404 `NodeNotFound` afterwards; 409 `TaskFilesCleanedup` where the node has a new disk"
        ),
    ),
    2: Incident(
        what="files are asked for while the task is still active",
        faults=("nodes/preempt", "refusal"),
        how="a task that had begun waits again; or send only the code",
        seen="409 `OperationInvalidForCurrentState`, with the reason in `values`",
    ),
    3: Incident(
        what="a task is completed without ever having run",
        faults=("tasks/skip",),
        seen="`completed` without `startTime`, exit code and node; `TaskEnded`; its files are 409 "
        "`TaskFilesUnavailable`",
    ),
    4: Incident(
        what="a Spot node is preempted while a task runs",
        faults=("nodes/preempt", "nodes/restore"),
        how="with `counted` so that the requeue is counted; the node can be spoiled first",
        seen="the node is `preempted`, its task is `active` again, and no counter shows it, or `requeueCount` "
        "does; the node comes back under its id, with an empty folder",
    ),
    5: Incident(
        what="a formula shrinks the pool while a task runs",
        faults=("pools/shrink",),
        how="works for pools with a formula too",
        seen="the task is `active` again with one more in `requeueCount`, or as `option` says",
    ),
    6: Incident(
        what="the start task fails on every node",
        faults=("pools/break-start",),
        how="the pool needs a start task; nodes that start or restart afterwards are affected",
        seen="nodes are `starttaskfailed`, tasks stay `active`",
    ),
    7: Incident(
        what="an application package is missing, or cannot be unpacked",
        faults=("refusal", "nodes/spoil"),
        how="refuse a creation with the code, or spoil a node with `ApplicationPackageError`; without a fault, "
        "a package that does not exist, or that is no zip",
        seen="409 `InvalidApplicationPackageReferences`; the node is `unusable`",
    ),
    8: Incident(
        what="a node is unusable: its network has no way out, or its disk is full",
        faults=("nodes/spoil",),
        seen="the node is `unusable` with the error given; its tasks are `active` again",
    ),
    9: Incident(
        what="the account has used up its quota of active jobs",
        faults=("quota",),
        seen="409 `ActiveJobAndScheduleQuotaReached`",
    ),
    10: Incident(
        what="a pool without nodes still shows the error of an old resize",
        faults=("pools/withhold", "pools/grant"),
        how="one after the other",
        seen="`resizeErrors` with the code given, until the next resize",
    ),
    11: Incident(
        what="the core quota or the capacity is used up: no node comes",
        faults=("pools/withhold",),
        how="with `AccountCoreQuotaReached`, `AllocationFailed`, `AllocationTimedout`",
        seen="`resizeErrors` with the code given, fewer nodes than the target; a pool whose formula asks for "
        "nothing else stays so when there is room again",
    ),
    12: Incident(
        what="the formula cannot be evaluated",
        faults=("pools/break-formula",),
        seen="`autoScaleRun` has the `error`; the pool keeps its size",
    ),
    13: Incident(
        what="requests are throttled",
        faults=("refusal",),
        how="`status` 429 or 503, with `retry_after` or without; or `code` "
        "`TooManyEnableAutoScaleRequests`",
        seen="`TooManyRequests`, `ServerBusy`",
    ),
    14: Incident(
        what="the service fails for a moment",
        faults=("refusal",),
        how="`status` 500 or `code` `InternalError`, with `after_effect` or without",
        seen="`OperationTimedOut`, `InternalError`",
    ),
    15: Incident(
        what="a job is created, the answer is lost, and the retry learns that the job exists",
        faults=("reset", "silence"),
        how="with `after_effect`",
        seen="no answer; then 409 `JobExists`",
    ),
    16: Incident(
        what="a job is not found right after its creation",
        faults=("absence",),
        seen="404 `JobNotFound`",
    ),
    17: Incident(
        what="a clock is wrong, and every request is refused",
        faults=("refusal",),
        how="`status` 403; a date that is 15 minutes off is refused without a fault",
        seen="403 `AuthenticationFailed`",
    ),
    18: Incident(
        what="a task runs past its time limit",
        faults=("tasks/expire",),
        seen="`FailureExitCode` and the exit code of the killed process; its output files are uploaded",
    ),
    19: Incident(
        what="exit code 0, but the upload of an output fails",
        faults=("jobs/break-uploads",),
        seen="exit code 0, result `failure`, `FileUploadContainerNotFound` or the code given",
    ),
    20: Incident(
        what="a task asks for more slots than a node has",
        how="no fault: add a task whose `requiredSlots` exceed the pool's `taskSlotsPerNode`",
        seen="the task stays `active`, and counts as a pending task in the formula: the pool grows, and "
        "its nodes stay idle",
    ),
    21: Incident(
        what="task counts are wrong for a while",
        faults=("jobs/hold-counts",),
        how="for every job: `--counts-delay`",
        seen="the same counts as before",
    ),
    22: Incident(
        what="a download breaks off; output is large, binary, or cut within a character",
        faults=("cut", "reset"),
        how="the task decides what it writes",
        seen="a chunked body without its end",
    ),
    23: Incident(
        what="the evaluation of a formula cannot be forced",
        faults=("refusal",),
        how="`code` `TooManyEnableAutoScaleRequests`; without a fault, `enableautoscale` twice within 30 s",
        seen="503; an interval of less than 5 minutes is 400 `InvalidPropertyValue`; automatic scaling that is "
        "enabled, also anew, evaluates nothing before its interval has passed",
    ),
}
"""The incidents by number; tests refer to these numbers."""
