"""Application packages: found by reference, fetched and unzipped on each node."""

import asyncio
import shutil
import stat
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from azure.storage.blob.aio import BlobServiceClient

from batch_emulator.errors import ServiceError
from batch_emulator.package import Package
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.state.node import Node
from batch_emulator.wire import Json

_UNIX: Final = 3  # the zip was made on a system whose modes are Unix modes
_PLAIN_MODE: Final = 0o644

INSTALL_FAILURE: Final = (
    "ApplicationPackageError",
    "One or more application packages could not be installed on the node",
)
"""The code and text on a node or task whose packages could not be installed."""


def resolve_packages(references: Sequence[Json], known: Iterable[Package]) -> tuple[Package, ...]:
    """
    Return the packages that a pool or a task refers to.

    A reference without a version means the default version, and no application has one here.

    Raises:
        ServiceError: InvalidApplicationPackageReferences, naming what does not exist.
    """
    packages = {(item.application.lower(), item.version.lower()): item for item in known}
    found, missing = [], []
    for reference in references:
        # A reference may be the application's whole ARM id.
        application = reference["applicationId"].rsplit("/", 1)[-1]
        version = reference.get("version", "")
        if package := packages.get((application.lower(), version.lower())):
            found.append(package)
        else:
            reason = "The specified application package does not exist."
            missing.append((f"{application}:{version}" if version else application, reason))
    if missing:
        raise ServiceError("InvalidApplicationPackageReferences", values=missing)
    return tuple(found)


async def fetch(storage: BlobServiceClient, package: Package, folder: Path) -> Package:
    """
    Return ``package`` with its zip on this machine, downloaded into ``folder`` if it was uploaded.

    Raises:
        AzureError: Storage does not have it, or does not answer.
    """
    if not package.blob:
        return package
    container, _, name = package.blob.partition("/")
    content = await storage.get_blob_client(container, name).download_blob()
    local = replace(package, zip_path=folder / package.zip_path)
    with local.zip_path.open("wb") as file:
        await content.readinto(file)
    return local


def unzip(package: Package, target: Path) -> None:
    """
    Unzip ``package`` into ``target``, with the modes that the zip holds and no others.

    Raises:
        ValueError: The zip holds a link, or a path that leads out of ``target``.
        OSError, zipfile.BadZipFile: It cannot be read or written.
    """
    target.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(package.zip_path) as archive:
        for member in archive.infolist():
            path = PurePosixPath(member.filename)
            mode = member.external_attr >> 16 if member.create_system == _UNIX else 0
            if path.is_absolute() or ".." in path.parts or stat.S_ISLNK(mode):
                raise ValueError(f"{package.zip_path.name} holds an unsafe entry: {path}")
            file = target / path
            if member.is_dir():
                file.mkdir(parents=True, exist_ok=True)
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as content, file.open("wb") as copy:
                shutil.copyfileobj(content, copy)
            file.chmod(stat.S_IMODE(mode) & 0o777 or _PLAIN_MODE)


def folder_of(node: Node, package: Package) -> Path:
    """Return where a package lies on a node, for all that runs there."""
    return node.root / "applications" / package.folder


async def install_all(
    storage: BlobServiceClient, node: Node, packages: Iterable[Package]
) -> Failure | None:
    """Install the packages that a task needs and the node lacks; return the first failure."""
    for package in packages:
        async with node.installing:  # another task may need the same
            if package in node.packages or package in node.installed:
                continue
            try:
                local = await fetch(storage, package, node.root / "volatile")
                await _unzip_to_the_end(local, folder_of(node, package))
            except Exception as error:  # noqa: BLE001 - a damaged archive fails in many ways
                reason = str(error) or type(error).__name__
                return Failure(*INSTALL_FAILURE, (("Message", reason),))
            node.installed.add(package)
    return None


async def _unzip_to_the_end(package: Package, folder: Path) -> None:
    """Unzip to the end, even if the task is stopped: no other unzip may begin before."""
    unzipping = asyncio.create_task(asyncio.to_thread(unzip, package, folder))
    try:
        await asyncio.shield(unzipping)
    finally:
        await asyncio.wait([unzipping])
