"""A product between proxies: real storage, an emulated Batch account, and a clock of ours."""

import json
import re
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from azure.batch.aio import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.storage.blob.aio import BlobLeaseClient, BlobServiceClient, ContainerClient

from batch_emulator.options import Options
from batch_emulator.secret_file import new_key, new_token
from batch_emulator.server import Emulator
from local.azurite import ACCOUNT, Azurite
from orchestrator.adapters.blobs import Cache
from orchestrator.adapters.settings import read_settings
from orchestrator.errors import RecurError
from orchestrator.ids import COLLECT_STATE, DOCUMENT, SUBMIT_STATE
from orchestrator.passes import Services, collect_finished, open_services, submit_due
from orchestrator.passes.services import AT_ONCE
from tests.proof.effects import words
from tests.proof.proxy import Call, Clock, Proxy, Reply, Rule
from tests.proof.ticking import APPLY, STATE_BYTES, TICKS, do
from tests.support.faults import Faults
from tests.support.waiting import until

NOON: Final = datetime(2026, 6, 1, 12, 0, 5, tzinfo=UTC)
PASSES: Final = {"submit": submit_due, "collect": collect_finished}
LEASED: Final = {
    "submit": (SUBMIT_STATE,),
    "collect": (COLLECT_STATE,),
    "adopt": (SUBMIT_STATE, COLLECT_STATE),
    "begin anew": (SUBMIT_STATE, COLLECT_STATE),
    APPLY: (),
}
"""Which leases a pass holds, and an operator who moves the ledger."""
DOORS: Final = (*TICKS, APPLY)
"""What is done through an address of its own."""
ELSEWHERE: Final = "elsewhere"
"""
A host whose app names another Batch account.

Whoever adopts the ledger does so for the account that the other ticks of that host do not name: to
adopt by ``here`` gives it to this one, and to adopt by this one gives it back.
"""

_BATCH: Final = "proof"
_KEY: Final = new_key()
_TOKEN: Final = new_token()
_POOL: Final = "recur"
_ZEROS: Final = "00000000-0000-0000-0000-000000000000"
_CREATED: Final = 201
_ACCEPTED: Final = 202


