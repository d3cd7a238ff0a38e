"""What follows from how a task ended."""

import pytest

from batch_emulator.runtime.execution import Execution, Failure
from batch_emulator.runtime.exit_conditions import exit_options
from batch_emulator.wire import Json

FAILED = Failure("FailureExitCode", "")
UPLOAD = Failure("FileUploadMiscError", "")
MISSING = Failure("CommandProgramNotFound", "")
ENDED = Failure("TaskEnded", "")

STOP = {"jobAction": "terminate"}
HOLD = {"jobAction": "disable"}
GO = {"dependencyAction": "satisfy"}
LISTED: Json = {
    "exitCodes": [{"code": 0, "exitOptions": STOP}, {"code": 3, "exitOptions": GO}],
    "exitCodeRanges": [{"start": 3, "end": 5, "exitOptions": HOLD}],
}
APART: Json = {"preProcessingError": GO, "fileUploadError": HOLD, "default": {"jobAction": "none"}}


@pytest.mark.parametrize(
    ("conditions", "code", "failure", "job_action", "dependency_action"),
    [
        ({}, 0, None, "none", "satisfy"),
        ({}, 1, FAILED, "terminate", "block"),
        ({}, None, MISSING, "terminate", "block"),
        ({}, 0, UPLOAD, "terminate", "block"),
        (LISTED, 0, None, "terminate", "satisfy"),
        (LISTED, 0, UPLOAD, "terminate", "block"),
        (LISTED, 2, FAILED, "terminate", "block"),
        (LISTED, 3, FAILED, "terminate", "satisfy"),
        (LISTED, 4, FAILED, "disable", "block"),
        (LISTED, 5, FAILED, "disable", "block"),
        (LISTED, 6, FAILED, "terminate", "block"),
        (APART, 0, None, "none", "satisfy"),
        (APART, 1, FAILED, "none", "block"),
        (APART, None, MISSING, "terminate", "satisfy"),
        (APART, None, ENDED, "none", "block"),
        ({}, None, ENDED, "none", "block"),
        (APART, 0, UPLOAD, "disable", "block"),
        ({"default": GO}, 0, UPLOAD, "terminate", "satisfy"),
        ({"default": GO}, None, MISSING, "terminate", "satisfy"),
        ({"fileUploadError": GO}, None, MISSING, "terminate", "block"),
    ],
)
def test_exit_options(
    conditions: Json,
    code: int | None,
    failure: Failure | None,
    job_action: str,
    dependency_action: str,
) -> None:
    """An exit code that is listed goes first, then the kind of failure, then the default."""
    found = exit_options(conditions, Execution(exit_code=code, failure=failure))

    assert found == {"jobAction": job_action, "dependencyAction": dependency_action}
