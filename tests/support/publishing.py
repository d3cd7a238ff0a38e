"""A workload of two applications, and what publishes it."""

import io
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from azure.core.pipeline.transport import RequestsTransport
from rich.console import Console

from recur.publishing.packaging import Package, build_all
from recur.publishing.publisher import Published, Publisher
from recur.publishing.uploads import Uploads
from recur.role_waiting import RoleWait
from tests.support.arm_account import ACCOUNT, GROUP, ArmAccount

NAMES = ("pythonscript", "pythonsetup")

PAUSE = timedelta(minutes=5)
"""From one try to the next: each is a real request."""


def workload(folder: Path, **contents: str) -> Path:
    """Write a workload; a content makes an application another version."""
    for name in NAMES:
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "main.py").write_text(contents.get(name, f"print({name!r})\n"))
    return folder


def packages(folder: Path, **contents: str) -> tuple[Package, ...]:
    """Build a workload."""
    return build_all(workload(folder / "workload", **contents), folder / "packages")


@dataclass(slots=True)
class Clock:
    """A clock that only goes on while somebody sleeps by it."""

    now: float = 0.0

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass(slots=True)
class Run:
    """
    One run of the publisher.

    Attributes:
        account: Where to.
        console: What a person would see of the waiting.
        options: For the official clients.
        keep: How many of the newest versions stay.
        wait: How long to wait for roles.
        clock: By which it waits.
    """

    account: ArmAccount
    options: dict[str, Any] = field(default_factory=dict)
    keep: int = 5
    wait: timedelta = timedelta(seconds=0)
    clock: Clock = field(default_factory=Clock)
    console: Console = field(default_factory=lambda: Console(file=io.StringIO(), width=400))
    told: list[str] = field(default_factory=list)

    @property
    def role_wait(self) -> RoleWait:
        clock = self.clock
        return RoleWait(self.console, self.wait, pause=PAUSE, clock=clock.read, sleep=clock.sleep)

    def publisher(self) -> Publisher:
        return Publisher(
            self.account.arm(**self.options),
            Uploads(self.account.target, **self.options),
            self.role_wait,
            tell=self.told.append,
            keep=self.keep,
        )

    def publish(self, given: tuple[Package, ...]) -> Published:
        return self.publisher().publish(given)

    @property
    def shown(self) -> str:
        assert isinstance(self.console.file, io.StringIO)
        return self.console.file.getvalue()


class Killed(BaseException):
    """The end of a process, from outside: no handler of errors sees it."""


@dataclass(slots=True)
class Knife:
    """Ends a run at a call: before it is sent, or when it has been answered."""

    at: int | None
    after: bool
    calls: int = 0


class CutTransport(RequestsTransport):  # type: ignore[misc] # exported lazily, hence untyped
    """The official transport, until the knife falls."""

    def __init__(self, knife: Knife) -> None:
        super().__init__()
        self.knife = knife

    def send(self, request: Any, **options: Any) -> Any:  # noqa: ANN401 - the SDK's
        self.knife.calls += 1
        if self.knife.calls == self.knife.at and not self.knife.after:
            raise Killed
        response = super().send(request, **options)
        if self.knife.calls == self.knife.at:
            raise Killed
        return response


def is_published(account: ArmAccount, given: tuple[Package, ...]) -> bool:
    """Tell whether every package is active, and storage holds it to the byte."""
    arm = account.arm()
    for package in given:
        version = arm.version(package.name, package.version)
        if version is None or not version.active:
            return False
        if account.blobs(package.name)[package.version] != package.zip_path.read_bytes():
            return False
    return True


def versions(account: ArmAccount, name: str) -> set[str]:
    """Return all versions of an application."""
    return set(account.arm().versions(name) or ())


def refer(account: ArmAccount, pool: str, application: str, *names: str) -> None:
    """Let a pool refer to versions of an application."""
    arm = account.arm()
    body: dict[str, Any] = {
        "vmSize": "Standard_D2ds_v5",
        "deploymentConfiguration": {
            "virtualMachineConfiguration": {
                "imageReference": {
                    "publisher": "canonical",
                    "offer": "ubuntu-24_04-lts",
                    "sku": "server",
                    "version": "latest",
                },
                "nodeAgentSkuId": "batch.node.ubuntu 24.04",
            }
        },
        "applicationPackages": [
            {"id": f"{arm.id}/applications/{application}", "version": name} for name in names
        ],
    }
    arm.client.pool.create(GROUP, ACCOUNT, pool, {"properties": body})


def fill(account: ArmAccount, application: str, count: int, *, active: bool = True) -> list[str]:
    """Give an application so many versions more, the oldest first."""
    arm = account.arm()
    arm.make_application(application)
    already = len(versions(account, application))
    names = [f"old{already + number}" for number in range(count)]
    for name in names:
        container, blob = arm.open_version(application, name).rsplit("/", 2)[1:]
        if active:
            account.storage.get_blob_client(container, blob).upload_blob(b"")
            arm.activate(application, name)
    return names
