"""The middleware that causes faults, in front of the account's pipeline."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from batch_emulator.arm.arm_call import PRINCIPAL, storage_id
from batch_emulator.arm.service import find_arm_operation, has_token, is_for_arm
from batch_emulator.dataplane.file_routes import CUT_AFTER_BYTES
from batch_emulator.dataplane.operations import find_operation
from batch_emulator.errors import ServiceError
from batch_emulator.faults.control import control, is_control, refused
from batch_emulator.faults.register import Register, Seen
from batch_emulator.faults.rules import (
    Absence,
    Cut,
    Denial,
    Fault,
    IncomingRequest,
    Quota,
    Refusal,
    Reset,
    Silence,
)
from batch_emulator.journal import tell
from batch_emulator.runtime.account import Account
from batch_emulator.wire import read_json

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
type Refuse = Callable[[web.Request, ServiceError], web.Response]

NOT_ANSWERED: Final = 499
"""The status in the journal if the client got no answer; it is never sent."""

_REFUSALS: Final = {"quota": "ActiveJobAndScheduleQuotaReached", "absence": "JobNotFound"}
_CODES: Final[dict[int | None, str]] = {
    403: "AuthenticationFailed",
    429: "TooManyRequests",
    500: "OperationTimedOut",
    503: "ServerBusy",
}
_CALLER: Final = "22222222-2222-2222-2222-222222222222"
_LOOK_SECONDS: Final = 0.02
_RESET: Final = struct.pack("ii", 1, 0)  # linger for no time: the socket's end is an RST


def faults(account: Account, refuse: Refuse) -> Middleware:
    """
    Return the middleware.

    Args:
        account: The emulator's account.
        refuse: Turns an error into a reply, in the shape of the service that was asked.
    """
    register = Register()

    @web.middleware
    async def bring_about(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_control(request):
            if not has_token(account, request):
                wanted = "it must be 'Bearer TOKEN', with the token of the account"
                return refused(HTTPStatus.UNAUTHORIZED, ("Authorization", wanted))
            return await control(account, register, request)
        if is_for_arm(request):
            denied = register.choose_denial(_asked_of_arm(account, request))
            if denied is None:
                return await handler(request)
            id_, rule = denied
            tell("fault.hit", rule=id_, kind=rule.kind, effect=False)
            return refuse(request, _denial(account, request, rule))
        try:
            asked = await _asked(request)
        except web.HTTPRequestEntityTooLarge:
            return refuse(request, ServiceError("RequestBodyTooLarge"))
        seen, milliseconds, fault = register.choose(asked)
        await asyncio.sleep(milliseconds / 1000)
        response = await _answer_with_fault(request, handler, refuse, seen, fault)
        if fault is not None:
            tell("fault.hit", rule=seen.fault, kind=fault.kind, effect=seen.effect)
        return response

    return bring_about


async def _answer_with_fault(
    request: web.Request, handler: Handler, refuse: Refuse, seen: Seen, rule: Fault | None
) -> web.StreamResponse:
    if isinstance(rule, Cut):
        return await _cut(request, handler, seen, rule)
    if rule is None or getattr(rule, "after_effect", False):
        response = await handler(request)
        seen.effect = response.status < HTTPStatus.BAD_REQUEST
        if rule is None:
            seen.status = response.status
            return response
    match rule:
        case Reset():
            _reset(request)
        case Silence():
            await _wait_for_end(request)
        case Refusal():
            response = _refused_by_rule(request, refuse, rule)
            seen.status = response.status
            return response
        case Quota() | Absence():
            response = refuse(request, ServiceError(_REFUSALS[rule.kind]))
            seen.status = response.status
            return response
    return web.Response(status=NOT_ANSWERED, reason="No answer")


async def _cut(request: web.Request, handler: Handler, seen: Seen, rule: Cut) -> web.StreamResponse:
    """Send only a part of a file; a file that is cut has no status."""
    request[CUT_AFTER_BYTES] = rule.bytes
    try:
        response = await handler(request)
    except ConnectionError:
        return web.Response(status=NOT_ANSWERED, reason="No answer")
    seen.status, seen.effect = response.status, response.status < HTTPStatus.BAD_REQUEST
    return response


def _refused_by_rule(request: web.Request, refuse: Refuse, rule: Refusal) -> web.Response:
    error = ServiceError(_CODES[rule.status] if rule.code is None else rule.code)
    response = refuse(request, error) if rule.body else web.Response(status=error.status)
    if rule.retry_after is not None:
        response.headers["Retry-After"] = str(rule.retry_after)
    return response


def _reset(request: web.Request) -> None:
    """Reset the connection; anything written to it afterwards is lost."""
    transport = request.transport
    if transport is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()


async def _wait_for_end(request: web.Request) -> None:
    """Wait until the client has closed the connection."""
    # A handler is not told that the connection is lost: it has to look.
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_SECONDS)


def _asked_of_arm(account: Account, request: web.Request) -> IncomingRequest:
    operation = find_arm_operation(account, request)
    name = operation.name if operation else None
    return IncomingRequest(method=request.method, path=request.path, operation=name, job=None)


def _denial(account: Account, request: web.Request, rule: Denial) -> ServiceError:
    """Return the error; for Azure Resource Manager's own codes, its text names who was refused."""
    if rule.code != "AuthorizationFailed":
        return ServiceError(rule.code)
    who, scope = _CALLER, request.path
    if rule.whose == "account":
        who, scope = PRINCIPAL, storage_id(account)
    return ServiceError(
        rule.code,
        text=f"The client '{who}' with object id '{who}' does not have authorization to perform "
        f"the action over scope '{scope}' or the scope is invalid. If access was recently "
        "granted, please refresh your credentials.",
    )


async def _asked(request: web.Request) -> IncomingRequest:
    operation = find_operation(request)
    name = operation.name if operation else None
    job = request.match_info.get("jobId")
    if name == "create_job":
        with contextlib.suppress(web.RequestPayloadError):  # who answers will say so
            job = _job_of(await request.read())
    return IncomingRequest(method=request.method, path=request.path, operation=name, job=job)


def _job_of(body: bytes) -> str | None:
    """Return the id of the job to create, if the body names one."""
    try:
        given = read_json(body)
    except ValueError:
        return None
    id_ = given.get("id") if isinstance(given, dict) else None
    return id_ if isinstance(id_, str) else None
