"""
Versions of the document: what the metadata of their blobs say, as values.

The blob of a version holds the exact bytes that were applied. Its metadata say who applied them, and
which version was in force before, so that versions form a chain from the one in force backwards.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote

from orchestrator.errors import RecordUnreadable

NOTE_BYTES = 4096
"""The longest note, percent-encoded: metadata of a blob are 8 KiB at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """
    A time at which ``schedules.toml`` held a version.

    Attributes:
        number: Of the version; None if it is not known.
        etag: Of ``schedules.toml`` at that time.
        since: When that began; None if it is not known.
    """

    number: int | None
    etag: str
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """
    One content that ``schedules.toml`` held, or was about to hold.

    Attributes:
        number: Its number. Numbers grow, and some name versions that were never in force.
        sha256: Of its bytes, in hexadecimal digits.
        at: When it was applied.
        by: Who applied it; None if nobody did: somebody uploaded it by hand.
        note: Why.
        before: What was in force before; None if nothing was, or if that is not known.
        etag: Of ``schedules.toml`` when that was found to hold it; None if it was applied.
    """

    number: int
    sha256: str
    at: datetime
    by: str | None = None
    note: str | None = None
    before: InForce | None = None
    etag: str | None = None


def digest(data: bytes) -> str:
    """Return the SHA-256 of a document, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def free_number(taken: Iterable[int], *others: int | None) -> int:
    """Return the number of the next version: above all that there are, or that were named."""
    return max([0, *taken, *(one for one in others if one is not None)]) + 1


def commit_metadata(version: Version) -> dict[str, str]:
    """Return the metadata by which ``schedules.toml`` names the version that it holds."""
    return {"number": str(version.number), "sha256": version.sha256}


def named_number(data: bytes, metadata: Mapping[str, str]) -> int | None:
    """Return the number by which ``schedules.toml`` names its content; None if that is another."""
    values = {key.lower(): value for key, value in metadata.items()}
    number = values.get("number", "")
    same = values.get("sha256") == digest(data)
    return int(number) if same and number.isascii() and number.isdecimal() else None


def version_metadata(version: Version) -> dict[str, str]:
    """Return the metadata of a version's blob; texts are percent-encoded."""
    before = version.before
    values = {
        "number": str(version.number),
        "sha256": version.sha256,
        "at": version.at.isoformat(),
        "by": _encoded(version.by),
        "note": _encoded(version.note),
        "etag": _encoded(version.etag),
        "before": str(before.number) if before and before.number is not None else None,
        "before_etag": _encoded(before.etag) if before else None,
        "before_since": before.since.isoformat() if before and before.since else None,
    }
    return {key: value for key, value in values.items() if value is not None}


def read_version(blob: str, metadata: Mapping[str, str]) -> Version:
    """
    Read the metadata of a version's blob.

    Raises:
        RecordUnreadable: They are not those of a version.
    """
    values = {key.lower(): value for key, value in metadata.items()}
    try:
        return Version(
            number=int(values["number"]),
            sha256=values["sha256"],
            at=_instant(values["at"]),
            by=_decoded(values.get("by")),
            note=_decoded(values.get("note")),
            etag=_decoded(values.get("etag")),
            before=_read_before(values),
        )
    except (KeyError, ValueError) as error:
        raise RecordUnreadable(f"the metadata of {blob}: {error!r}") from error


def encoded_size(note: str) -> int:
    """Return how many bytes of the metadata a note takes."""
    return len(quote(note, safe=""))


def _read_before(values: Mapping[str, str]) -> InForce | None:
    etag, number, since = (values.get(f"before{key}") for key in ("_etag", "", "_since"))
    if etag is None:
        return None
    return InForce(
        number=int(number) if number else None,
        etag=unquote(etag),
        since=_instant(since) if since else None,
    )


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return instant


def _encoded(text: str | None) -> str | None:
    return None if text is None else quote(text, safe="")


def _decoded(text: str | None) -> str | None:
    return None if text is None else unquote(text)
