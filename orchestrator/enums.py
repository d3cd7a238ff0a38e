"""The closed lists whose members reach JSON."""

from enum import StrEnum


class Gap(StrEnum):
    """What becomes of wall times that a change of the clock leaves out; ``auto`` is Debian's way."""

    AUTO = "auto"
    SHIFT = "shift"
    SKIP = "skip"


class Fold(StrEnum):
    """Which of two equal wall times runs where the clock is put back; ``auto`` is Debian's way."""

    AUTO = "auto"
    FIRST = "first"
    SECOND = "second"
    BOTH = "both"


class Overlap(StrEnum):
    """What happens to an occurrence while an earlier run of its schedule is in the way."""

    SKIP = "skip"
    QUEUE = "queue"
    REPLACE = "replace"
    ALLOW = "allow"


class CatchUpMode(StrEnum):
    """What happens to occurrences that came due while nothing ticked."""

    LATEST = "latest"
    ALL = "all"
    NONE = "none"


class After(StrEnum):
    """Why an attempt waits for other runs of its schedule to have ended."""

    QUEUE = "queue"
    REPLACE = "replace"
    RETRY = "retry"
    BACKFILL = "backfill"


class IntervalUnit(StrEnum):
    """What ``interval`` counts, on the wall calendar of a zone."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


class OnHoliday(StrEnum):
    """What happens to an occurrence that falls on a holiday."""

    SKIP = "skip"
    NEXT_WORKING_DAY = "next_working_day"
    PREVIOUS_WORKING_DAY = "previous_working_day"


class Weekday(StrEnum):
    """The days of a week, in its order."""

    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"


class SkipReason(StrEnum):
    """Why an occurrence was not submitted although a tick saw it in time."""

    OVERLAP = "overlap"
    QUEUE_FULL = "queue_full"
    MAX_PARALLEL = "max_parallel"
    PAUSED = "paused"
    EXCLUDED = "excluded"
    HOLIDAY = "holiday"
    NONEXISTENT = "nonexistent"
    REMOVED = "removed"


class MissReason(StrEnum):
    """Why an occurrence that came due while nothing ticked was not submitted."""

    WINDOW = "window"
    SUPERSEDED = "superseded"
    OFF = "off"


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


class NodeKind(StrEnum):
    """Which kind of node ran a task."""

    DEDICATED = "dedicated"
    SPOT = "spot"


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
    NOT_EXECUTABLE = "not_executable"
    OUTPUT_UPLOAD_FAILED = "output_upload_failed"
    TASK_FAILED = "task_failed"
    RUN_TIMEOUT = "run_timeout"
    JOB_TIMEOUT = "job_timeout"
    ENDED_IN_BATCH = "ended_in_batch"
    STOPPED = "stopped"
    REPLACED = "replaced"
    START_TIMEOUT = "start_timeout"
    JOB_MISSING = "job_missing"
    TASK_MISSING = "task_missing"
    TASK_UNRESOLVED = "task_unresolved"
    UNRESOLVED = "unresolved"
    JOB_DISABLED = "job_disabled"
    ACCOUNT_LEFT = "account_left"
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


class OutputCode(StrEnum):
    """Why an output is missing, unverified or not whole: explained in ``docs/alerts.md``."""

    NEVER_STARTED = "task_never_started"
    JOB_GONE = "job_gone"
    OTHER_ACCOUNT = "other_account"
    NODE_GONE = "node_gone"
    NODE_NOT_READY = "node_not_ready"
    CLEANED_UP = "files_cleaned_up"
    NO_SUCH_FILE = "no_such_file"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    TOO_LARGE = "too_large"
    UNSAFE_NAME = "unsafe_name"
    UNREADABLE = "unreadable"
    LISTING_CUT = "listing_cut"
    CHANGED = "changed"
