"""The emulator that the recorded calls are sent to, with a package, a blob and a container."""

import base64
import os
import zipfile
from collections.abc import Container
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from azure.storage.blob import (
    BlobServiceClient,
    ContainerSasPermissions,
    generate_container_sas,
)

from batch_emulator.options import Options
from batch_emulator.package import Package
from batch_emulator.server import Emulator
from tests.recordings.recorded_calls import read_calls
from tests.recordings.replay import BOOT_SPEED, Outcome, Replay, signing_client

_ACCOUNT: Final = "recorded"
_APPLICATION: Final = "application_id"
_VERSION: Final = "v1.0"


async def replay(
    oracles: Path, folder: Path, storage: str, *, hopeless: Container[int] = ()
) -> list[Outcome]:
    """
    Send the recorded calls to an emulator of their own.

    Args:
        oracles: The folder of the recordings.
        folder: An empty one, for nodes and packages.
        storage: The connection string of blob storage.
        hopeless: The numbers of calls that are known to be answered otherwise.
    """
    key = base64.b64encode(os.urandom(32)).decode()
    options = Options(
        account=_ACCOUNT,
        key=key,
        storage=storage,
        root=folder / "nodes",
        pool_speed=BOOT_SPEED,
        applications=(package(folder),),
        kill_grace_seconds=0.2,
    )
    blob, container = _blob_and_container(storage)
    async with (
        Emulator(options) as emulator,
        signing_client(emulator.url, _ACCOUNT, key) as client,
    ):
        sender = Replay(
            url=emulator.url,
            client=client,
            container=container,
            blob=blob,
            gates=folder,
            hopeless=hopeless,
        )
        return await sender.run(read_calls(oracles))


def package(folder: Path) -> Package:
    """Return the one application that the recordings list."""
    archive = folder / "package.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("empty.txt", "")
    return Package.parse(f"{_APPLICATION}={_VERSION}={archive}")


def _blob_and_container(connection_string: str) -> tuple[str, str]:
    """Return the addresses of a blob and of its container, both with a signature."""
    with BlobServiceClient.from_connection_string(connection_string) as storage:
        container = storage.create_container(f"recorded-{uuid4().hex[:8]}")
        container.upload_blob("file.txt", b"a file\n")
    url, _, signature = signed_container(connection_string, container.container_name).partition("?")
    return f"{url}/file.txt?{signature}", f"{url}?{signature}"


def signed_container(connection_string: str, name: str) -> str:
    """Return the address of a container with a signature to read, write and list for an hour."""
    with BlobServiceClient.from_connection_string(connection_string) as storage:
        signature = generate_container_sas(
            str(storage.account_name),
            name,
            account_key=storage.credential.account_key,
            permission=ContainerSasPermissions(read=True, write=True, list=True),
            expiry=datetime.now(UTC) + timedelta(hours=1),
        )
        return f"{storage.get_container_client(name).url}?{signature}"
