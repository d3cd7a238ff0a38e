"""
What every request passes on its way to its handler, in this order.

refuse_strangers      Host is a name of this machine with the port, and there is no Origin
stamp                 an id for the request, a line in the journal for a change or a refusal;
                      answers the readiness probe
let time pass         of a virtual clock, a microsecond for each change
faults                where they are enabled, the faults that a test has asked for; the control of the clock
hand over             what is for Azure Resource Manager goes to ``batch_emulator.arm``, and no further
answer_errors         refusals become the service's error bodies
require_version       api-version is given and known
require_signature     signed with the account's key, a short while ago
require_support       the operation, its query parameters and its conditions are supported
"""

import json
import re
import uuid
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from batch_emulator.arm.service import answer as arm_answer
from batch_emulator.arm.service import arm_refusal, is_for_arm
from batch_emulator.dataplane.auth import verify
from batch_emulator.dataplane.batch_call import CONDITIONS, JSON_TYPE, REQUEST_ID, error_body
from batch_emulator.dataplane.operations import Operation, find_operation
from batch_emulator.errors import ServiceError, invalid_query, not_supported
from batch_emulator.faults.middleware import faults
from batch_emulator.journal import tell, tell_failure
from batch_emulator.loopback import refusal_reason
from batch_emulator.runtime.account import Account
from batch_emulator.virtual_clock import VirtualClock
from batch_emulator.wire import now

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

READY: Final = "/emulator/ready"
"""Answers 200 to everyone while the account is served; rules of faults do not count it."""

_CLOCK: Final = "/emulator/clock/"

NEWEST_VERSION: Final = "2025-06-01"
_VERSION: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(\.\d+\.\d+)?")
_ODATA: Final = {"$expand", "$filter", "$select"}
"""If an operation lacks one of these here, the service's operation lacks it too."""
_EVERYWHERE: Final = {"api-version", "timeOut", "timeout"}
_ERRORS: Final = "Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element"


def pipeline(account: Account) -> list[Middleware]:
    """Return the middlewares, the outermost first."""
    clock = account.clock

    def refuse(request: web.Request, error: ServiceError) -> web.Response:
        if is_for_arm(request):
            return arm_refusal(request[REQUEST_ID], error)
        return _error_response(account, request, error)

    return [
        refuse_strangers,
        stamp,
        *([_let_time_pass(clock)] if isinstance(clock, VirtualClock) else []),
        *([faults(account, refuse)] if account.options.controlled else []),
        _hand_over(account),
        _answer_errors(account),
        require_version,
        _require_signature(account),
        require_support,
    ]


@web.middleware
async def refuse_strangers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what a web page may have sent, before anything else of the request is read."""
    socket = request.get_extra_info("sockname")
    if socket is None:  # the client is gone already
        return web.Response(status=HTTPStatus.FORBIDDEN)
    reason = refusal_reason(
        method=request.method,
        target=request.raw_path,
        hosts=request.headers.getall("Host", []),
        origins=request.headers.getall("Origin", []),
        port=socket[1],
    )
    if reason is None:
        return await handler(request)
    tell("request.refused", method=request.method, path=request.path_qs, reason=reason)
    return web.Response(status=HTTPStatus.FORBIDDEN, text=f"{reason}\n")


@web.middleware
async def stamp(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id; write it to the journal if it changes something or is refused."""
    request[REQUEST_ID] = str(uuid.uuid4())
    if request.path == READY and request.method in {"GET", "HEAD"}:
        return web.Response(text="ready\n")
    response = await handler(request)
    if request.method not in {"GET", "HEAD"} or response.status >= HTTPStatus.BAD_REQUEST:
        tell(
            "request.answered",
            method=request.method,
            path=request.path_qs,
            status=response.status,
            reason=response.reason,
            location=response.headers.get("Location"),
        )
    return response


def _let_time_pass(clock: VirtualClock) -> Middleware:
    @web.middleware
    async def let_time_pass(request: web.Request, handler: Handler) -> web.StreamResponse:
        # An order to the clock itself takes none: given again, it has the time that it asks for.
        if request.method not in {"GET", "HEAD"} and not request.path.startswith(_CLOCK):
            clock.tick()
        return await handler(request)

    return let_time_pass


