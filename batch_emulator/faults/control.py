"""
The paths under ``/emulator``: the clock, rules of faults, and faults of one job, task, node or pool.

Azure Batch has no such paths. They take the token of Azure Resource Manager, need no API version, and
answer plain JSON.
"""

import json

from aiohttp import web

from batch_emulator.faults.changes import CHANGES, find_thing
from batch_emulator.faults.clock_control import advance, show_clock
from batch_emulator.faults.register import Register
from batch_emulator.faults.rules import BadRuleError, read_rule
from batch_emulator.runtime.account import Account

_PREFIX = "/emulator/"


def is_control(request: web.Request) -> bool:
    """Tell whether a request is for the emulator itself and not for the account."""
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
        case "POST", [*thing, what]:
            kind, names = _kind_and_names(thing)
            if what in CHANGES.get(kind, ()):
                return await _change(account, kind, names, what, await request.read())
        case _:
            pass
    return _nothing_answers(request)


def _kind_and_names(thing: list[str]) -> tuple[str, list[str]]:
    """Return the kind and names in a path below ``/emulator``; an unknown path has an empty kind."""
    match thing:
        case ["jobs", job, "tasks", task]:
            return "tasks", [job, task]
        case [kind, name] if kind != "tasks":
            return kind, [name]
        case _:
            return "", []


def _nothing_answers(request: web.Request) -> web.Response:
    return refused(404, ("path", f"there is no operation {request.method} {request.path}"))


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


async def _change(
    account: Account, kind: str, names: list[str], what: str, body: bytes
) -> web.Response:
    one = kind.removesuffix("s")
    if (thing := find_thing(account, kind, names)) is None:
        return refused(404, (one, f"there is no {one} {'/'.join(names)}"))
    try:
        await CHANGES[kind][what](account, thing, body)
    except BadRuleError as error:
        return refused(400, *error.problems)
    except ValueError as error:
        return refused(409, (one, str(error)))
    return web.Response(status=204)


def refused(status: int, *problems: tuple[str, str]) -> web.Response:
    """Refuse a request, with a message for each field that is wrong."""
    errors = [{"field": field, "message": message} for field, message in problems]
    return web.Response(
        status=status,
        body=json.dumps({"errors": errors}).encode(),
        content_type="application/json",
    )
