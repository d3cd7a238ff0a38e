"""
The paths under ``/emulator`` by which rules come, are counted and go.

They are no part of Azure Batch: the token of Azure Resource Manager, no API version, plain JSON.
"""

import json

from aiohttp import web

from batch_emulator.faults.register import Register
from batch_emulator.faults.rules import BadRuleError, read_rule
from batch_emulator.runtime import jobs
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.state import Job

_PREFIX = "/emulator/"


def is_control(request: web.Request) -> bool:
    """Tell whether a request is for the emulator itself, and not for the account."""
    return request.path.startswith(_PREFIX)


async def control(account: Account, register: Register, request: web.Request) -> web.Response:
    """Answer a request to the emulator itself."""
    match request.method, request.path.removeprefix(_PREFIX).split("/"):
        case "GET", ["faults"]:
            return web.json_response(register.show())
        case "POST", ["faults"]:
            return await _add(register, request)
        case "DELETE", ["faults"]:
            register.clear()
        case "DELETE", ["faults", id_]:
            if not register.remove(id_):
                return refused(404, ("id", f"there is no rule {id_}"))
        case "POST", ["jobs", id_, "forget" | "delete" as what]:
            if (job := account.jobs.find(id_)) is None:
                return refused(404, ("job", f"there is no job {id_}"))
            await _change(account, job, what)
        case method, parts:
            return refused(404, ("path", f"nothing answers {method} {_PREFIX}{'/'.join(parts)}"))
    return web.Response(status=204)


async def _add(register: Register, request: web.Request) -> web.Response:
    try:
        id_ = register.add(read_rule(await request.read()))
    except BadRuleError as error:
        return refused(400, *error.problems)
    return web.json_response({"id": id_}, status=201)


async def _change(account: Account, job: Job, what: str) -> None:
    if what == "forget":
        await jobs.forget(account, job)
    else:
        await jobs.keep_deleting(job)


def refused(status: int, *problems: tuple[str, str]) -> web.Response:
    """Refuse a request, with a message for each field that is wrong."""
    errors = [{"field": field, "message": message} for field, message in problems]
    return web.Response(
        status=status,
        body=json.dumps({"errors": errors}).encode(),
        content_type="application/json",
    )
