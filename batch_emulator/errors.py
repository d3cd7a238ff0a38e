"""
The service's errors, in its own words: one table and one exception.

Codes and texts come from the service's published error table and from recorded replies. The service
never sends the code ``NotSupportedByEmulator``: it says that the emulator does not support the
request, though Azure Batch may. It is a 400 because clients retry 5xx.
"""

import re
from collections.abc import Sequence
from typing import Final

type Pairs = Sequence[tuple[str, str]]

_BEYOND_ASCII: Final = re.compile(r"[^ -~]+")
_MOST_REASON: Final = 1000

TABLE: Final[dict[str, tuple[int, str]]] = {
    "ActiveJobAndScheduleQuotaReached": (
        409,
        "Active job and job schedule quota for the account has been reached.",
    ),
    "ApplicationNotFound": (404, "The specified application does not exist."),
    "ApplicationPackageBlobNotFound": (
        409,
        "The specified application package cannot be activated because its blob does not exist.",
    ),
    "ApplicationPackageNotFound": (404, "The specified application package does not exist."),
    "ApplicationPackageQuotaReached": (
        409,
        "The application has the greatest number of packages that is allowed.",
    ),
    "ApplicationPackageUpdatesNotAllowed": (
        409,
        "The package already exists and the application does not allow packages to be updated.",
    ),
    "ApplicationPackagesNotEmpty": (
        409,
        "The specified application cannot be deleted while it has application packages.",
    ),
    "AuthenticationFailed": (
        403,
        (
            "Server failed to authenticate the request. Make sure the value of Authorization "
            "header is formed correctly including the signature."
        ),
    ),
    "AuthorizationFailed": (
        403,
        "The client does not have authorization to perform the action over the scope.",
    ),
    "AuthorizationPermissionMismatch": (
        403,
        "This request is not authorized to perform this operation using this permission.",
    ),
    "AutoScalingFormulaSyntaxError": (
        400,
        "The specified auto-scaling formula has a syntax error.",
    ),
    "AutoScalingFormulaTooLong": (400, "The specified auto-scaling formula is too long."),
    "ConditionNotMet": (
        412,
        "The condition specified using HTTP conditional header(s) is not met.",
    ),
    "FileNotFound": (404, "The specified file does not exist."),
    "InsufficientPermissions": (
        400,
        "The Batch service does not have the required permissions to access the storage account.",
    ),
    "InternalError": (
        500,
        "Server encountered an internal error. Please try again after some time.",
    ),
    "InvalidApiVersionParameter": (400, "The api-version is invalid."),
    "InvalidApplicationPackageReferences": (
        409,
        "One or more of the specified application package references are invalid.",
    ),
    "InvalidAuthenticationToken": (401, "The access token is invalid."),
    "InvalidAutoScalingSettings": (400, "The specified auto-scaling settings are not valid."),
    "InvalidHeaderValue": (
        400,
        "The value provided for one of the HTTP headers was not in the correct format.",
    ),
    "InvalidPropertyValue": (
        400,
        "The value provided for one of the properties in the request body is invalid.",
    ),
    "InvalidQueryParameterValue": (
        400,
        "Value for one of the query parameters specified in the request URI is invalid.",
    ),
    "InvalidRange": (416, "The range specified is invalid for the current size of the resource."),
    "InvalidRequestBody": (400, "The specified Request Body is not syntactically valid."),
    "JobBeingDeleted": (
        409,
        "The specified job has been marked for deletion and is being garbage collected.",
    ),
    "JobBeingTerminated": (409, "The specified job is being terminated."),
    "JobCompleted": (409, "The specified job is already in a completed state."),
    "JobExists": (409, "The specified job already exists."),
    "JobNotFound": (404, "The specified job does not exist."),
    "JobPreparationTaskOrReleaseTaskNotSpecified": (
        409,
        "The specified job does not have either job preparation task or job release task.",
    ),
    "JobScheduleBeingDeleted": (
        409,
        "The specified job schedule has been marked for deletion and is being garbage collected.",
    ),
    "JobScheduleBeingTerminated": (409, "The specified job schedule is being terminated."),
    "JobScheduleCompleted": (409, "The specified job schedule is already in a completed state."),
    "JobScheduleDisabled": (409, "The specified job schedule is disabled."),
    "JobScheduleExists": (409, "The specified job schedule already exists."),
    "JobScheduleNotFound": (404, "The specified job schedule does not exist."),
    "JobScheduleWithSameIdExists": (
        409,
        "The specified job has the same id as a job schedule that exists.",
    ),
    "JobWithSameIdExists": (
        409,
        "The specified job schedule has the same id as a job that exists.",
    ),
    "MissingApiVersionParameter": (
        400,
        "The api-version query parameter (?api-version=) is required for all requests.",
    ),
    "MissingRequiredProperty": (
        400,
        "A required property was not specified in the request body.",
    ),
    "MissingRequiredQueryParameter": (
        400,
        "A required query parameter was not specified for this request.",
    ),
    "NodeAlreadyInTargetSchedulingState": (
        409,
        "The specified node is already in the target scheduling state.",
    ),
    "NodeBeingCreated": (409, "The specified node is being created."),
    "NodeBeingRebooted": (409, "The specified node is being rebooted."),
    "NodeBeingReimaged": (409, "The specified node is being reimaged."),
    "NodeBeingStarted": (409, "The specified node is being started."),
    "NodeNotFound": (404, "The specified node does not exist."),
    "NodeNotReady": (
        409,
        "Node is not able to perform the requested operations in its current state",
    ),
    "NodeStateUnusable": (409, "The specified node is unusable."),
    "NodeUserExists": (409, "The specified node user already exists."),
    "NodeUserNotFound": (404, "The specified node user does not exist."),
    "NotSupportedByEmulator": (400, "The emulator does not support what was asked."),
    "OperationInvalidForCurrentState": (
        409,
        "The specified operation is not valid for the current state of the resource.",
    ),
    "OperationNotValidOnNode": (409, "The specified operation is not valid on the node."),
    "OperationNotValidOnPool": (409, "The specified operation is not valid on the pool."),
    "OperationTimedOut": (500, "Operation could not be completed within the specified time."),
    "PoolBeingDeleted": (
        409,
        "The specified pool has been marked for deletion and is being reclaimed.",
    ),
    "PoolBeingResized": (409, "The specified pool is being resized."),
    "PoolExists": (409, "The specified pool already exists."),
    "PoolNotFound": (404, "The specified pool does not exist."),
    "PropertyCannotBeUpdated": (
        400,
        "A property that cannot be updated was specified as part of the request.",
    ),
    "RequestBodyTooLarge": (
        413,
        "The size of the request body exceeds the maximum size permitted.",
    ),
    "ResourceNotFound": (404, "The resource was not found."),
    "ServerBusy": (503, "The server is currently unable to receive requests. Please retry."),
    "TaskCompleted": (409, "The specified task is already in a completed state."),
    "TaskDependenciesNotSpecifiedOnJob": (
        400,
        "Task dependencies are specified on a task whose job does not use task dependencies.",
    ),
    "TaskDependencyListTooLong": (
        400,
        "The list of ids of the tasks that a task depends on is too long.",
    ),
    "TaskExists": (409, "The specified task already exists."),
    "TaskFilesCleanedup": (409, "The files of the specified task are cleaned up."),
    "TaskFilesUnavailable": (409, "The files of the specified task are unavailable."),
    "TaskIdSameAsJobPreparationTask": (
        409,
        "The specified task has the id of the job preparation task of its job.",
    ),
    "TaskIdSameAsJobReleaseTask": (
        409,
        "The specified task has the id of the job release task of its job.",
    ),
    "TaskNotCompleted": (409, "The specified task is not in a completed state."),
    "TaskNotFound": (404, "The specified task does not exist."),
    "TaskSucceeded": (409, "The specified task has succeeded."),
    "TooManyEnableAutoScaleRequests": (
        503,
        "Too many requests to enable automatic scaling were made on the pool.",
    ),
    "TooManyRequests": (
        429,
        "Request failed as server encountered too many requests. Please try again.",
    ),
    "UnsupportedQueryParameter": (
        400,
        "One of the query parameters specified in the request URI is not supported.",
    ),
    "UnsupportedRequestVersion": (400, "The specified request version is not supported."),
}


