"""
What a run needs, its attempts, and that one is to be ended: the parts of a record of a run.

One attempt is one Batch job. Their JSON is that of the record they are in.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.enums import After, AttemptState, BlockedReason, Outcome, Reason
from orchestrator.model import Prices, Retries
from orchestrator.stored import Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenTask(Stored):
    """
    Everything a run needs, frozen at its claim: later edits of the document do not reach it.

    Attributes:
        environment: Of the task; ``RECUR_ATTEMPT`` is added for each attempt.
        catch_up_window: For so long a job that cannot be created is tried again.
        outputs: Patterns of files to store besides stdout and stderr.
        last_words: Whether the record of a run that fails holds the ends of stderr and stdout.
        retries: Which outcomes are followed by another attempt.
        retry_until: No later attempt begins at this time or after it: the next occurrence is due.
        allow: Whether runs of the schedule may be open at once, and later attempts wait for none.
        prices: Of nodes, by which the cost of its attempts is estimated; None: there were none.
    """

    command: str
    environment: dict[str, str]
    start_timeout: timedelta
    run_timeout: timedelta
    catch_up_window: timedelta
    outputs: tuple[str, ...] = ()
    last_words: bool = True
    retries: Retries = field(default_factory=Retries)
    retry_until: datetime | None = None
    allow: bool = False
    prices: Prices | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt(Stored):
    """
    One Batch job of a run.

    Attributes:
        number: 1 for the first.
        job_id: The run id, with ``-r<number>`` after the first.
        state: claimed, submitted, ended.
        claimed: When it was claimed.
        not_before: Jitter or backoff: its job is not created earlier.
        after: Why it waits for other runs of its schedule to have ended; None: it does not.
        ready: When its gates opened, written before its job is first tried. The catch-up window
            of a blocked attempt counts from here; from ``not_before`` or ``claimed`` where it had
            no gates.
        blocked: Why there is no job yet.
        blocked_detail: What Batch said, in its words.
        diagnosis: What keeps its job from going on, as long as it does.
        account: URL of the Batch account in which its job was first tried; on a laptop without
            its port. This and the next two are written before the first try and never changed.
        pool: The pool of its job.
        outputs_url: URL of the container into which its node pushes.
        submitted: When its job was created.
        waiting_since: From when the start timeout counts, if later than ``submitted``: while the
            pool was busy with other runs it did not.
        started: When its task began on a node.
        finished: When its task, or failing that its job, ended.
        requeues: How often Batch put the task back into its queue.
        preemptions: How often of these a Spot node was seen to be taken away.
        node_allocated: When its node was allocated, where Batch tells.
        queue_seconds: From the submission to the last begin of its task.
        task_seconds: How long its task ran, the last time.
        slot_share: Which part of a node's task slots it took: 1 is a whole node.
        slow: Whether the event was sent that it takes much longer than runs before it.
        node: The node that ran it.
        exit_code: None if its process never ended by itself.
        outcome: How it ended.
        reason: Why.
        sentence: The same in one sentence.
    """

    number: int
    job_id: str
    state: AttemptState
    claimed: datetime
    not_before: datetime | None = None
    after: After | None = None
    ready: datetime | None = None
    blocked: BlockedReason | None = None
    blocked_detail: str | None = None
    diagnosis: str | None = None
    account: str | None = None
    pool: str | None = None
    outputs_url: str | None = None
    submitted: datetime | None = None
    waiting_since: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    requeues: int = 0
    preemptions: int = 0
    node_allocated: datetime | None = None
    queue_seconds: float | None = None
    task_seconds: float | None = None
    slot_share: float | None = None
    slow: bool = False
    node: str | None = None
    exit_code: int | None = None
    outcome: Outcome | None = None
    reason: Reason | None = None
    sentence: str | None = None

    @property
    def waits_again(self) -> bool:
        """
        Whether its task had begun, lost its node and waits for another one.

        Of the same instant as the begin, the waiting is the later: it is noted no earlier.
        """
        if self.started is None or self.waiting_since is None:
            return False
        return self.waiting_since >= self.started

    @property
    def is_running(self) -> bool:
        """Whether a node has its task, as far as is known."""
        begun = self.state is AttemptState.SUBMITTED and self.started is not None
        return begun and not self.waits_again


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Stored):
    """
    The run is to be ended, and is not dispatched again; the collector does the ending.

    Attributes:
        cause: What made us give it up: start_timeout, blocked, rejected, stopped or replaced.
        reason: Why it never started, if it turns out that it did not.
        sentence: The same in one sentence.
        at: When it was given up.
        request: Id of the request, where an operator asked for it.
    """

    cause: Reason
    reason: Reason
    sentence: str
    at: datetime
    request: str | None = None