@dataclass(slots=True, kw_only=True, eq=False)
class Stage:
    """
    A product that nobody has used yet, and what is seen of it.

    Attributes:
        clock: What storage and Batch tell the time by.
        storage: The proxy before blob storage.
        batch: The proxy before Batch.
        client: Of Batch, past the proxy.
        ledger: The ledger, past the proxy.
        outputs: The container of what tasks wrote, past the proxy.
        desk: The ledger as an operator has it: what is written bears the clock's time.
        doors: The settings of the product, for each of its users and passes.
        services: The passes of this process.
        faults: Of the emulated account.
        pool_id: Its pool.
        blobs: What the ledger holds, as the writes that succeeded say.
        tags: The ETag of each blob that was written.
        created: How many jobs of each id Batch has created, ever.
        effects: What was changed, by pass, in words.
        document: What an operator is about to apply.
        watch: Told of each blob of the ledger that was written or removed, and of each job that
            was created or deleted, as ``jobs/<id>`` or ``deleted/<id>``; and of what a blob
            held before.
    """

    clock: Clock
    storage: Proxy
    batch: Proxy
    client: BatchClient
    ledger: ContainerClient
    outputs: ContainerClient
    desk: ContainerClient
    doors: dict[str, dict[str, str]]
    faults: Faults
    pool_id: str = _POOL
    services: dict[str, Services] = field(default_factory=dict[str, Services])
    blobs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    created: Counter[str] = field(default_factory=Counter[str])
    effects: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    document: str = ""
    watch: Callable[[str, bytes | None], Awaitable[None]] | None = None

    def rule(self, rule: Rule) -> None:
        """Let a rule decide what becomes of each request."""
        self.storage.rule = self.batch.rule = rule

    async def seen(self, call: Call, reply: Reply) -> None:
        """Note what a call has changed."""
        if call.door in self.doors and (effect := words(call)):
            self.effects.append((pass_of(call), effect))
        if reply.status not in {_CREATED, _ACCEPTED} or "comp" in call.query:
            return
        old: bytes | None = None
        if call.path.startswith("/jobs/") and call.method == "DELETE":
            name = f"deleted/{call.path.removeprefix('/jobs/')}"
        elif call.path == "/jobs":
            name = f"jobs/{json.loads(call.body)['id']}"
            self.created[name.removeprefix("jobs/")] += 1
        else:
            name = call.path.removeprefix(f"/{ACCOUNT}/{self.ledger.container_name}/")
            if name == call.path:
                return
            old = self.blobs.pop(name, None)
            if call.method != "DELETE":
                self.blobs[name], self.tags[name] = call.body, reply.headers["ETag"]
        if self.watch:
            await self.watch(name, old)

    async def apply(self, *tables: str) -> None:
        """Apply a document of these tables."""
        self.document = "\n".join(tables)
        told = await self.tick(APPLY)
        assert "failed" not in told, told

    async def upload(self, *tables: str) -> None:
        """Put a document of these tables in the place of what is there, by hand."""
        await self.desk.upload_blob(DOCUMENT, "\n".join(tables), overwrite=True)

    async def tick(self, which: str, host: str = "here") -> dict[str, Any]:
        """Do a pass in this process; a failure is told, as the function app tells it."""
        try:
            return dict(await do(which, self.services[f"{host} {which}"], self.document))
        except RecurError as error:
            return {"failed": f"{type(error).__name__}: {error}"}

    async def break_lease(self, which: str) -> None:
        """End the lease of a pass as its 60 seconds would."""
        for name in LEASED[which]:
            try:
                await BlobLeaseClient(self.ledger.get_blob_client(name)).break_lease(0)
            except HttpResponseError as error:
                if error.error_code not in {"LeaseNotPresentWithLeaseOperation", "BlobNotFound"}:  # type: ignore[attr-defined] # of the storage client
                    raise

    async def keep_lease(self, which: str) -> None:
        """Let nobody do a pass for now, as if a process that died a moment ago had its lease."""
        for name in LEASED[which]:
            await BlobLeaseClient(self.ledger.get_blob_client(name)).acquire(60)

    async def jobs(self) -> dict[str, str]:
        """Return the state of each job that Batch knows."""
        return {job.id: str(job["state"]) async for job in self.client.list_jobs()}

    async def end_jobs(self, *ids: str) -> None:
        """Let jobs end in Batch, all of them by default, and wait for it."""
        for id_, state in (await self.jobs()).items():
            if (not ids or id_ in ids) and state == "active":
                path = f"/jobs/{id_}/terminate"
                await self._send("POST", path, body={"terminateReason": "its time has come"})

        async def ended() -> bool:
            jobs = await self.jobs()
            return all(s == "completed" for id_, s in jobs.items() if not ids or id_ in ids)

        await until(ended)

    async def forget(self, id_: str) -> None:
        """Let Batch forget a job."""
        await self._send("DELETE", f"/jobs/{id_}")

        async def gone() -> bool:
            return id_ not in await self.jobs()

        await until(gone)

    async def disable(self, id_: str) -> None:
        """Let somebody disable a job in Batch, whose task waits."""
        await self._send("POST", f"/jobs/{id_}/disable", body={"disableTasks": "wait"})

        async def disabled() -> bool:
            return (await self.jobs())[id_] == "disabled"

        await until(disabled)

    async def enable(self, id_: str) -> None:
        """Let somebody enable it again."""
        await self._send("POST", f"/jobs/{id_}/enable")

    async def task_runs(self, id_: str) -> None:
        """Wait until the task of a job runs on a node."""

        async def runs() -> bool:
            return str((await self.client.get_task(id_, "main"))["state"]) == "running"

        await until(runs)

    async def settled(self) -> None:
        """Wait until no request is on its way any more."""

        async def settled() -> bool:
            return not self.storage.busy and not self.batch.busy

        await until(settled)

    async def stored(self, folder: str = "") -> dict[str, bytes]:
        """Return what is in a folder of the container of outputs, by the paths below it."""
        found = {}
        async for name in self.outputs.list_blob_names(name_starts_with=folder or None):
            data = await (await self.outputs.download_blob(name)).readall()
            found[name.removeprefix(folder)] = data
        return found

    async def resize(self, nodes: int) -> None:
        """Give the pool another size, and wait until it has it; its tasks go back to their queue."""
        await self._send("POST", f"/pools/{_POOL}/resize", body={"targetDedicatedNodes": nodes})

        async def done() -> bool:
            pool = await self.client.get_pool(_POOL)
            steady = pool.allocation_state == "steady"
            return steady and pool.current_dedicated_nodes == nodes

        await until(done)

    async def tasks_end(self) -> None:
        """
        Let a node run whatever waits, and wait until all jobs have ended.

        The node takes no more tasks from then on, so that those that follow wait; its files stay.
        """
        if nodes := await self._nodes():
            await self._of_nodes("enablescheduling", nodes)
        else:
            await self.resize(1)

        async def ended() -> bool:
            active = "active" in (await self.jobs()).values()
            return not active and await self._node_states() == {"idle"}

        await until(ended)
        await self._of_nodes("disablescheduling", await self._nodes())

        async def closed() -> bool:
            return await self._node_states() == {"offline"}

        await until(closed)

    async def _node_states(self) -> set[str]:
        return {str(node["state"]) async for node in self.client.list_nodes(self.pool_id)}

    async def _nodes(self) -> list[str]:
        return [str(node.id) async for node in self.client.list_nodes(self.pool_id)]

    async def _of_nodes(self, what: str, nodes: Iterable[str]) -> None:
        for node in nodes:
            await self._send("POST", f"/pools/{_POOL}/nodes/{node}/{what}")

    async def pool(self, nodes: int = 0) -> None:
        """Create the pool."""
        image = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}
        body = {
            "id": _POOL,
            "vmSize": "standard_d2ds_v5",
            "virtualMachineConfiguration": {
                "imageReference": {**image, "version": "latest"},
                "nodeAgentSKUId": "batch.node.ubuntu 24.04",
            },
            "targetDedicatedNodes": nodes,
        }
        await self.client.create_pool(body)  # type: ignore[arg-type] # REST spelling is accepted

    async def _send(self, method: str, path: str, body: object = None) -> None:
        request = HttpRequest(method, path, params={"api-version": "2025-06-01"}, json=body)
        (await self.client.send_request(request)).raise_for_status()


