"""
Application packages brought into a Batch account: uploaded, and active.

A version is made of its content, and an active one is never changed. So whatever an interrupted run
left behind is taken up where it is, and two runs at once end with the same active version.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError

from recur.arm import BatchArm, Version
from recur.errors import CliError, Exit
from recur.publishing.packaging import Package
from recur.publishing.uploads import Uploads
from recur.role_waiting import RoleWait
from recur.roles import batch_identity, batch_role, missing_on_arm, storage_role

MOST_VERSIONS: Final = 40
"""What Batch allows of one application."""

KEPT: Final = 5
"""How many of the newest versions stay, so that a pool can be put back to one of them."""

_CONFLICT: Final = 409
_GONE: Final = 404
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Published:
    """
    What a run did.

    Attributes:
        versions: The version of each application, in force now.
        new: The applications whose version was published by this run.
        removed: Application and version of each that was removed.
        kept: Application, version and reason of each that could not be removed.
        unverified: Applications whose active package could not be looked at.
    """

    versions: dict[str, str] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    removed: list[tuple[str, str]] = field(default_factory=list)
    kept: list[tuple[str, str, str]] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything was done."""
        return bool(self.new or self.removed)


def superfluous(
    versions: Iterable[Version], *, referenced: Iterable[str], published: str, keep: int
) -> list[Version]:
    """
    Return the active versions that may go, the oldest first.

    The newest ``keep`` stay, the one just published, and every one that a pool refers to; a
    reference without a version may mean any of them, so that none may go.
    """
    names = {name.lower() for name in referenced}
    if "" in names:
        return []
    stay = names | {published.lower()}
    active = [version for version in versions if version.active]
    active.sort(key=lambda version: version.activated or _LONG_AGO, reverse=True)
    return [version for version in active[keep:] if version.name.lower() not in stay][::-1]


class Publisher:
    """Brings packages into an account, step by step, each of which may be the last."""

    def __init__(
        self,
        arm: BatchArm,
        uploads: Uploads,
        role_wait: RoleWait,
        *,
        tell: Callable[[str], None],
        keep: int = KEPT,
    ) -> None:
        """
        Prepare it.

        Args:
            arm: The account.
            uploads: Its storage.
            role_wait: Waits for roles.
            tell: Is told in a sentence what begins that may take long.
            keep: How many of the newest versions stay.
        """
        self._arm = arm
        self._uploads = uploads
        self._role_wait = role_wait
        self._tell = tell
        self._keep = keep
        self._missing = missing_on_arm(
            caller=batch_role(arm.id),
            identity=storage_role(uploads.account_name, batch_identity(arm.group, arm.name)),
            principal=arm.principal,
        )

    def publish(self, packages: Sequence[Package]) -> Published:
        """
        Bring every package that is not active to where it is, then remove what is superfluous.

        Raises:
            CliError: A role is missing, there is no room, or an active package is not what its
                version says.
            AzureError: A service refuses, or does not answer.
        """
        done = Published()
        for package in packages:
            if self._ensure(package, done):
                done.new.append(package.name)
            done.versions[package.name] = package.version
        for package in packages:
            self._prune(package, done)
        return done

    def missing(self, packages: Sequence[Package]) -> list[Package]:
        """Return the packages that are not active, and change nothing."""
        return [
            package
            for package in packages
            if not (there := self._versions(package.name).get(package.version)) or not there.active
        ]

    def _ensure(self, package: Package, done: Published) -> bool:
        """Have a package active; tell whether it had to be published."""
        versions = self._list(package.name)
        if versions is None:
            self._allowed(lambda: self._arm.make_application(package.name))
            versions = {}
        there = versions.get(package.version)
        if there is not None and there.active:
            self._verify(package, done)
            return False
        if there is None and len(versions) >= MOST_VERSIONS:
            self._make_room(package, versions, done)
        self._tell(f"publishing {package.name} {package.version}")
        url = self._open(package)
        if url is not None:
            self._uploads.upload(url, package.zip_path, self._role_wait)
            self._activate(package)
        return True

    def _open(self, package: Package) -> str | None:
        """Return where to upload a package, or nothing if somebody else has just published it."""
        try:
            return self._allowed(lambda: self._arm.open_version(package.name, package.version))
        except HttpResponseError as error:
            if error.status_code != _CONFLICT:
                raise
            there = self._arm.version(package.name, package.version)
            if there is None:
                raise
        if there.active:
            return None
        # A version that another run left pending, and that may not be opened again.
        self._allowed(lambda: self._arm.delete_version(package.name, package.version))
        return self._allowed(lambda: self._arm.open_version(package.name, package.version))

    def _activate(self, package: Package) -> None:
        try:
            self._allowed(lambda: self._arm.activate(package.name, package.version))
        except HttpResponseError as error:
            # Somebody else may have activated it, and so may our own call whose reply was lost.
            there = self._arm.version(package.name, package.version)
            if error.status_code not in {_CONFLICT, _GONE} or there is None or not there.active:
                raise

    def _verify(self, package: Package, done: Published) -> None:
        """Hold what lies in storage against the version under which it is active."""
        try:
            holds = self._uploads.holds(package)
        except AzureError:
            holds = None  # publishing it anew needs storage, and looking at it is a courtesy
        if holds is None:
            done.unverified.append(package.name)
        elif not holds:
            raise CliError(
                Exit.FOUND,
                f"{package.name} {package.version} is active, but storage has another "
                "package or a damaged one: nodes that install it become unusable or run the wrong "
                "program",
                f"az batch application package delete --resource-group {self._arm.group} "
                f"--name {self._arm.name} --application-name {package.name} "
                f"--version-name {package.version} --yes, then `recur publish`",
            )

    def _make_room(self, package: Package, versions: dict[str, Version], done: Published) -> None:
        """Remove one version: one that was never activated, else the oldest that may go."""
        pending = [version for version in versions.values() if not version.active]
        for version in [*pending, *self._superfluous(package, versions.values())]:
            if self._remove(version, done):
                return
        raise CliError(
            Exit.REFUSED,
            f"application {package.name} has {len(versions)} versions, the most that Batch allows, "
            f"and none can be removed: pools use them, or they are among the newest {self._keep}",
            f"az batch application package list --resource-group {self._arm.group} "
            f"--name {self._arm.name} --application-name {package.name}; delete the pools or the "
            "versions that are not needed",
        )

    def _prune(self, package: Package, done: Published) -> None:
        versions = self._versions(package.name)
        if sum(version.active for version in versions.values()) <= self._keep:
            return
        for version in self._superfluous(package, versions.values()):
            self._remove(version, done)

    def _superfluous(self, package: Package, versions: Iterable[Version]) -> list[Version]:
        references = self._allowed(lambda: list(self._arm.references()))
        mine = [name for owner, name in references if owner.lower() == package.name.lower()]
        return superfluous(versions, referenced=mine, published=package.version, keep=self._keep)

    def _remove(self, version: Version, done: Published) -> bool:
        try:
            self._arm.delete_version(version.application, version.name)
        except HttpResponseError as error:
            reason = str(error.message).partition("\n")[0]
            done.kept.append((version.application, version.name, reason))
            return False
        done.removed.append((version.application, version.name))
        return True

    def _list(self, application: str) -> dict[str, Version] | None:
        return self._allowed(lambda: self._arm.versions(application))

    def _versions(self, application: str) -> dict[str, Version]:
        return self._list(application) or {}

    def _allowed[T](self, work: Callable[[], T]) -> T:
        return self._role_wait.call(work, self._missing)
