"""
Azure Resource Manager on the emulator's port: the checks of every request, and the errors.

A request needs the account's bearer token and one of two API versions.
"""

import hmac
import re
from typing import Final

from aiohttp import web

from batch_emulator.arm.arm_call import GROUP, ArmCall, error_response
from batch_emulator.arm.operations import ARM_OPERATIONS, ArmOperation
from batch_emulator.dataplane.network_shapes import SUBSCRIPTION
from batch_emulator.errors import ServiceError, not_supported
from batch_emulator.journal import tell_failure
from batch_emulator.runtime.account import Account
from batch_emulator.wire import now, print_time

API_VERSIONS: Final = ("2024-07-01", "2025-06-01")
_PREFIX: Final = "/subscriptions/"
_ACCOUNT: Final = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.Batch/batchAccounts/(?P<account>[^/]+)(?P<rest>/.*)?",
    re.IGNORECASE,
)


def is_for_arm(request: web.Request) -> bool:
    """Tell whether a request is for Azure Resource Manager and not for the account itself."""
    return request.path.lower().startswith(_PREFIX)


def find_arm_operation(account: Account, request: web.Request) -> ArmOperation | None:
    """Return the operation of this account that a request asks for, if there is one."""
    try:
        rest = _below_account(account, request)
    except ServiceError:
        return None
    found = (one for one in ARM_OPERATIONS if one.match(request.method, rest) is not None)
    return next(found, None)


def arm_refusal(request_id: str, error: ServiceError) -> web.Response:
    """Answer a refused request."""
    response = error_response(request_id, print_time(now()), error)
    response.headers["x-ms-request-id"] = request_id
    return response


async def answer(account: Account, request: web.Request, request_id: str) -> web.Response:
    """Answer a request, with an error body if it is refused."""
    try:
        response = await _dispatch(account, request)
    except ServiceError as error:
        return arm_refusal(request_id, error)
    except web.HTTPRequestEntityTooLarge:
        return arm_refusal(request_id, ServiceError("RequestBodyTooLarge"))
    except ConnectionError:
        raise
    except Exception as error:  # noqa: BLE001 - the one place that answers for our own faults
        tell_failure("request.failed", error, method=request.method, path=request.path_qs)
        return arm_refusal(request_id, ServiceError("InternalError"))
    response.headers["x-ms-request-id"] = request_id
    return response


async def _dispatch(account: Account, request: web.Request) -> web.Response:
    _check_token(account, request)
    _check_version(request)
    rest = _below_account(account, request)
    for operation in ARM_OPERATIONS:
        parts = operation.match(request.method, rest)
        if parts is not None:
            _check_request(request, operation)
            return await operation.handler(ArmCall(account, request, parts))
    raise not_supported(f"{request.method} {request.path}")


def has_token(account: Account, request: web.Request) -> bool:
    """Tell whether a request carries the account's token."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    given = token.strip().encode(errors="surrogateescape")
    wanted = account.options.token.encode()
    return hmac.compare_digest(given, wanted) and scheme.lower() == "bearer"


def _check_token(account: Account, request: web.Request) -> None:
    if has_token(account, request):
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        raise ServiceError("InvalidAuthenticationToken")
    text = "Authentication failed. The 'Authorization' header is missing or not a bearer token."
    raise ServiceError("AuthenticationFailed", status=401, text=text)


def _check_version(request: web.Request) -> None:
    if not (version := request.query.get("api-version")):
        raise ServiceError("MissingApiVersionParameter")
    if version not in API_VERSIONS:
        supported = (("SupportedVersions", ", ".join(API_VERSIONS)),)
        raise ServiceError("InvalidApiVersionParameter", values=supported)


def _below_account(account: Account, request: web.Request) -> str:
    """Return the path below the account's id."""
    found = _ACCOUNT.fullmatch(request.path)
    if found is None:
        raise not_supported(f"{request.method} {request.path}")
    ours = {"subscription": SUBSCRIPTION, "group": GROUP, "account": account.options.account}
    for part, name in ours.items():
        if found[part].lower() != name.lower():
            raise ServiceError("ResourceNotFound", values=((part, f"There is only {name} here."),))
    return found["rest"] or ""


def _check_request(request: web.Request, operation: ArmOperation) -> None:
    for name in request.query:
        if name != "api-version" and name not in operation.query:
            raise not_supported(f"query parameter {name} with operation {operation.name}")
    for name in ("If-Match", "If-None-Match"):
        if name in request.headers and not operation.conditional:
            raise not_supported(f"header {name} with operation {operation.name}")