def _environment(url: str, connection: str, batch: str, mark: str) -> dict[str, str]:
    """Return the settings of a product that uses these addresses."""
    return {
        "SUBMIT_CRON": "0 * * * * *",
        "COLLECT_CRON": "30 * * * * *",
        "BATCH_ACCOUNT_URL": batch,
        "BATCH_ACCOUNT_NAME": _BATCH,
        "BATCH_ACCOUNT_KEY": _KEY,
        "BATCH_POOL_ID": _POOL,
        "DATA_STORAGE_URL": url,
        "DATA_STORAGE_CONNECTION_STRING": connection,
        "LEDGER_CONTAINER": f"ledger-{mark}",
        "OUTPUTS_CONTAINER": f"outputs-{mark}",
        "NODE_IDENTITY_ID": f"/subscriptions/{_ZEROS}/resourceGroups/recur/providers/"
        "Microsoft.ManagedIdentity/userAssignedIdentities/id-node",
        "AZURE_CLIENT_ID": _ZEROS,
    }


def _of_nodes(storage: str, doors: Iterable[str]) -> Callable[[bytes], bytes]:
    """
    Return what puts the address of the storage itself in the place of each door's.

    A job is told the address that the product has; its node is to push past the proxies, which
    tell the ticks of the product from each other.
    """
    door = re.compile(b"|".join(re.escape(one.encode()) for one in doors))
    return partial(door.sub, storage.encode())


def _is_elsewhere(door: str) -> bool:
    """Tell whether a user's app names the other account: whoever adopts is of the other one."""
    user, _, which = door.partition(" ")
    return (user == ELSEWHERE) != (which == "adopt")


def pass_of(call: Call) -> str:
    """Return which pass a call belongs to."""
    return call.door.partition(" ")[2]


@asynccontextmanager
async def open_stage(
    azurite: Azurite,
    folder: Path,
    *users: str,
    hosts: tuple[str, ...] = ("here",),
    clock_of_ticks: Callable[[], float] = time.monotonic,
    at_once: int = AT_ONCE,
) -> AsyncGenerator[Stage]:
    """
    Open a product.

    Args:
        azurite: Its storage.
        folder: For the nodes.
        users: Have a way in each.
        hosts: The same, and their ticks run in this process.
        clock_of_ticks: Measures the time of the hosts' ticks, in seconds.
        at_once: How many items those ticks work on at a time.
    """
    mark = uuid4().hex[:8]
    options = Options(
        account=_BATCH,
        key=_KEY,
        token=_TOKEN,
        storage=azurite.connection_string,
        root=folder / mark,
        pool_speed=2000.0,
        kill_grace_seconds=0.2,
        faults=True,
    )
    clock = Clock(NOON)
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(Emulator(options))
        storage = await stack.enter_async_context(Proxy(azurite.url, clock))
        batch = await stack.enter_async_context(Proxy(emulator.url, clock))
        key = AzureNamedKeyCredential(_BATCH, _KEY)
        client = await stack.enter_async_context(
            BatchClient(emulator.url, key, retry_total=0, use_env_settings=False)
        )
        connections = [azurite.connection_string]
        doors: dict[str, dict[str, str]] = {}
        for door in ["desk", *(f"{user} {which}" for user in (*hosts, *users) for which in DOORS)]:
            url = await storage.door(door)
            connections.append(azurite.connection_string.replace(azurite.url, url))
            account = await batch.door(door) + ("/elsewhere" if _is_elsewhere(door) else "")
            doors[door] = _environment(url, connections[-1], account, mark)
        past, desk = [
            await stack.enter_async_context(
                BlobServiceClient.from_connection_string(connection, use_env_settings=False)
            )
            for connection in connections[:2]
        ]
        ledger, outputs = f"ledger-{mark}", f"outputs-{mark}"
        await past.create_container(ledger)
        await past.create_container(outputs)
        del doors["desk"]
        stage = Stage(
            clock=clock,
            storage=storage,
            batch=batch,
            client=client,
            ledger=past.get_container_client(ledger),
            outputs=past.get_container_client(outputs),
            desk=desk.get_container_client(ledger),
            doors=doors,
            faults=Faults(emulator.url, _TOKEN),
        )
        for door in (f"{host} {which}" for host in hosts for which in DOORS):
            settings = read_settings(doors[door])
            services = await stack.enter_async_context(open_services(settings, Cache()))
            stage.services[door] = replace(
                services, clock=clock_of_ticks, at_once=at_once, state_bytes=STATE_BYTES
            )
        storage.seen = batch.seen = stage.seen
        batch.translate = _of_nodes(
            azurite.url, [urls["DATA_STORAGE_URL"] for urls in doors.values()]
        )
        yield stage
        for name in (ledger, outputs):  # hundreds of ledgers are more than Azurite's memory likes
            await past.delete_container(name)
