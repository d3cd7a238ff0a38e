"""Applications and their versions: made pending, uploaded by the client, then activated for nodes."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from batch_emulator.errors import ServiceError
from batch_emulator.package import Package
from batch_emulator.runtime.collection import Collection

MOST_VERSIONS: Final = 40
"""The quota of versions of one application, which no request can raise."""

_NOT_IN_CONTAINERS: Final = re.compile(r"[^a-z0-9]+")


class VersionState(StrEnum):
    """States of a version, as Azure Resource Manager spells them."""

    PENDING = "Pending"
    ACTIVE = "Active"


@dataclass(slots=True, eq=False)
class Version:
    """One version of an application; pools may refer to it once it is active."""

    package: Package
    modified: datetime
    state: VersionState = VersionState.PENDING
    activated: datetime | None = None

    @property
    def id(self) -> str:
        """The version's name as it was given."""
        return self.package.version

    def activate(self, at: datetime) -> None:
        """Let pools refer to it from this time onwards."""
        self.state = VersionState.ACTIVE
        self.modified = self.activated = at


@dataclass(slots=True, eq=False)
class Application:
    """An application and its versions."""

    id: str
    modified: datetime
    allow_updates: bool = True
    display_name: str | None = None
    versions: Collection[Version] = field(default_factory=Collection)

    def open(self, version: str, at: datetime) -> Version:
        """
        Return a version into which the client may upload: a new one, or one to be overwritten.

        Raises:
            ServiceError: It is active and may not be overwritten, or there are too many.
        """
        if there := self.versions.find(version):
            self.check_overwriting(there)
            there.package, there.modified = self._uploaded(there.id), at
            return there
        if len(tuple(self.versions)) >= MOST_VERSIONS:
            raise ServiceError("ApplicationPackageQuotaReached")
        made = Version(self._uploaded(version), at)
        self.versions.add(version, made)
        return made

    def _uploaded(self, version: str) -> Package:
        name = Path(f"{self.id}-{version}.zip")
        return Package(self.id, version, name, f"{self.container}/{version}")

    def check_overwriting(self, version: Version) -> None:
        """
        Refuse to change a version that is active, unless the application allows it.

        Raises:
            ServiceError: ApplicationPackageUpdatesNotAllowed.
        """
        if version.state is VersionState.ACTIVE and not self.allow_updates:
            raise ServiceError("ApplicationPackageUpdatesNotAllowed")

    @property
    def container(self) -> str:
        """The container of its packages, named as the service names it."""
        name = self.id.lower()
        readable = _NOT_IN_CONTAINERS.sub("-", name)[:20].strip("-")
        return f"app-{readable}-{hashlib.sha256(name.encode()).hexdigest()[:24]}".replace("--", "-")


class Applications(Collection[Application]):
    """All applications of an account."""

    @classmethod
    def given(cls, packages: Iterable[Package], at: datetime) -> Self:
        """Return the applications that the emulator was started with; their versions are active."""
        made = cls()
        for package in packages:
            application = made.find(package.application)
            if application is None:
                application = Application(package.application, at)
                made.add(application.id, application)
            version = Version(package, at)
            version.activate(at)
            application.versions.add(version.id, version)
        return made

    def active(self) -> Iterator[Package]:
        """Yield every package that pools may refer to, in the order of applications and versions."""
        for application in sorted(self, key=lambda item: item.id.lower()):
            for version in sorted(application.versions, key=lambda item: item.id):
                if version.state is VersionState.ACTIVE:
                    yield version.package
