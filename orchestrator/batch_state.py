"""Where jobs run, and what Batch says about them, as values."""

from dataclasses import dataclass
from datetime import datetime, timedelta

TASK_ID = "main"
"""The job manager task, which is the only task of a job."""

RUN_ID_KEY = "recur_run_id"
ATTEMPT_KEY = "recur_attempt"
LEDGER_KEY = "recur_ledger"
CLAIM_KEY = "recur_claim"
"""Metadata of a job."""

JOB_CLIENT_ID_KEY = "recur_job_client_id"
"""Metadata of the pool: infra/pool writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlace:
    """
    Where jobs run and where their outputs go.

    Attributes:
        account: URL of the Batch account, on a laptop without its port.
        pool_id: The pool.
        outputs_url: URL of the outputs container.
        node_identity: ARM id of the identity by which nodes write there.
    """

    account: str = ""
    pool_id: str
    outputs_url: str
    node_identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    An error that Batch reports about a resource.

    Attributes:
        code: Of Batch.
        message: In its words.
        details: What these leave out, such as the path of a file; empty if there is nothing.
    """

    code: str
    message: str
    details: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    A Batch job.

    Attributes:
        state: active, disabling, disabled, enabling, terminating, completed or deleting.
        run_id: From its metadata; None if it is not ours.
        attempt: From its metadata; None if it is not ours.
        ledger: From its metadata; None where an earlier version created it.
        claim: The same.
        created: When it was created.
        since: When it came into its state.
        finished: When it was completed.
        terminate_reason: JMComplete, MaxWallClockTimeExpiry or the words of who ended it.
        scheduling_error: Why Batch could not schedule it.
    """

    state: str
    run_id: str | None
    attempt: int | None
    created: datetime | None
    since: datetime | None = None
    ledger: str | None = None
    claim: str | None = None
    finished: datetime | None = None
    terminate_reason: str | None = None
    scheduling_error: Fault | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedJob:
    """
    A job that was completed some time ago.

    Attributes:
        id: As Batch spells it.
        etag: Of what is known of it.
        job: What is known of it.
    """

    id: str
    etag: str
    job: Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """
    The task ``main`` of a job.

    Attributes:
        state: active, preparing, running or completed.
        succeeded: What Batch says of its result; None until it is completed.
        exit_code: None if its process did not end by itself.
        failure: Why it failed, in Batch's words.
        requeues: How often it was put back into the queue.
        node: The node it was last given to.
        slots: How many task slots of a node it takes.
    """

    state: str
    succeeded: bool | None = None
    exit_code: int | None = None
    failure: Fault | None = None
    started: datetime | None = None
    finished: datetime | None = None
    requeues: int = 0
    node: str | None = None
    slots: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """
    The pool.

    Attributes:
        state: active or deleting.
        packages: Version by application id; an empty version means the default one.
        image: Publisher, offer, sku and version of its nodes' image, joined by colons.
        windows: Whether its nodes run Windows.
        job_client_id: Client id of an identity of the user's, as which jobs open their own data.
        target: Nodes wanted, dedicated and Spot together.
        current: Nodes there are.
        slots_per_node: Task slots of a node.
        resize_errors: Left from the last resize; they stay until the next one.
        autoscale_error: Of the last evaluation.
        evaluated: When the formula was last evaluated.
        interval: How often it should be.
    """

    state: str
    packages: dict[str, str]
    image: str | None
    target: int
    current: int
    slots_per_node: int = 1
    windows: bool = False
    job_client_id: str | None = None
    resize_errors: tuple[Fault, ...] = ()
    autoscale_error: Fault | None = None
    evaluated: datetime | None = None
    interval: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """
    A node of the pool.

    Attributes:
        id: Its id.
        state: idle, running, starting, starttaskfailed, unusable and the like.
        start_task_exit_code: Of the last try.
        start_task_failure: Why the start task failed.
        errors: What the node agent reports.
        dedicated: False for a Spot node, which may be taken away at any time.
        allocated: When its machine was allocated.
    """

    id: str
    state: str
    start_task_exit_code: int | None = None
    start_task_failure: Fault | None = None
    errors: tuple[Fault, ...] = ()
    dedicated: bool = True
    allocated: datetime | None = None
