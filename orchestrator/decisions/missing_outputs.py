"""Why an output is not stored, or not verified: one code and one sentence each."""

from datetime import timedelta
from typing import Final

from orchestrator.enums import OutputCode
from orchestrator.errors import BatchRefused
from orchestrator.ledger.record import How, Output

UNREAD_FOR: Final = timedelta(hours=1)
"""Outputs that cannot be read for so long keep a run open no longer."""

NODE_RESTARTS_FOR: Final = timedelta(minutes=10)
"""A node that is not ready for so long gives no files any more: a restart takes some minutes."""

_NOT_READY: Final = frozenset(
    {
        "NodeNotReady",
        "NodeBeingCreated",
        "NodeBeingStarted",
        "NodeBeingRebooted",
        "OperationInvalidForCurrentState",
    }
)
_CODES: Final = {
    "JobNotFound": OutputCode.JOB_GONE,
    "TaskNotFound": OutputCode.JOB_GONE,
    "JobBeingDeleted": OutputCode.JOB_GONE,
    "NodeNotFound": OutputCode.NODE_GONE,
    "PoolNotFound": OutputCode.NODE_GONE,
    "TaskFilesUnavailable": OutputCode.NODE_GONE,
    "NodeStateUnusable": OutputCode.NODE_GONE,
    "NodeBeingReimaged": OutputCode.NODE_GONE,
    "TaskFilesCleanedup": OutputCode.CLEANED_UP,
    "FileNotFound": OutputCode.NO_SUCH_FILE,
}
_SENTENCES: Final = {
    OutputCode.NEVER_STARTED: "the task never started",
    OutputCode.JOB_GONE: "it was not stored, and Batch no longer has the job of this attempt",
    OutputCode.OTHER_ACCOUNT: "it was not stored, and its job is in another Batch account",
    OutputCode.NODE_GONE: "it was not stored, and its node is gone",
    OutputCode.NODE_NOT_READY: "it was not stored, and its node has not been ready for 10 minutes",
    OutputCode.CLEANED_UP: "it was not stored, and Batch has removed the files of the task",
    OutputCode.NO_SUCH_FILE: "it was not stored, and the node has no such file",
    OutputCode.REFUSED: "it was not stored, and Batch refuses to return it",
    OutputCode.NO_ANSWER: "it was not stored, and Batch has given no answer for an hour",
    OutputCode.TOO_LARGE: "it was not stored: it is too large for a blob",
    OutputCode.UNSAFE_NAME: "its name cannot be used as a blob name",
    OutputCode.UNREADABLE: "it could not be read back for an hour",
    OutputCode.LISTING_CUT: "there are too many files to list; this list is incomplete",
    OutputCode.CHANGED: "it changed while Recur fetched it from its node; it may be incomplete",
}


def sentence(code: OutputCode, detail: str = "") -> str:
    """Return why an output is missing, unverified or not whole, with the service's words."""
    return _SENTENCES[code] + (f" ({detail})" if detail else "")


def missing(path: str, code: OutputCode, detail: str = "") -> Output:
    """Return an output that is not there."""
    return Output(path=path, how=How.MISSING, code=code, why=sentence(code, detail))


def unverified(path: str, code: OutputCode, detail: str = "", size: int | None = None) -> Output:
    """Return an output that is there as far as anybody knows, and was never read back."""
    why = sentence(code, detail)
    return Output(path=path, bytes=size, how=How.UNVERIFIED, code=code, why=why)


def comes_back(error: BatchRefused) -> bool:
    """Tell a node that gives no files now, and may give them once it has restarted."""
    return error.code in _NOT_READY


def code_of(error: BatchRefused) -> OutputCode:
    """Return what an answer of Batch means for a file that it was asked for."""
    if comes_back(error):
        return OutputCode.NODE_NOT_READY
    return _CODES.get(error.code, OutputCode.REFUSED)
