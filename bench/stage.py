"""Where the benchmarks run: Azurite and the emulator as processes of their own, in a folder that goes."""

import json
import re
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from azure.batch.aio import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob.aio import BlobServiceClient, ContainerClient, ExponentialRetry

from batch_emulator.keys import KEY_VARIABLE, STORAGE_VARIABLE, TOKEN_VARIABLE
from batch_emulator.secret_file import new_key, new_token
from bench.counting import BatchCalls, StorageCalls
from local.azurite import Azurite
from local.child import Child
from orchestrator import ids
from orchestrator.adapters.blobs import Cache
from orchestrator.adapters.calls import RETRIES
from orchestrator.adapters.settings import Settings, read_settings
from orchestrator.passes import Application, apply_version, open_services

ACCOUNT: Final = "recurbench"
KEY: Final = new_key()
TOKEN: Final = new_token()
POOL: Final = "recur"
_READY: Final = re.compile(r'\{"event": "ready".*\}')
_START_SECONDS: Final = 30.0
_SPEED: Final = "2000"
_ZEROS: Final = "00000000-0000-0000-0000-000000000000"
_POOL_BODY: Final[dict[str, Any]] = {
    "id": POOL,
    "vmSize": "standard_d2s_v5",
    "virtualMachineConfiguration": {
        "imageReference": {
            "publisher": "canonical",
            "offer": "ubuntu-24_04-lts",
            "sku": "server",
            "version": "latest",
        },
        "nodeAgentSKUId": "batch.node.ubuntu 24.04",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """
    One product with a ledger and a Batch account that nobody has used; its pool has no nodes.

    Attributes:
        settings: The product's.
        ledger: A client of its ledger, as the product would open one.
        batch: A client of its Batch account, likewise.
        storage_calls: What blob storage was asked about the ledger.
        outputs_calls: The same about outputs.
        batch_calls: What Batch was asked.
        environment: The product's settings by the names of their variables, for processes.
    """

    settings: Settings
    ledger: ContainerClient
    batch: BatchClient
    storage_calls: StorageCalls
    outputs_calls: StorageCalls
    batch_calls: BatchCalls
    environment: dict[str, str] = field(default_factory=dict[str, str])

    async def apply(self, document: str) -> None:
        """Put a document in force, as an operator does."""
        async with open_services(self.settings, Cache()) as services:
            compared = await services.ledger.read(ids.DOCUMENT)
            given = Application(data=document.encode(), by="bench")
            await apply_version(services.ledger, given, etag=compared.etag)

    async def begin(self) -> None:
        """Count calls from here on."""
        await self.storage_calls.begin()
        await self.outputs_calls.begin()
        await self.batch_calls.begin()


class Stage:
    """Azurite in memory, and emulators beside it, from entering to leaving ``open_stage``."""

    def __init__(self, folder: Path, azurite: Azurite) -> None:
        self._folder = folder
        self._azurite = azurite

    @asynccontextmanager
    async def round(self, *, faults: bool = True, nodes: int = 0) -> AsyncGenerator[Round]:
        """
        Make a fresh ledger and start a fresh Batch account.

        Args:
            faults: Whether the account takes faults.
            nodes: How many nodes its pool has; they are there at once.
        """
        mark = uuid4().hex[:8]
        flags = ["--faults"] if faults else []
        flags += ["--pool-speed", _SPEED] if nodes else []
        emulator = self._emulator(mark, *flags)
        with emulator:
            ready = emulator.wait_for(_READY, limit_seconds=_START_SECONDS)
            environment = self._environment(mark, json.loads(ready[0])["url"])
            settings = read_settings(environment)
            key = AzureNamedKeyCredential(ACCOUNT, KEY)
            async with (
                open_bench_storage(settings) as storage,
                BatchClient(settings.batch_account_url, key, **RETRIES) as batch,
            ):
                ledger = await storage.create_container(settings.ledger_container)
                outputs = await storage.create_container(settings.outputs_container)
                pool = _POOL_BODY | {"targetDedicatedNodes": nodes}
                await batch.create_pool(pool)  # type: ignore[arg-type] # REST spelling
                yield Round(
                    environment=environment,
                    settings=settings,
                    ledger=ledger,
                    batch=batch,
                    storage_calls=StorageCalls(self._azurite.log, ledger),
                    outputs_calls=StorageCalls(self._azurite.log, outputs),
                    batch_calls=BatchCalls(settings.batch_account_url, TOKEN),
                )

    def _emulator(self, mark: str, *flags: str) -> Child:
        command = [sys.executable, "-m", "batch_emulator", *flags]
        command += ["--port", "0", "--account", ACCOUNT]
        command += ["--root", str(self._folder / f"nodes-{mark}")]
        secrets = {
            KEY_VARIABLE: KEY,
            TOKEN_VARIABLE: TOKEN,
            STORAGE_VARIABLE: self._azurite.connection_string,
        }
        log = self._folder / f"emulator-{mark}.log"
        return Child("the Batch emulator", command, log=log, environment=secrets)

    def _environment(self, mark: str, batch_url: str) -> dict[str, str]:
        identity = "providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-node"
        return {
            "SUBMIT_CRON": "0 * * * * *",
            "COLLECT_CRON": "30 * * * * *",
            "BATCH_ACCOUNT_URL": batch_url,
            "BATCH_ACCOUNT_NAME": ACCOUNT,
            "BATCH_ACCOUNT_KEY": KEY,
            "BATCH_POOL_ID": POOL,
            "DATA_STORAGE_URL": self._azurite.url,
            "DATA_STORAGE_CONNECTION_STRING": self._azurite.connection_string,
            "LEDGER_CONTAINER": f"ledger-{mark}",
            "OUTPUTS_CONTAINER": f"outputs-{mark}",
            "NODE_IDENTITY_ID": f"/subscriptions/{_ZEROS}/resourceGroups/recur/{identity}",
            "AZURE_CLIENT_ID": _ZEROS,
        }


@asynccontextmanager
async def open_stage() -> AsyncGenerator[Stage]:
    """Start Azurite in a folder that is removed at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="recur-bench-") as name,
        Azurite(log=Path(name) / "azurite.log") as azurite,
    ):
        yield Stage(Path(name), azurite)


def open_bench_storage(settings: Settings) -> BlobServiceClient:
    """Return a client with the product's own options."""
    return BlobServiceClient.from_connection_string(
        settings.data_storage_connection_string or "",
        retry_policy=ExponentialRetry(initial_backoff=1, increment_base=1, retry_total=2),
        connection_timeout=3,
        read_timeout=8,
    )
