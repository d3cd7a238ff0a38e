"""Blob storage and a Batch account with its pool on this machine: what `make up` and the demo use."""

import json
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from azure.batch import BatchClient
from azure.storage.blob import BlobServiceClient
from rich.console import Console

from batch_emulator.keys import KEY_VARIABLE, STORAGE_VARIABLE, TOKEN_VARIABLE
from local.azurite import Azurite
from local.child import Child
from local.errors import LocalError
from local.keys import LaptopKeys
from local.provision import (
    POOL,
    make_containers,
    make_pool,
    open_local_batch,
    open_local_storage,
    pool_resource,
)
from local.settings import SAMPLE, read_local_settings, with_keys
from recur.arm import BatchArm
from recur.errors import CliError
from recur.publishing.packaging import PackageError, build_all
from recur.publishing.publisher import Publisher
from recur.publishing.uploads import Uploads
from recur.role_waiting import RoleWait
from recur.target import Target

_ROOT = Path(__file__).resolve().parent.parent
_READY = re.compile(r'^\{"event": "ready".*\}$', re.MULTILINE)
_START_LIMIT_SECONDS = 60.0
_HOST_CONTAINER = "azure-webjobs-hosts"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaptopOptions:
    """
    How the services of this machine are started.

    Attributes:
        folder: Logs, packages and the nodes' folders.
        kept: Whether the blobs are kept in the folder, or live in memory.
        azurite_port: 0 takes a free one.
        batch_port: 0 takes a free one.
        pool_speed: By how much everything is faster that the pool waits for.
        brief: Whether only what listens and the pool are told.
    """

    folder: Path
    kept: bool = False
    azurite_port: int = 0
    batch_port: int = 0
    pool_speed: float = 60.0
    brief: bool = False

    @property
    def nodes(self) -> Path:
        """The folder of the nodes."""
        return self.folder / "nodes"


class Laptop:
    """
    Azurite and the emulator with containers, application packages and the pool.

    Attributes:
        options: How its services are started.
        settings: For the function app, with the addresses of what runs here.
        storage: A client of Azurite.
        batch: A client of the emulator.
        pool: What was done about the pool.
    """

    storage: BlobServiceClient
    batch: BatchClient
    pool: str

    def __init__(
        self,
        options: LaptopOptions,
        *,
        settings: Mapping[str, str] | None = None,
        keys: LaptopKeys | None = None,
        tell: Callable[[str], None],
        pause: Callable[[float], None],
    ) -> None:
        """
        Prepare it.

        Args:
            options: How its services are started.
            settings: The function app's; by default the sample's.
            keys: What opens the services; by default new ones.
            tell: Is told in a sentence what was done.
            pause: Waits; may raise to give up.
        """
        self.options = options
        self._keys = keys or LaptopKeys.new()
        given = read_local_settings(_ROOT / SAMPLE) if settings is None else settings
        self.settings = with_keys(given, self._keys)
        self._tell = tell
        self._pause = pause
        self._running = ExitStack()
        self._children: list[Azurite | Child] = []

    def __enter__(self) -> Self:
        """Start everything; what is running when something fails is stopped."""
        with ExitStack() as starting:
            self._running = starting
            self._start()
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything, last started first."""
        self._running.close()

    def run(self, child: Child) -> None:
        """Start another process here, to be stopped before what it needs."""
        self._running.callback(child.stop)
        child.start()
        self._children.append(child)

    def check(self) -> None:
        """
        Do nothing while all is well.

        Raises:
            ChildError: A process has ended by itself.
        """
        for child in self._children:
            child.check()

    def _start(self) -> None:
        options = self.options
        azurite = Azurite(
            log=options.folder / "azurite.log",
            port=options.azurite_port,
            location=options.folder / "blobs" if options.kept else None,
            key=self._keys.storage_account_key,
            pause=self._pause,
        )
        self._running.callback(azurite.stop)
        azurite.start()
        self._children.append(azurite)
        self._tell(f"Azurite 3.36.0 listens at {azurite.url}")
        self.settings |= {
            "DATA_STORAGE_URL": azurite.url,
            "DATA_STORAGE_CONNECTION_STRING": azurite.connection_string,
            "AzureWebJobsStorage": azurite.connection_string,
        }
        self.storage = self._running.enter_context(open_local_storage(azurite.connection_string))
        containers = [self.settings["LEDGER_CONTAINER"], self.settings["OUTPUTS_CONTAINER"]]
        make_containers(self.storage, [*containers, _HOST_CONTAINER])
        self._start_batch(azurite.connection_string)
        self._tell_detail(f"containers {containers[0]} and {containers[1]} are there")

    def _tell_detail(self, text: str) -> None:
        if not self.options.brief:
            self._tell(text)

    def _start_batch(self, connection_string: str) -> None:
        account, key = self.settings["BATCH_ACCOUNT_NAME"], self._keys.account_key
        command = [sys.executable, "-m", "batch_emulator"]
        command += ["--port", str(self.options.batch_port), "--account", account]
        command += ["--root", str(self.options.nodes)]
        command += ["--pool-speed", f"{self.options.pool_speed:g}"]
        secrets = {  # other users of this machine can read a command line, but no environment
            KEY_VARIABLE: key,
            TOKEN_VARIABLE: self._keys.arm_token,
            STORAGE_VARIABLE: connection_string,
        }
        log = self.options.folder / "emulator.log"
        emulator = Child("the Batch emulator", command, log=log, environment=secrets)
        self.run(emulator)
        ready = emulator.wait_for(_READY, limit_seconds=_START_LIMIT_SECONDS, pause=self._pause)
        url = json.loads(ready[0])["url"]
        self.settings["BATCH_ACCOUNT_URL"] = url
        self._tell(f"the Batch emulator listens at {url}")
        self.batch = self._running.enter_context(open_local_batch(url, account, key))
        target = Target(source="this laptop", values=self.settings)
        arm = BatchArm.of(target)
        versions = self._publish(arm, Uploads(target))
        resource = pool_resource(arm.id, versions)
        self.pool = make_pool(arm, resource)
        shown = ", ".join(
            f"{package['id'].rpartition('/')[2]} {package['version']}"
            for package in resource["properties"]["applicationPackages"]
        )
        self._tell(f"pool {POOL}: {self.pool}, with {shown}")

    def _publish(self, arm: BatchArm, uploads: Uploads) -> dict[str, str]:
        """Do what `recur publish` does, and return the version of each application."""
        no_wait = RoleWait(Console(stderr=True), timedelta(0))  # no role can be missing here
        publisher = Publisher(arm, uploads, no_wait, tell=self._tell_detail)
        try:
            packages = build_all(_ROOT / "workload", self.options.folder / "packages")
            return publisher.publish(packages).versions
        except (PackageError, CliError) as error:
            raise LocalError(str(error)) from error


def port_of(url: str) -> int:
    """Return the port of a local address."""
    return urlsplit(url).port or 80
