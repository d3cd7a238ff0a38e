"""Every reply of every emulator that tests start, held against the schema of azure-batch."""

import json
from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Middleware

from batch_emulator import server
from batch_emulator.arm.service import is_for_arm
from batch_emulator.dataplane.operations import find_operation
from batch_emulator.runtime.account import Account
from tests.support.reply_schema import ERROR, ReplySchema

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_violations: list[str] = []
_judged: list[str] = []
_schema = cache(ReplySchema)


def judge_every_emulator() -> None:
    """Hold the replies of every emulator of this process against the schema, from now on."""
    inner = vars(server)["pipeline"]

    def judged(account: Account) -> list[Middleware]:
        return [judge, *inner(account)]

    vars(server)["pipeline"] = judged


def take_violations() -> list[str]:
    """Return what has been wrong since the last call, each with operation, path and reason."""
    found = list(dict.fromkeys(_violations))
    _violations.clear()
    return found


def judged_count() -> int:
    """Return how many replies of this process have been held against the schema."""
    return len(_judged)


@web.middleware
async def judge(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep what is wrong with a reply, and pass it on."""
    response = await handler(request)
    operation = None if is_for_arm(request) else find_operation(request)
    body = response.body if isinstance(response, web.Response) else None
    if request.method == "HEAD":
        return response  # the server leaves the body out
    if response.content_type == "text/plain" and response.status == HTTPStatus.FORBIDDEN:
        return response  # to whoever is no client of Azure Batch
    if operation is not None and isinstance(body, bytes) and body:
        _judged.append(operation.name)
        said = violations(
            operation.name,
            response.status,
            body,
            selected="$select" in request.query,
        )
        _violations.extend(
            f"{operation.name} ({request.method} {request.path_qs}): {one}" for one in said
        )
    return response


def violations(operation: str, status: int, body: bytes, *, selected: bool = False) -> list[str]:
    """
    Return what is wrong with a reply's body, each with the path of its property.

    Args:
        operation: Its name in azure-batch.
        status: The reply's status; from 400 on the body is an error.
        body: The reply's body, not empty.
        selected: Whether ``$select`` has left some properties out.
    """
    schema = _schema()
    if status >= HTTPStatus.BAD_REQUEST:
        return schema.violations(ERROR, json.loads(body))
    shape = schema.shape(operation)
    if shape is None:
        return ["$: azure-batch reads no JSON from this operation"]
    model, is_list = shape
    reply = json.loads(body)
    if not is_list:
        return schema.violations(model, reply, selected=selected)
    unknown = reply.keys() - {"odata.metadata", "odata.nextLink", "value"}
    return [
        *(f"$.{name}: is unknown" for name in sorted(unknown)),
        *(
            one
            for item in reply["value"]
            for one in schema.violations(model, item, selected=selected)
        ),
    ]
