"""An emulated Batch account with its side in Azure Resource Manager, for tests that wait for calls."""

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import BlobServiceClient

from batch_emulator.options import Options
from batch_emulator.secret_file import new_key, new_token
from batch_emulator.server import Emulator
from local.azurite import Azurite
from recur.arm import BatchArm
from recur.target import Target
from tests.support.faults import Faults

ACCOUNT = "recurlocal"
GROUP = "recur"
KEY = new_key()
TOKEN = new_token()
SPEED = 2000.0


class ArmAccount:
    """
    An emulator on a thread of its own, without any application, and clients of it.

    Attributes:
        url: Its address, for the data plane and for Azure Resource Manager.
        storage: Where it keeps packages.
    """

    def __init__(self, azurite: Azurite, root: Path, **options: Any) -> None:  # noqa: ANN401 - Options'
        self._connection = azurite.connection_string
        self._emulator = Emulator(
            Options(
                account=ACCOUNT,
                key=KEY,
                token=TOKEN,
                storage=azurite.connection_string,
                root=root,
                **({"pool_speed": SPEED, "faults": True} | options),
            )
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.storage = BlobServiceClient.from_connection_string(azurite.connection_string)

    def __enter__(self) -> Self:
        for container in self.storage.list_containers(name_starts_with="app-"):
            self.storage.delete_container(container.name)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._emulator.__aenter__(), self._loop).result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        leaving = self._emulator.__aexit__(kind, error, traceback)
        asyncio.run_coroutine_threadsafe(leaving, self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self.storage.close()

    @property
    def url(self) -> str:
        return self._emulator.url

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings of a deployment on this laptop, as `recur` takes them."""
        return {
            "BATCH_ACCOUNT_URL": self.url,
            "BATCH_ACCOUNT_NAME": ACCOUNT,
            "BATCH_ACCOUNT_KEY": KEY,
            "BATCH_ARM_TOKEN": TOKEN,
            "DATA_STORAGE_CONNECTION_STRING": self._connection,
        }

    @property
    def target(self) -> Target:
        return Target(source="this test", values=self.settings)

    def arm(self, **options: Any) -> BatchArm:  # noqa: ANN401 - the SDK's
        """Open the account as the commands do."""
        return BatchArm.of(self.target, **options)

    def deny(self, **rule: Any) -> None:  # noqa: ANN401 - the fields of a rule
        """Let Azure Resource Manager deny requests; see ``denial`` in batch_emulator/SUPPORT.md."""
        asyncio.run(Faults(self.url, TOKEN).add("denial", **rule))

    def denied(self) -> int:
        """Return how many requests were denied."""
        return sum(asyncio.run(Faults(self.url, TOKEN).hits()).values())

    def batch(self) -> BatchClient:
        """Open its data plane."""
        return BatchClient(self.url, AzureNamedKeyCredential(ACCOUNT, KEY), retry_total=0)

    def blobs(self, application: str) -> dict[str, bytes]:
        """Return the packages that storage holds of an application, by version."""
        return {
            blob.name: self.storage.get_blob_client(container.name, blob.name)
            .download_blob()
            .readall()
            for container in self.storage.list_containers(name_starts_with=f"app-{application}-")
            for blob in self.storage.get_container_client(container.name).list_blobs()
        }
