"""The versions of the document that the ledger keeps, read for a person."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.errors import RecordUnreadable
from orchestrator.ledger.versions import Version, named_number
from orchestrator.ledger.versions import read_version as version_of
from recur.errors import CliError, Exit
from recur.ledger_reader.snapshot import check_container


@dataclass(frozen=True, slots=True, kw_only=True)
class InForceNow:
    """
    What ``schedules.toml`` holds.

    Attributes:
        data: The document.
        etag: Of it.
        since: When it was put there.
        version: Its version; None if nobody has archived it yet.
    """

    data: bytes
    etag: str
    since: datetime
    version: Version | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    A line of the log.

    Attributes:
        version: What is known of a version.
        since: When it came into force; None if it never did, as far as anybody can tell.
        before: The number of the version in force before it; None if that is not known.
    """

    version: Version
    since: datetime | None
    before: int | None


def read_version(ledger: ContainerClient, number: int) -> bytes:
    """
    Return the content of a version.

    Raises:
        CliError: There is no such version.
    """
    try:
        return ledger.download_blob(ids.version_blob(number)).readall()
    except ResourceNotFoundError as error:
        check_container(ledger, error)
        raise CliError(
            Exit.REFUSED, f"there is no version {number}", "recur document --log lists them"
        ) from error


def read_versions(ledger: ContainerClient) -> dict[int, Version]:
    """Return every version whose metadata can be read, by its number."""
    found: dict[int, Version] = {}
    try:
        for blob in ledger.list_blobs(name_starts_with=ids.VERSIONS_PREFIX, include=["metadata"]):
            if (number := ids.version_number(blob.name)) is not None:
                try:
                    found[number] = version_of(blob.name, blob.metadata or {})
                except RecordUnreadable:
                    continue
    except ResourceNotFoundError as error:
        check_container(ledger, error)
    return found


def read_in_force(ledger: ContainerClient, versions: Mapping[int, Version]) -> InForceNow:
    """
    Return the document in force.

    Raises:
        CliError: There is none.
    """
    try:
        blob = ledger.download_blob(ids.DOCUMENT)
        data = blob.readall()
    except ResourceNotFoundError as error:
        check_container(ledger, error)
        raise CliError(Exit.REFUSED, "no document is in force", "recur apply FILE") from error
    etag = str(blob.properties.etag)
    by_hand = (one for one in versions.values() if one.etag == etag)
    named = named_number(data, blob.properties.metadata or {})
    applied = versions.get(named) if named is not None else None
    return InForceNow(
        data=data,
        etag=etag,
        since=blob.properties.last_modified,
        version=next(by_hand, applied),
    )


def log_of(now: InForceNow | None, versions: Mapping[int, Version]) -> list[Entry]:
    """Return what is known of each version, the newest first."""
    known = {entry.version.number: entry for entry in _chain(now, versions)}
    others = {
        number: Entry(version=one, since=None, before=one.before.number if one.before else None)
        for number, one in versions.items()
        if number not in known
    }
    every = known | others
    return [every[number] for number in sorted(every, reverse=True)]


def _chain(now: InForceNow | None, versions: Mapping[int, Version]) -> Iterator[Entry]:
    """Yield the versions that were in force, going back from the one that is."""
    version = now.version if now else None
    since = now.since if now else None
    while version is not None:
        before = version.before
        number = before.number if before else None
        yield Entry(version=version, since=since or version.at, before=number)
        since = before.since if before else None
        version = versions.get(number) if number is not None and number < version.number else None
