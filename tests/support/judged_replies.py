"""
Every reply of every emulator that tests start, held against the schema of the official client.

An emulator in a process of its own judges its replies too, and writes what is wrong with them into
the file that the variable ``JUDGED_REPLIES_FILE`` names; ``judged_processes`` begins that.
"""

import json
import os
import sys
from collections.abc import Awaitable, Callable
from functools import cache, lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from batch_emulator import server
from batch_emulator.arm.operations import ARM_OPERATIONS
from batch_emulator.arm.service import find_arm_operation, is_for_arm
from batch_emulator.dataplane.operations import find_operation
from batch_emulator.runtime.account import Account
from tests.support.reply_schema import ARM_ERROR, ERROR, ReplySchema

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

FILE_VARIABLE: Final = "JUDGED_REPLIES_FILE"
_PROCESSES: Final = Path(__file__).with_name("judged_processes")
_ARM_NAMES: Final = frozenset(operation.name for operation in ARM_OPERATIONS)

_violations: list[str] = []
_judged: list[str] = []
_batch = cache(ReplySchema.of_batch)
_resource_manager = cache(ReplySchema.of_resource_manager)


def judge_every_emulator() -> None:
    """Hold the replies of every emulator of this process against the schema, from now on."""
    inner = vars(server)["pipeline"]

    def judged(account: Account) -> list[Middleware]:
        return [judge(account), *inner(account)]

    vars(server)["pipeline"] = judged


def judge_other_processes(file: Path) -> None:
    """Let emulators of processes that are started from now on judge their replies into ``file``."""
    file.touch()
    os.environ[FILE_VARIABLE] = str(file)
    others = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(_PROCESSES), *([others] if others else [])])


def take_violations() -> list[str]:
    """Return what has been wrong since the last call, each with operation, path and reason."""
    found = list(dict.fromkeys(_violations))
    _violations.clear()
    if (name := os.environ.get(FILE_VARIABLE)) and (file := Path(name)).stat().st_size:
        found += dict.fromkeys(file.read_text().splitlines())
        file.write_text("")
    return found


def write_violations(file: Path) -> None:
    """Write what has been wrong in this process so far to the end of ``file``."""
    with file.open("a") as lines:
        lines.writelines(f"{one}\n" for one in _violations)
    _violations.clear()


def judged_count() -> int:
    """Return how many replies of this process have been held against the schema."""
    return len(_judged)


def judge(account: Account) -> Middleware:
    """Return what keeps what is wrong with a reply, and passes it on."""

    @web.middleware
    async def look(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if request.method != "HEAD":  # the server leaves the body out
            _look(account, request, response)
        return response

    return look


def _look(account: Account, request: web.Request, response: web.StreamResponse) -> None:
    for_arm = is_for_arm(request)
    operation = find_arm_operation(account, request) if for_arm else find_operation(request)
    body = response.body if isinstance(response, web.Response) else None
    if response.content_type == "text/plain" and response.status == HTTPStatus.FORBIDDEN:
        return  # to a program that is no client of Azure
    if operation is None or not isinstance(body, bytes) or not body:
        return
    _judged.append(operation.name)
    said = _known_violations(
        operation.name, response.status, body, selected=request.query.get("$select", "")
    )
    _violations.extend(
        f"{operation.name} ({request.method} {request.path_qs}): {one}" for one in said
    )
    if (name := os.environ.get(FILE_VARIABLE)) and "batch_emulator" in sys.orig_argv:
        write_violations(Path(name))


@lru_cache(maxsize=1000)
def _known_violations(
    operation: str, status: int, body: bytes, *, selected: str
) -> tuple[str, ...]:
    """Judge a body once: whoever waits for something reads the same again and again."""
    return tuple(violations(operation, status, body, selected=selected))


def violations(operation: str, status: int, body: bytes, *, selected: str = "") -> list[str]:
    """
    Return what is wrong with a reply's body, each with the path of its property.

    Args:
        operation: Its name in azure-batch or, with its group, in azure-mgmt-batch.
        status: The reply's status; from 400 on the body is an error.
        body: The reply's body, not empty.
        selected: What ``$select`` says, which leaves properties out.
    """
    for_arm = operation in _ARM_NAMES
    schema = _resource_manager() if for_arm else _batch()
    if status >= HTTPStatus.BAD_REQUEST:
        return schema.violations(ARM_ERROR if for_arm else ERROR, json.loads(body))
    shape = schema.shape(operation.partition(" ")[0])
    if shape is None:
        return ["$: the official client reads no JSON from this operation"]
    model, is_list = shape
    reply = json.loads(body)
    if not is_list:
        return schema.violations(model, reply, selected=selected)
    unknown = reply.keys() - {"odata.metadata", "odata.nextLink", "nextLink", "value"}
    return [
        *(f"$.{name}: is unknown" for name in sorted(unknown)),
        *(
            one
            for item in reply["value"]
            for one in schema.violations(model, item, selected=selected)
        ),
    ]
