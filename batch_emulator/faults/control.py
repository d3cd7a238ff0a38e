"""
The paths under ``/emulator``: the clock, rules of faults, and what a fault does to one job, node or pool.

Azure Batch has no such paths. They take the token of Azure Resource Manager, need no API version, and
answer plain JSON.
"""

import json
from datetime import timedelta

from aiohttp import web

from batch_emulator.faults.clock_control import advance, show_clock
from batch_emulator.faults.register import Register
from batch_emulator.faults.rules import BadRuleError, read_rule
from batch_emulator.runtime import jobs, node_changes, pools
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.scheduling import node_of
from batch_emulator.wire import Json, read_json

_PREFIX = "/emulator/"
_CHANGES = {
    "jobs": ("forget", "delete"),
    "nodes": ("preempt", "restore", "spoil"),
    "pools": ("withhold", "grant"),
}
_PREEMPTED_SECONDS = 300.0
_SPOILED = ("DiskFull", "There is not enough disk space on the node")
_WITHHELD = (
    "AllocationFailed",
    "Desired number of dedicated nodes could not be allocated",
)
_MOST_SECONDS = 366 * 24 * 3600.0


def is_control(request: web.Request) -> bool:
    """Tell whether a request is for the emulator itself, and not for the account."""
    return request.path.startswith(_PREFIX)


async def control(account: Account, register: Register, request: web.Request) -> web.Response:
    """Answer a request to the emulator itself: faults, if they are enabled, and the clock."""
    place = request.path.removeprefix(_PREFIX).split("/")
    if place[0] == "clock" or not account.options.faults:
        return await _answer_about_clock(account, request, place)
    match request.method, place:
        case "GET", ["faults"]:
            return web.json_response(register.show())
        case "POST", ["faults"]:
            return await _add(register, request)
        case "DELETE", ["faults", *ids] if len(ids) <= 1:
            return _remove(register, *ids)
        case "POST", [kind, id_, what] if what in _CHANGES.get(kind, ()):
            return await _change(account, kind, id_, what, await request.read())
        case _:
            return _nothing_answers(request)


def _nothing_answers(request: web.Request) -> web.Response:
    return refused(404, ("path", f"nothing answers {request.method} {request.path}"))


async def _answer_about_clock(
    account: Account, request: web.Request, place: list[str]
) -> web.Response:
    clock = account.clock
    try:
        match request.method, place:
            case "GET", ["clock"]:
                return web.json_response(show_clock(clock))
            case "POST", ["clock", "advance"]:
                return web.json_response(await advance(clock, await request.read()))
            case _:
                return _nothing_answers(request)
    except BadRuleError as error:
        return refused(400, *error.problems)
    except ValueError as error:
        return refused(409, ("clock", str(error)))


async def _add(register: Register, request: web.Request) -> web.Response:
    try:
        id_ = register.add(read_rule(await request.read()))
    except BadRuleError as error:
        return refused(400, *error.problems)
    return web.json_response({"id": id_}, status=201)


def _remove(register: Register, id_: str | None = None) -> web.Response:
    if id_ is None:
        register.clear()
    elif not register.remove(id_):
        return refused(404, ("id", f"there is no rule {id_}"))
    return web.Response(status=204)


async def _change(account: Account, kind: str, id_: str, what: str, body: bytes) -> web.Response:
    match kind:
        case "jobs":
            return await _change_job(account, id_, what, body)
        case "nodes":
            return _change_node(account, id_, what, body)
        case _:
            return _change_pool(account, id_, what, body)


async def _change_job(account: Account, id_: str, what: str, body: bytes) -> web.Response:
    if (job := account.jobs.find(id_)) is None:
        return refused(404, ("job", f"there is no job {id_}"))
    if what == "forget":
        await jobs.forget(account, job)
        return web.Response(status=204)
    try:
        seconds = _read_seconds(body, 0.0)
    except BadRuleError as error:
        return refused(400, *error.problems)
    await jobs.keep_deleting(job, timedelta(seconds=seconds or 0.0))
    return web.Response(status=204)


def _change_node(account: Account, id_: str, what: str, body: bytes) -> web.Response:
    found = (node_of(pool, id_) for pool in account.pools)
    node = next((node for node in found if node is not None), None)
    if node is None:
        return refused(404, ("node", f"there is no node {id_}"))
    try:
        if what == "restore":
            node_changes.restore(node)
        elif what == "spoil":
            code, message = _read_cause(body, *_SPOILED)
            node_changes.spoil(account, node, code, message)
        else:
            node_changes.preempt(account, node, _read_seconds(body, _PREEMPTED_SECONDS))
    except BadRuleError as error:
        return refused(400, *error.problems)
    except ValueError as error:
        return refused(409, ("node", str(error)))
    return web.Response(status=204)


def _change_pool(account: Account, id_: str, what: str, body: bytes) -> web.Response:
    if (pool := account.pools.find(id_)) is None:
        return refused(404, ("pool", f"there is no pool {id_}"))
    try:
        if what == "withhold":
            pools.withhold(pool, Failure(*_read_cause(body, *_WITHHELD)))
        else:
            pools.grant(pool)
    except BadRuleError as error:
        return refused(400, *error.problems)
    except ValueError as error:
        return refused(409, ("pool", str(error)))
    return web.Response(status=204)


def _read_body(body: bytes, *fields: str) -> Json:
    try:
        given = read_json(body or b"{}")
    except ValueError as error:
        raise BadRuleError((("body", f"not JSON: {error}"),)) from error
    if not isinstance(given, dict) or given.keys() - set(fields):
        reason = f"the body may hold {' and '.join(fields)} and nothing else"
        raise BadRuleError((("body", reason),))
    return given


def _read_cause(body: bytes, code: str, message: str) -> tuple[str, str]:
    """Return the code and the message of what goes wrong; what is not given is as usual."""
    given = _read_body(body, "code", "message")
    cause = given.get("code", code), given.get("message", message)
    problems = [
        (field, f"{field} must be a text that is not empty")
        for field, value in zip(("code", "message"), cause, strict=True)
        if not isinstance(value, str) or not value
    ]
    if problems:
        raise BadRuleError(tuple(problems))
    return cause


def _read_seconds(body: bytes, usual: float) -> float | None:
    """Return a number of seconds; None where null is given."""
    given = _read_body(body, "seconds")
    seconds = given.get("seconds", usual)
    if seconds is None:
        return None
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or not 0 <= seconds <= _MOST_SECONDS:
        reason = f"seconds must be a number from 0 to {_MOST_SECONDS:.0f}, or null"
        raise BadRuleError((("seconds", reason),))
    return float(seconds)


def refused(status: int, *problems: tuple[str, str]) -> web.Response:
    """Refuse a request, with a message for each field that is wrong."""
    errors = [{"field": field, "message": message} for field, message in problems]
    return web.Response(
        status=status,
        body=json.dumps({"errors": errors}).encode(),
        content_type="application/json",
    )
