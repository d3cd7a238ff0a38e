"""
Recorded calls sent in order to one emulator, each reply compared with the recorded one.

What a test run of the recordings found, and did not make itself, is made before its first call: its
pool, job and nodes. What it leaves is removed before the next one begins. Ids stay as they were
recorded, but for those of nodes. Commands become one that ends as the recorded one did, and only
when the recording says so; addresses of files become such of a blob in Azurite.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from azure.batch._patch import BatchSharedKeyAuthPolicy
from azure.core import AsyncPipelineClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.rest import AsyncHttpResponse, HttpRequest

from tests.recordings.recorded_calls import RecordedCall, Reply, without_newer

type Json = dict[str, Any]
type Client = AsyncPipelineClient[HttpRequest, AsyncHttpResponse]

NEWEST: Final = "2025-06-01"
PATIENCE_SECONDS: Final = 20.0
"""How long a reply may take to come to the state that was recorded."""

_HOPELESS_SECONDS: Final = 0.5
"""The same of a reply that differs anyhow."""

BOOT_SPEED: Final = 40.0
"""A node boots in 3.5 s: long enough for a recorded look at it."""

_WAIT_SECONDS: Final = 0.02
_NODE: Final = re.compile(r"tvm(?:ps)?[-_][0-9a-z_-]+", re.IGNORECASE)
_MACHINE: Final = {
    "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
    "nodeAgentSKUId": "batch.node.ubuntu 24.04",
}
_SIZE: Final = "standard_d2s_v3"
_STALE: Final = "0x8D000000000000"
_FOUND: Final = "found-by-the-tests"
_PREPARATION: Final = "jobpreparation"
_PASSWORD: Final = "Not-A-Secret-1"
_REFUSED: Final = frozenset(
    {
        "authenticationTokenSettings",
        "multiInstanceSettings",
    }
)
"""What the emulator has not; a stand-in is without it."""
_OF_A_POOL: Final = frozenset(
    {
        "displayName",
        "metadata",
        "startTask",
        "userAccounts",
        "virtualMachineConfiguration",
        "vmSize",
    }
)
"""What a pool that was found is made with, as far as a reply shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    How the emulator answered a recorded call.

    Attributes:
        call: The recorded one.
        reply: What is compared of the emulator's reply.
        code: The code of the error that it answered, if any.
    """

    call: RecordedCall
    reply: Reply
    code: str | None

    @property
    def difference(self) -> str:
        """In which of status, headers and keys the replies differ; empty if in none."""
        wanted, seen = self.call.reply, self.reply
        if wanted.status != seen.status:
            return f"status {seen.status} for {wanted.status}"
        said = [
            f"{kind} {mark}{name}"
            for kind, there, here in (
                ("header", wanted.headers, seen.headers),
                ("key", wanted.keys, seen.keys),
            )
            for mark, names in (
                ("-", there - here),
                ("+", frozenset() if kind == "key" and self.call.shortened else here - there),
            )
            for name in sorted(names)
        ]
        return ", ".join(said)

    @property
    def same_status(self) -> bool:
        """Whether the statuses are equal."""
        return self.call.reply.status == self.reply.status


def signing_client(url: str, account: str, key: str) -> Client:
    """Return a client that signs as azure-batch does, and turns no reply into an error."""
    credential = AzureNamedKeyCredential(account, key)
    return AsyncPipelineClient(url, policies=[BatchSharedKeyAuthPolicy(credential)])


@dataclass(slots=True)
class Replay:
    """
    The sending of recorded calls to an emulator.

    Attributes:
        url: The address of the emulated account.
        client: Signs the requests, and lets every reply through.
        container: An address of a container of blobs with a signature; one blob is in it.
        blob: The address of that blob, with a signature.
        gates: A folder for files by which commands know that they may end.
        hopeless: The numbers of calls whose replies are known to differ.
    """

    url: str
    client: Client
    container: str
    blob: str
    gates: Path
    hopeless: Container[int] = ()
    nodes: dict[str, str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)

    async def run(self, calls: list[RecordedCall]) -> list[Outcome]:
        """Send all of them."""
        outcomes: list[Outcome] = []
        for _, group in groupby(calls, key=lambda call: call.trace):
            trace = list(group)
            self.nodes.clear()
            for gate in self.closed:
                self._close(gate)
            self.closed.clear()
            await self._make_what_was_found(trace)
            for place, call in enumerate(trace):
                outcomes.append(await self._send(call, trace, trace[place + 1 :]))
            await self._remove_all()
        return outcomes

    async def _send(
        self, call: RecordedCall, trace: list[RecordedCall], later: list[RecordedCall]
    ) -> Outcome:
        await self._open_gates(call)
        if call.operation in {"create_task", "create_task_collection"}:
            await self._hold_tasks(call, later)
        patience = _HOPELESS_SECONDS if call.number in self.hopeless else PATIENCE_SECONDS
        until = time.monotonic() + patience
        while True:
            outcome, body = await self._ask(call, trace)
            if not outcome.difference or not _waits(outcome, body) or time.monotonic() > until:
                break
            await asyncio.sleep(_WAIT_SECONDS)
        self._learn_nodes(call, body)
        if call.method == "POST" and outcome.difference and call.reply.status == HTTPStatus.CREATED:
            await self._make_stand_in(call, trace)
        return outcome

    async def _ask(
        self, call: RecordedCall, trace: list[RecordedCall]
    ) -> tuple[Outcome, Json | None]:
        response = await self._request(
            call.method,
            self._with_nodes(call.path),
            self._prepared(call.request, trace, _job(call)),
            headers={"If-Match": _STALE}
            if call.reply.status == HTTPStatus.PRECONDITION_FAILED
            else {},
            **call.query,
        )
        body = _json(response)
        reply = Reply.of(response.status_code, iter(response.headers), body)
        code = body.get("code") if body else None
        return Outcome(call=call, reply=without_newer(reply, call.version), code=code), body

    async def _request(
        self,
        method: str,
        path: str,
        json_body: object = None,
        /,
        **rest: Any,  # noqa: ANN401
    ) -> AsyncHttpResponse:
        headers = rest.pop("headers", {})
        content = None
        if json_body is not None:
            content = json.dumps(json_body)
            headers = {**headers, "Content-Type": "application/json; odata=minimalmetadata"}
        request = HttpRequest(
            method,
            f"{self.url}{path}",
            params={"api-version": NEWEST, **rest},
            headers=headers,
            content=content,
        )
        return await self.client.send_request(request)

    # What the recorded tests found.

    async def _make_what_was_found(self, trace: list[RecordedCall]) -> None:
        pools, jobs = _found(trace, "pools"), _found(trace, "jobs")
        for pool in pools:
            await self._make_pool(pool, trace)
        for job in jobs:
            await self._make_job(
                {"id": job, "onTaskFailure": _on_task_failure(trace)}, pools[0] if pools else None
            )

    async def _make_pool(self, pool: str, trace: list[RecordedCall]) -> None:
        wanted = max([0, *(_node_count(call, pool) for call in trace)])
        body = {**_as_found(pool, trace), "targetDedicatedNodes": wanted}
        await self._create_pool(self._prepared(body, trace, "") or {})
        first = next((call for call in trace if _node_count(call, pool)), None)
        shown = (first.body or {}).get("value", []) if first else []
        if shown and {node["state"] for node in shown} == {"idle"}:
            await self._until(
                f"/pools/{pool}/nodes", lambda body: _states(body) == ["idle"] * wanted
            )
        if any("recentTasks" in node for node in shown):
            await self._run_a_task(pool)

    async def _run_a_task(self, pool: str) -> None:
        manager = {"id": "task", "commandLine": "/bin/true"}
        body = {"id": f"before-{pool}", "poolInfo": {"poolId": pool}, "jobManagerTask": manager}
        await self._request("POST", "/jobs", body)
        await self._until(f"/jobs/before-{pool}", lambda job: job["state"] == "completed")

    async def _create_pool(self, *bodies: Json) -> None:
        """Make a pool by the first of these bodies that the emulator takes."""
        for body in (*bodies, _plain_pool(bodies[0])):
            response = await self._request("POST", "/pools", body)
            if response.status_code in {201, 409}:
                return
        raise AssertionError(response.text())

    async def _make_job(self, body: Json, pool: str | None) -> None:
        pool = pool or _FOUND
        await self._create_pool({"id": pool})
        for more in (body, {}):
            job = {**more, "id": body["id"], "poolInfo": {"poolId": pool}}
            response = await self._request("POST", "/jobs", job)
            if response.status_code in {201, 409}:
                return

    async def _make_stand_in(self, call: RecordedCall, trace: list[RecordedCall]) -> None:
        """Make what the emulator has refused to, as alike as it can be, for the calls to come."""
        body = self._prepared(call.request, trace, _job(call)) or {}
        match call.operation:
            case "create_pool":
                await self._create_pool(_without_cloud_services(body))
            case "create_job":
                await self._make_job(_without(body, _REFUSED), body["poolInfo"].get("poolId"))
            case "create_task":
                task = _without(body, _REFUSED)
                response = await self._request("POST", call.path, task)
                if response.status_code not in {201, 409}:
                    await self._request(
                        "POST",
                        call.path,
                        {"id": body["id"], "commandLine": body["commandLine"]},
                    )
            case _:
                pass

    async def _remove_all(self) -> None:
        for kind in ("jobs", "pools"):
            for gate in {*self.closed}:
                self._open(gate)
            listed = _json(await self._request("GET", f"/{kind}")) or {}
            for thing in listed["value"]:
                await self._request("DELETE", f"/{kind}/{thing['id']}")
            await self._until(f"/{kind}", lambda body: body["value"] == [], within=120)

    async def _until(
        self, path: str, wanted: Callable[[Json], bool], *, within: float = 120
    ) -> None:
        until = time.monotonic() + within
        while not wanted(_json(await self._request("GET", path)) or {}):
            assert time.monotonic() < until, path
            await asyncio.sleep(_WAIT_SECONDS)

    # Ids of nodes.

    def _with_nodes(self, text: str) -> str:
        return _NODE.sub(lambda found: self.nodes.get(found[0], found[0]), text)

    def _learn_nodes(self, call: RecordedCall, body: Json | None) -> None:
        if call.operation == "list_nodes" and body and call.body:
            theirs = [node["id"] for node in call.body["value"]]
            ours = [node["id"] for node in body.get("value", [])]
            self.nodes.update(zip(theirs, ours, strict=False))

    # Tasks: when they may run, and when they may end.

    def _prepared(self, body: Json | None, trace: list[RecordedCall], job: str) -> Json | None:
        if body is None:
            return None
        prepared: Json = json.loads(self._with_nodes(json.dumps(self._replaced(body, trace, job))))
        return prepared

    def _replaced(self, value: Any, trace: list[RecordedCall], job: str) -> Any:  # noqa: ANN401
        if isinstance(value, list):
            return [self._replaced(item, trace, job) for item in value]
        if not isinstance(value, dict):
            return value
        replaced = {name: self._replaced(item, trace, job) for name, item in value.items()}
        if "commandLine" in value:
            replaced["commandLine"] = self._command(trace, job, value.get("id"))
        if "jobPreparationTask" in value and _is_seen_preparing(trace, value.get("id", "")):
            command = self._gated(value["id"], _PREPARATION, "exit 0")
            replaced["jobPreparationTask"]["commandLine"] = f"/bin/sh -c '{command}'"
        if "httpUrl" in value:
            replaced["httpUrl"] = self.blob
        if "containerUrl" in value:
            replaced["containerUrl"] = self.container
        return replaced

    def _command(self, trace: list[RecordedCall], job: str, task: str | None) -> str:
        """Return a command that ends as the recorded one did, when its gate is opened."""
        ended = _ending(trace, job, task)
        if "exitCode" not in ended and ended.get("failureInfo"):
            return "no-such-program"
        command = f"exit {ended.get('exitCode', 0)}"
        if task:
            command = self._gated(job, task, command)
        return f"/bin/sh -c '{command}'"

    def _gated(self, job: str, task: str, command: str) -> str:
        """Return a command that waits until the gate of a task is opened."""
        gate = self._gate(job, task)
        self.closed.add(gate)
        return f"until [ -e {gate} ]; do sleep 0.02; done; {command}"

    def _gate(self, job: str, task: str) -> str:
        return str(self.gates / f"gate-{job}-{task}")

    async def _hold_tasks(self, call: RecordedCall, later: list[RecordedCall]) -> None:
        """Keep nodes from taking tasks that are active when the recording next looks at them."""
        ids = {item["id"] for item in (call.request or {}).get("value", [call.request])}
        for look in later:
            states = [task["state"] for task in _tasks(look) if task["id"] in ids]
            if states:
                if "active" in states:
                    await self._schedule("disablescheduling")
                return

    async def _open_gates(self, call: RecordedCall) -> None:
        """Let tasks come as far as the recording says that they have."""
        tasks = _tasks(call)
        if any(task["state"] != "active" for task in tasks):
            await self._schedule("enablescheduling")
        if any(task["state"] in {"running", "completed"} for task in tasks):
            self._open(self._gate(_job(call), _PREPARATION))
        for task in tasks:
            if task["state"] == "completed":
                self._open(self._gate(_job(call), task["id"]))

    def _close(self, gate: str) -> None:
        Path(gate).unlink(missing_ok=True)

    def _open(self, gate: str) -> None:
        Path(gate).touch()

    async def _schedule(self, action: str) -> None:
        listed = _json(await self._request("GET", "/pools")) or {}
        for pool in listed.get("value", []):
            path = f"/pools/{pool['id']}/nodes"
            for node in (_json(await self._request("GET", path)) or {}).get("value", []):
                wanted = "enabled" if action == "disablescheduling" else "disabled"
                if node["schedulingState"] == wanted:
                    await self._request("POST", f"{path}/{node['id']}/{action}")


def totals(outcomes: list[Outcome]) -> str:
    """Return how many calls are answered alike, as a sentence."""
    same = sum(one.same_status for one in outcomes)
    equal = sum(not one.difference for one in outcomes)
    return (
        f"{len(outcomes)} recorded calls: {same} with the same status, "
        f"{equal} equal in status, header names and keys"
    )


def _json(response: AsyncHttpResponse) -> Json | None:
    if "json" not in response.headers.get("content-type", ""):
        return None
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _states(body: Json | None) -> list[str]:
    things = (body or {}).get("value", [body or {}])
    return sorted(
        str(thing[name])
        for thing in things
        if isinstance(thing, dict)
        for name in ("state", "allocationState")
        if name in thing
    )


_PASSING: Final = frozenset({"PoolBeingResized", "NodeBeingCreated", "NodeBeingStarted"})
"""The refusals of what can be done a moment later."""


def _waits(outcome: Outcome, body: Json | None) -> bool:
    """Whether what was recorded may still come: a state is on its way, or a change goes on."""
    if outcome.code in _PASSING:
        return True
    call = outcome.call
    asks = call.method == "GET" and outcome.same_status and call.body is not None
    return asks and _states(call.body) != _states(body)


def _tasks(call: RecordedCall) -> list[Json]:
    if call.body is None:
        return []
    if call.operation == "get_task":
        return [call.body] if "state" in call.body else []
    if call.operation == "list_tasks":
        return [task for task in call.body["value"] if "state" in task]
    return []


def _is_seen_preparing(trace: list[RecordedCall], job: str) -> bool:
    """Whether a recording shows a task of a job that waits for the job preparation task."""
    return any(
        task["state"] == "preparing" for call in trace if _job(call) == job for task in _tasks(call)
    )


def _ending(trace: list[RecordedCall], job: str, task: str | None) -> Json:
    """Return what a recording says at last of how a task ended."""
    endings: list[Json] = [
        seen["executionInfo"]
        for call in trace
        if _job(call) == job
        for seen in _tasks(call)
        if seen["id"] == task and seen["state"] == "completed"
    ]
    return endings[-1] if endings else {}


def _job(call: RecordedCall) -> str:
    """Return the job that a call is about, if it is about one that exists."""
    return call.parts[1] if call.parts[0] == "jobs" and len(call.parts) > 1 else ""


def _node_count(call: RecordedCall, pool: str) -> int:
    if call.operation != "list_nodes" or call.parts[1] != pool or call.body is None:
        return 0
    return len(call.body["value"])


def _found(trace: list[RecordedCall], kind: str) -> list[str]:
    """Return the pools or jobs that a test run uses and has not made."""
    known: set[str] = set()
    found: list[str] = []

    def use(name: str | None, *, made: bool = False) -> None:
        if name and name not in known:
            known.add(name)
            if not made:
                found.append(name)

    creation = {"pools": "create_pool", "jobs": "create_job"}[kind]
    for call in trace:
        if call.operation == creation and call.request:
            use(call.request["id"], made=(call.body or {}).get("code") != "PoolExists")
        elif call.parts[0] == kind and len(call.parts) > 1:
            use(call.parts[1])
        if kind == "pools" and call.operation == "create_job" and call.request:
            use(call.request["poolInfo"].get("poolId"))
    return found


def _as_found(pool: str, trace: list[RecordedCall]) -> Json:
    """Return the body of a pool that a test run found, from what the recording shows of it."""
    for call in trace:
        if call.operation == "create_pool" and call.request and call.request["id"] == pool:
            return _without_cloud_services(call.request)
    for call in trace:
        if call.operation == "get_pool" and call.parts[1] == pool and call.body:
            shown = {name: value for name, value in call.body.items() if name in _OF_A_POOL}
            for user in shown.get("userAccounts", ()):
                user["password"] = _PASSWORD
            return _without_cloud_services({**shown, "id": pool})
    return _plain_pool({"id": pool})


def _on_task_failure(trace: list[RecordedCall]) -> str:
    """Return what a job that was found must do for its tasks to be taken."""
    conditional = any("exitConditions" in (call.request or {}) for call in trace)
    return "performexitoptionsjobaction" if conditional else "noaction"


def _plain_pool(body: Json) -> Json:
    """Return the plainest pool of the same name and size."""
    kept = {name: value for name, value in body.items() if name in {"id", "targetDedicatedNodes"}}
    return {**kept, "vmSize": _SIZE, "virtualMachineConfiguration": _MACHINE}


def _without_cloud_services(body: Json) -> Json:
    """Return a pool of virtual machines in the place of one of cloud services."""
    if "virtualMachineConfiguration" in body:
        return body
    rest = {name: value for name, value in body.items() if name != "cloudServiceConfiguration"}
    return {**rest, "vmSize": _SIZE, "virtualMachineConfiguration": _MACHINE}


def _without(value: Any, names: frozenset[str]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {name: _without(item, names) for name, item in value.items() if name not in names}
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    return value