def _hand_over(account: Account) -> Middleware:
    @web.middleware
    async def hand_over(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_for_arm(request):
            return await arm_answer(account, request, request[REQUEST_ID])
        return await handler(request)

    return hand_over


async def add_common_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the common headers to a reply of the data plane just before it is sent."""
    if is_for_arm(request):
        return
    response.headers.update(
        {
            "DataServiceVersion": "3.0",
            "request-id": request.get(REQUEST_ID, ""),
            "Server": "Batch-Emulator",
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "X-Content-Type-Options": "nosniff",
        }
    )
    is_of_file = request.method == "HEAD" and not response.chunked
    if request.method == "HEAD" and response.chunked:
        response.headers["Transfer-Encoding"] = "chunked"  # as the service says; aiohttp does not
    if isinstance(response, web.Response) and response.body is None and not is_of_file:
        response.headers.pop("Content-Type", None)  # of nothing; aiohttp gives one all the same
    if response.status == HTTPStatus.NO_CONTENT:
        response.headers["Content-Length"] = "0"  # as the service does, against RFC 9110
    if request.headers.get("return-client-request-id", "").lower() == "true":
        response.headers["client-request-id"] = request.headers.get("client-request-id", "")


def _answer_errors(account: Account) -> Middleware:
    @web.middleware
    async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except ServiceError as error:
            return _error_response(account, request, error)
        except web.HTTPRequestEntityTooLarge:
            return _error_response(account, request, ServiceError("RequestBodyTooLarge"))
        except (ConnectionError, web.HTTPException):
            raise
        except Exception as error:  # noqa: BLE001 - the one place that answers for our own faults
            tell_failure("request.failed", error, method=request.method, path=request.path_qs)
            return _error_response(account, request, ServiceError("InternalError"))

    return answer_errors


def _error_response(account: Account, request: web.Request, error: ServiceError) -> web.Response:
    if request.method == "HEAD" or error.status == HTTPStatus.NOT_MODIFIED:
        return web.Response(status=error.status, reason=error.reason)
    body = {"odata.metadata": f"{account.url}/$metadata#{_ERRORS}", **error_body(request, error)}
    return web.Response(
        status=error.status,
        reason=error.reason,
        body=json.dumps(body).encode(),
        headers={"Content-Type": JSON_TYPE},
    )


@web.middleware
async def require_version(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a request without an API version, or with an unknown one."""
    if not (version := request.query.get("api-version")):
        values = (("QueryParameterName", "api-version"),)
        raise ServiceError("MissingRequiredQueryParameter", values=values)
    match = _VERSION.fullmatch(version)
    if match is None or match[1] > NEWEST_VERSION:
        raise ServiceError("UnsupportedRequestVersion", values=(("Version", version),))
    return await handler(request)


def _require_signature(account: Account) -> Middleware:
    @web.middleware
    async def require_signature(request: web.Request, handler: Handler) -> web.StreamResponse:
        verify(
            account=account.options.account,
            key=account.options.key,
            method=request.method,
            raw_target=request.raw_path,
            headers=request.headers,
            now=now(),
        )
        return await handler(request)

    return require_signature


@web.middleware
async def require_support(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse, and never ignore, what the emulator does not support."""
    operation = find_operation(request)
    if operation is None:
        raise not_supported(f"{request.method} {request.path}")
    if operation.handler is None:
        raise not_supported(f"operation {operation.name} ({request.method} {request.path})")
    _check_query(request, operation)
    for name in CONDITIONS:
        if name in request.headers and not operation.conditional:
            raise not_supported(f"header {name} with operation {operation.name}")
    return await handler(request)


def _check_query(request: web.Request, operation: Operation) -> None:
    for name, value in request.query.items():
        if name in _ODATA and name not in operation.query:
            values = (("QueryParameterName", name), ("QueryParameterValue", value))
            raise ServiceError("UnsupportedQueryParameter", values=values)
        if name not in _EVERYWHERE and name not in operation.query:
            raise not_supported(f"query parameter {name} with operation {operation.name}")
        if name.lower() == "timeout" and not value.isdecimal():
            raise invalid_query(name, value, "The value is not a number of seconds")
