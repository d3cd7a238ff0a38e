"""An emulated Batch account for tests, and the official clients of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from azure.batch.aio import BatchClient
from azure.batch.models import BatchJob, BatchJobCreateOptions, BatchNode, BatchPoolCreateOptions
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.storage.blob import BlobServiceClient as BlockingBlobServiceClient
from azure.storage.blob import ContainerClient
from azure.storage.blob.aio import BlobServiceClient

from batch_emulator.clock import Clock, RealClock
from batch_emulator.options import Options, SignalExitCode
from batch_emulator.package import Package
from batch_emulator.secret_file import new_key, new_token
from batch_emulator.server import Emulator
from local.azurite import Azurite
from tests.conftest import Containers
from tests.support.faults import Faults
from tests.support.operator import Operator, operator
from tests.support.waiting import until
from tests.support.world import World, settings

ACCOUNT = "testbatch"
KEY = new_key()
TOKEN = new_token()
SPEED = 2000.0
"""A node boots in 0.07 s, and a formula that is evaluated every 5 minutes is so every 0.15 s."""

type Start = Callable[..., Awaitable["Batch"]]


@dataclass(frozen=True, slots=True)
class Batch:
    """
    A running emulator, and the official client of its account.

    Attributes:
        url: The account's address.
        client: Signs with the account's key.
        root: The folder of the nodes' folders.
    """

    url: str
    client: BatchClient
    root: Path

    @property
    def faults(self) -> Faults:
        """The faults of an emulator that was started with ``faults=True``."""
        return Faults(self.url, TOKEN)

    async def until[T](
        self, look: Callable[[], Awaitable[T]], wanted: Callable[[T], bool], *, within: float = 60
    ) -> T:
        """Look again and again until what is seen is wanted."""
        return await until(look, wanted, within=within)

    async def send(
        self, method: str, path: str, *, json: object = None, **query: str
    ) -> AsyncHttpResponse:
        """Send a signed request of our own making."""
        request = HttpRequest(
            method, f"{self.url}{path}", params={"api-version": "2025-06-01", **query}, json=json
        )
        return await self.client.send_request(request)

    async def terminate(self, job_id: str, reason: str) -> None:
        """Ask for the end of a job."""
        await self.send("POST", f"/jobs/{job_id}/terminate", json={"terminateReason": reason})

    async def running(self, job_id: str) -> None:
        """Wait until a job's task runs."""
        await self.until(
            lambda: self.client.get_task(job_id, "main"), lambda task: task.state == "running"
        )

    async def completed(self, job_id: str) -> BatchJob:
        """Wait until a job is completed."""
        return await self.until(
            lambda: self.client.get_job(job_id), lambda job: job.state == "completed"
        )

    async def nodes(self) -> list[BatchNode]:
        """Return the nodes of the pool ``pool``."""
        return [node async for node in self.client.list_nodes("pool")]

    async def content(self, name: str, job_id: str = "job") -> bytes:
        """Return a file of a job's task."""
        parts = await self.client.download_task_file(job_id, "main", name)
        return b"".join([part async for part in parts])


@pytest.fixture
async def start_batch(azurite: Azurite, tmp_path: Path) -> AsyncIterator[Start]:
    """Start emulators that end with the test."""
    async with AsyncExitStack() as stack:

        async def start(  # noqa: PLR0913 - what an emulator is started with
            *,
            pool_speed: float = SPEED,
            applications: tuple[Package, ...] = (),
            storage: str = azurite.connection_string,
            faults: bool = False,
            kill_grace_seconds: float = 0.2,
            signal_exit_code: SignalExitCode = SignalExitCode.NEGATIVE,
            lower_case_status: bool = False,
            counts_delay_seconds: float = 0.0,
            any_vm_size: bool = False,
            clock: Clock | None = None,
        ) -> Batch:
            options = Options(
                account=ACCOUNT,
                key=KEY,
                token=TOKEN,
                storage=storage,
                root=tmp_path / "nodes",
                pool_speed=pool_speed,
                applications=applications,
                kill_grace_seconds=kill_grace_seconds,
                faults=faults,
                signal_exit_code=signal_exit_code,
                lower_case_status=lower_case_status,
                counts_delay_seconds=counts_delay_seconds,
                any_vm_size=any_vm_size,
                clock=clock or RealClock(),
            )
            emulator = await stack.enter_async_context(Emulator(options))
            client = BatchClient(
                emulator.url,
                AzureNamedKeyCredential(ACCOUNT, KEY),
                retry_total=0,
                use_env_settings=False,
            )
            await stack.enter_async_context(client)
            return Batch(emulator.url, client, options.root)

        yield start


@pytest.fixture
async def batch(start_batch: Start) -> Batch:
    return await start_batch()


def pool_body(pool_id: str = "pool", /, **properties: object) -> BatchPoolCreateOptions:
    """Return what create_pool takes, in the spelling of REST."""
    image = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}
    machine = {"imageReference": image, "nodeAgentSKUId": "batch.node.ubuntu 24.04"}
    body = {"id": pool_id, "vmSize": "Standard_D2ds_v5", "virtualMachineConfiguration": machine}
    return cast("BatchPoolCreateOptions", body | properties)


def job_body(
    job_id: str, command: str, job: Mapping[str, object] | None = None, /, **manager: object
) -> BatchJobCreateOptions:
    """Return what create_job takes, in the spelling of REST: one job manager task ``main``."""
    body = {
        "id": job_id,
        "poolInfo": {"poolId": "pool"},
        "jobManagerTask": {"id": "main", "commandLine": command, **manager},
    }
    return cast("BatchJobCreateOptions", body | dict(job or {}))


async def refusal(call: Awaitable[object]) -> tuple[int | None, str | None]:
    """Return the status and the code with which a call is refused."""
    with pytest.raises(HttpResponseError) as refused:
        await call
    error = refused.value.error
    return refused.value.status_code, error.code if error else None


@pytest.fixture
async def world(start_batch: Start, containers: Containers) -> AsyncIterator[World]:
    """Start a product on fresh containers and an emulated account of its own."""
    batch = await start_batch()
    connection = containers.connection_string
    async with BlobServiceClient.from_connection_string(
        connection, use_env_settings=False
    ) as storage:
        yield World(
            settings=settings(containers, batch.url, ACCOUNT, KEY),
            storage=storage,
            batch=batch.client,
            arm_token=TOKEN,
        )


@pytest.fixture
def ledger(containers: Containers) -> ContainerClient:
    """Return the ledger of a product that nobody has used yet."""
    storage = BlockingBlobServiceClient.from_connection_string(containers.connection_string)
    return storage.get_container_client(containers.ledger)


@pytest.fixture
def someone(containers: Containers, tmp_path: Path) -> Operator:
    """Return somebody at a keyboard with the settings of that product's storage."""
    return operator(
        tmp_path,
        DATA_STORAGE_URL=containers.account_url,
        DATA_STORAGE_CONNECTION_STRING=containers.connection_string,
        LEDGER_CONTAINER=containers.ledger,
        OUTPUTS_CONTAINER=containers.outputs,
    )
