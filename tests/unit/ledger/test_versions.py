"""What the metadata of the document and of its versions say."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import ids
from orchestrator.errors import RecordUnreadable
from orchestrator.ledger.versions import (
    NOTE_BYTES,
    InForce,
    Version,
    commit_metadata,
    digest,
    encoded_size,
    free_number,
    named_number,
    read_version,
    version_metadata,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
METADATA = {"number": "7", "sha256": "ab", "at": "2026-06-01T12:00:00+00:00"}

instants = st.datetimes(timezones=st.just(UTC))
numbers = st.integers(min_value=1, max_value=999_999_999)
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


def optional[T](strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


@given(
    st.builds(
        Version,
        number=numbers,
        sha256=st.from_regex("[0-9a-f]{64}", fullmatch=True),
        at=instants,
        by=optional(texts),
        note=optional(texts),
        before=optional(
            st.builds(InForce, number=optional(numbers), etag=texts, since=optional(instants))
        ),
        etag=optional(texts),
    )
)
def test_a_version_is_read_as_it_was_written(version: Version) -> None:
    """Through headers of ASCII, in whatever case storage returns their names."""
    metadata = version_metadata(version)

    assert all(value.isascii() and value.isprintable() for value in metadata.values())
    assert read_version("documents/1.toml", metadata) == version
    loud = {key.upper(): value for key, value in metadata.items()}
    assert read_version("documents/1.toml", loud) == version


def test_the_metadata_of_today_stay_readable() -> None:
    """They are stored for good, with blobs that nobody writes again."""
    metadata = {
        **METADATA,
        "by": "Zo%C3%AB%40desk",
        "note": "50%20%25%20off",
        "before": "5",
        "before_etag": "%220x8DE1%22",
        "before_since": "2026-06-01T11:00:00+00:00",
        "from_a_later_version": "x",
    }
    before = InForce(number=5, etag='"0x8DE1"', since=NOON.replace(hour=11))
    applied = Version(number=7, sha256="ab", at=NOON, by="Zoë@desk", note="50 % off", before=before)
    by_hand = Version(number=7, sha256="ab", at=NOON, etag='"0x8DE2"')

    assert read_version("documents/7.toml", metadata) == applied
    assert version_metadata(applied) == {
        key: value for key, value in metadata.items() if key != "from_a_later_version"
    }
    assert read_version("documents/7.toml", {**METADATA, "etag": "%220x8DE2%22"}) == by_hand


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {**METADATA, "number": "x"},
        {**METADATA, "at": "yesterday"},
        {**METADATA, "at": "2026-06-01T12:00:00"},
        {**METADATA, "before_etag": "e", "before": "x"},
        {**METADATA, "before_etag": "e", "before_since": "2026-06-01"},
    ],
)
def test_what_is_no_version_says_its_name(metadata: dict[str, str]) -> None:
    with pytest.raises(RecordUnreadable, match=r"documents/7\.toml"):
        read_version("documents/7.toml", metadata)


def test_the_document_names_its_version_only_while_it_holds_it() -> None:
    """Another content, or a name that is no number, names none."""
    version = Version(number=7, sha256=digest(b"a"), at=NOON)
    metadata = commit_metadata(version)

    assert named_number(b"a", metadata) == 7
    assert named_number(b"a", {key.title(): value for key, value in metadata.items()}) == 7
    assert named_number(b"b", metadata) is None
    assert named_number(b"a", {}) is None
    assert named_number(b"a", {**metadata, "number": "seven"}) is None
    assert named_number(b"a", {**metadata, "number": "²"}) is None


def test_a_free_number_is_above_all_that_were_named() -> None:
    assert free_number([]) == 1
    assert free_number([3, 12, 7]) == 13
    assert free_number([3], None, 8) == 9


def test_the_longest_note_fits_into_the_metadata() -> None:
    """With the longest name beside it: 8 KiB are allowed."""
    note = "é" * (NOTE_BYTES // 6)
    assert encoded_size(note) <= NOTE_BYTES < encoded_size(note + "é")
    before = InForce(number=999_999_999, etag='"0x8DE1234567890AB"', since=NOON)
    version = Version(
        number=1, sha256=digest(b""), at=NOON, by="\U0001f600" * 200, note=note, before=before
    )
    metadata = version_metadata(version)
    assert sum(len(key) + len(value) for key, value in metadata.items()) <= 8192


@pytest.mark.parametrize(
    ("blob", "number"),
    [
        ("documents/1.toml", 1),
        ("documents/120.toml", 120),
        ("documents/0.toml", None),
        ("documents/01.toml", None),
        ("documents/1.json", None),
        ("documents/x.toml", None),
        ("old/documents/1.toml", None),
        ("documents/1.toml/x", None),
    ],
)
def test_the_name_of_a_version_tells_its_number(blob: str, number: int | None) -> None:
    assert ids.version_number(blob) == number
    if number is not None:
        assert ids.version_blob(number) == blob
