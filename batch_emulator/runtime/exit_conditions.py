"""What the end of a task means for its job and for the tasks that depend on it."""

from batch_emulator.runtime.command_line import ENDED
from batch_emulator.runtime.execution import Execution
from batch_emulator.wire import Json


def exit_options(conditions: Json, execution: Execution) -> Json:
    """
    Return the ``jobAction`` and the ``dependencyAction`` for a task that has ended.

    A listed exit code decides, even if an upload failed. Source: the descriptions of
    ``ExitConditions`` and ``ExitOptions`` in the API. A task that was ended by a request leaves its
    job alone unless its conditions say otherwise, as in a recording of the service.
    """
    failure = execution.failure
    failed = failure is not None
    by_itself = failure is not None and failure.code != ENDED.code
    usual = {
        "jobAction": "terminate" if by_itself else "none",
        "dependencyAction": "block" if failed else "satisfy",
    }
    return usual | _chosen(conditions, execution)


def _chosen(conditions: Json, execution: Execution) -> Json:
    code, failure = execution.exit_code, execution.failure
    if code is not None:
        for item in conditions.get("exitCodes", ()):
            if item["code"] == code:
                return dict(item["exitOptions"])
        for item in conditions.get("exitCodeRanges", ()):
            if item["start"] <= code <= item["end"]:
                return dict(item["exitOptions"])
    if failure is None:
        return {}
    kind = "default"
    if failure.code.startswith("FileUpload"):
        kind = "fileUploadError"
    elif code is None and failure.code != ENDED.code:
        kind = "preProcessingError"
    return dict(conditions.get(kind) or conditions.get("default") or {})