class ServiceError(Exception):
    """
    A request that is answered with an error body.

    Args:
        code: A key of ``TABLE``.
        values: The name and value pairs of the body's ``values``, in order.
        text: Replaces the table's text if it names parts of the request.
        status: Replaces the table's status, for the codes that have two.
    """

    def __init__(
        self, code: str, *, values: Pairs = (), text: str | None = None, status: int | None = None
    ) -> None:
        table_status, table_text = TABLE[code]
        self.code = code
        self.status = status or table_status
        self.text = text or table_text
        self.values = tuple(values)
        super().__init__(f"{code}: {self.text} {dict(self.values)}")

    @property
    def reason(self) -> str:
        """The text as a status line can hold it: without line breaks, and not too long."""
        return _BEYOND_ASCII.sub(" ", self.text)[:_MOST_REASON]


def invalid_property(name: str, value: object, reason: str) -> ServiceError:
    """Return the error of a property in a request body; lists and objects may hold secrets."""
    shown = () if isinstance(value, (dict, list)) else (("PropertyValue", str(value)),)
    return ServiceError(
        "InvalidPropertyValue", values=(("PropertyName", name), *shown, ("Reason", reason))
    )


def invalid_query(name: str, value: str, reason: str) -> ServiceError:
    """Return the error of a query parameter."""
    return ServiceError(
        "InvalidQueryParameterValue",
        values=(
            ("QueryParameterName", name),
            ("QueryParameterValue", value),
            ("Reason", reason),
        ),
    )


def not_supported(what: str) -> ServiceError:
    """Return the error of a request that Azure Batch may support, and the emulator does not."""
    return ServiceError(
        "NotSupportedByEmulator",
        text=f"The emulator does not support {what}; see batch_emulator/SUPPORT.md.",
    )
