"""
The values that the rest of the orchestrator speaks in.

Times are aware UTC ``datetime``, durations ``timedelta``. Words that reach JSON are ``StrEnum``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

ScheduleId = NewType("ScheduleId", str)
"""``^[a-z][a-z0-9-]{0,38}[a-z0-9]$``"""

RunId = NewType("RunId", str)
"""``<schedule>-<YYYYMMDDTHHMMSSZ>`` of the nominal time; also the id of the first Batch job."""


class Overlap(StrEnum):
    """What happens to an occurrence while an earlier run of its schedule is in the way."""

    SKIP = "skip"


class CatchUpMode(StrEnum):
    """What happens to occurrences that came due while nothing ticked."""

    LATEST = "latest"


class SkipReason(StrEnum):
    """Why an occurrence was not submitted although a tick saw it in time."""

    OVERLAP = "overlap"
    PAUSED = "paused"
    NONEXISTENT = "nonexistent"
    REMOVED = "removed"


class MissReason(StrEnum):
    """Why an occurrence that came due while nothing ticked was not submitted."""

    WINDOW = "window"
    SUPERSEDED = "superseded"


class BlockedReason(StrEnum):
    """Why a claimed attempt has no Batch job yet."""

    QUOTA = "quota"
    ID_TAKEN = "id_taken"
    PACKAGE_MISSING = "package_missing"
    POOL_MISSING = "pool_missing"
    AUTH = "auth"
    UNAVAILABLE = "unavailable"


class AttemptState(StrEnum):
    """How far one Batch job of a run has come."""

    CLAIMED = "claimed"
    SUBMITTED = "submitted"
    ENDED = "ended"


class Outcome(StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    TERMINATED = "terminated"
    LOST = "lost"
    NEVER_STARTED = "never_started"


class Reason(StrEnum):
    """Why a run ended as it did: a closed list, explained in ``docs/alerts.md``."""

    EXIT_ZERO = "exit_zero"
    EXIT_CODE = "exit_code"
    COMMAND_NOT_FOUND = "command_not_found"
    OUTPUT_UPLOAD_FAILED = "output_upload_failed"
    TASK_FAILED = "task_failed"
    RUN_TIMEOUT = "run_timeout"
    ENDED_IN_BATCH = "ended_in_batch"
    START_TIMEOUT = "start_timeout"
    JOB_MISSING = "job_missing"
    TASK_MISSING = "task_missing"
    TASK_UNRESOLVED = "task_unresolved"
    SCHEDULING_ERROR = "scheduling_error"
    POOL_MISSING = "pool_missing"
    START_TASK_FAILED = "start_task_failed"
    NODE_UNUSABLE = "node_unusable"
    CORE_QUOTA = "core_quota"
    RESIZE_FAILED = "resize_failed"
    AUTOSCALE_FAILED = "autoscale_failed"
    NO_NODE = "no_node"
    BLOCKED = "blocked"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """
    How far back a schedule makes up for occurrences that came due while nothing ticked.

    Attributes:
        mode: ``latest``: only the newest of them is submitted.
        window: An occurrence older than this is missed; also how long a blocked attempt is tried.
        max: So many missed occurrences get a record each; the older ones share a range record.
    """

    mode: CatchUpMode = CatchUpMode.LATEST
    window: timedelta = timedelta(days=1)
    max: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One valid table of the document."""

    id: ScheduleId
    cron: str
    time_zone: str
    command: str
    overlap: Overlap
    catch_up: CatchUp
    start_timeout: timedelta
    run_timeout: timedelta
    start: datetime | None
    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """
    When the occurrences of a schedule fall, in force from one change of the document to the next.

    Attributes:
        since: Occurrences later than this follow this timing; up to it, the one before.
        cron: The expression; ``None`` where nothing is due.
        time_zone: IANA name.
        paused: Whether occurrences in this time are skipped.
        removed: Whether the document holds no such schedule from here on.
    """

    since: datetime
    cron: str | None
    time_zone: str = "UTC"
    paused: bool = False
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """
    One nominal instant of one schedule.

    Attributes:
        nominal: When it should start.
        merged: How many wall times fell on this instant; more than 1 only where clocks change.
        exists: False for wall times that a zone left out for good, such as Apia's 2011-12-30.
        paused: Whether the schedule was paused at this instant.
        removed: Whether the schedule was removed from the document after it.
    """

    nominal: datetime
    merged: int = 1
    exists: bool = True
    paused: bool = False
    removed: bool = False

    @property
    def can_run(self) -> bool:
        """Whether nothing about the occurrence itself keeps it from running."""
        return self.exists and not self.paused and not self.removed


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Claim a run for this occurrence and create its job."""

    occurrence: Occurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Do not run this occurrence; ``because`` names the run that was in the way."""

    occurrence: Occurrence
    reason: SkipReason
    because: RunId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """
    Do not run these occurrences, which came due while nothing ticked.

    Attributes:
        occurrence: The first of them.
        last: Nominal time of the last of them.
        count: How many occurrences this stands for, the first and the last among them.
        reason: Why.
        because: The run that stands for them, when it is known.
    """

    occurrence: Occurrence
    last: datetime
    count: int
    reason: MissReason
    because: RunId | None = None


type Decision = Submit | Skip | Missed
