"""`recur document`: what is in force, what was, who changed it and why."""

from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient

from orchestrator.ids import DOCUMENT, version_blob
from recur.errors import Exit
from tests.support.operator import Operator

FIRST = '[schedules.nightly]\ncron = "30 2 * * *"\ncommand = "true"\nstart = 2030-01-01T00:00:00Z\n'
SECOND = f"# quiet\n{FIRST}paused = true\n"
OTHER = f'{FIRST}\n[schedules.other]\ncron = "0 0 * * *"\ncommand = "true"\n'


@pytest.fixture
def applied(someone: Operator, tmp_path: Path) -> Operator:
    """Return somebody who has applied two documents."""
    for text, note in ((FIRST, "the first"), (SECOND, "50 % off, until Monday")):
        file = tmp_path / "schedules.toml"
        file.write_text(text)
        told = someone.recur("apply", str(file), "--note", note, "--by", "Zoë")
        assert told.code == Exit.DONE, told.err
    return someone


def test_the_document_in_force_is_printed_as_it_is(
    applied: Operator, ledger: ContainerClient
) -> None:
    """Byte for byte, also where somebody uploaded it by hand; as JSON with its version."""
    told = applied.recur("document")
    as_json = applied.recur("--json", "document")
    raw = b"\xef\xbb\xbf" + FIRST.replace("\n", "\r\n").encode()
    ledger.upload_blob(DOCUMENT, raw, overwrite=True)

    assert (told.code, told.raw) == (Exit.DONE, SECOND.encode())
    assert (as_json.json["version"], as_json.json["by"]) == (2, "Zoë")
    assert as_json.json["text"] == SECOND
    assert applied.recur("document").raw == raw


def test_an_earlier_version_is_printed_as_it_is(applied: Operator) -> None:
    """By its number; one that there is not is refused, with what to do."""
    assert applied.recur("document", "--version", "1").raw == FIRST.encode()

    told = applied.recur("document", "--version", "3")

    assert told.code == Exit.REFUSED
    assert "there is no version 3" in told.err
    assert "recur document --log" in told.err


def test_the_log_says_who_when_why_and_what_changed(applied: Operator) -> None:
    """The newest first; a comment changes no schedule, and keys are named."""
    told = applied.recur("--json", "document", "--log")
    shown = applied.recur("document", "--log").out

    second, first = told.json["versions"]
    assert told.json["in_force"] == second["version"] == 2
    assert (second["by"], second["note"]) == ("Zoë", "50 % off, until Monday")
    assert second["changed"] == ["nightly: paused"]
    assert first["changed"] == ["nightly: added"]
    assert first["in_force_since"] <= second["in_force_since"]
    assert "50 % off, until Monday" in shown
    assert "nightly: paused" in shown


def test_the_log_tells_what_was_never_in_force(applied: Operator, ledger: ContainerClient) -> None:
    """A version that an apply left which died before its commit."""
    metadata = ledger.get_blob_client(version_blob(2)).get_blob_properties().metadata
    values = {**metadata, "number": "3", "note": "died"}
    ledger.upload_blob(version_blob(3), OTHER.encode(), metadata=values)

    told = applied.recur("--json", "document", "--log")

    third, second, _ = told.json["versions"]
    assert (third["in_force_since"], third["changed"]) == (None, ["other: added"])
    assert second["in_force_since"] is not None
    assert told.json["in_force"] == 2
    assert "never" in applied.recur("document", "--log").out


def test_the_log_tells_an_upload_by_hand(
    applied: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """Before anybody archived it, and when an apply has."""
    ledger.upload_blob(DOCUMENT, b"[schedules", overwrite=True)
    before = applied.recur("document", "--log").out
    file = tmp_path / "other.toml"
    file.write_text(OTHER)
    assert applied.recur("apply", str(file)).code == Exit.DONE

    fourth, third, *_ = applied.recur("--json", "document", "--log").json["versions"]

    assert "the next tick makes it a version" in before
    assert "not known yet" in before
    assert "never" not in before
    assert (third["by"], third["changed"]) == (
        None,
        ["this version is invalid and changed nothing"],
    )
    assert fourth["changed"] == ["nightly: added", "other: added"]


def test_the_log_is_as_long_as_it_is_asked_for(applied: Operator) -> None:
    """The newest come first, so these are they."""
    told = applied.recur("--json", "document", "--log", "--last", "1")

    assert [one["version"] for one in told.json["versions"]] == [2]


def test_what_differs_between_two_versions_is_shown(applied: Operator) -> None:
    """As a unified diff, from the first to the second, in both orders."""
    told = applied.recur("document", "--diff", "1", "2")
    back = applied.recur("--json", "document", "--diff", "2", "1")

    assert told.out.splitlines()[:2] == ["--- documents/1.toml", "+++ documents/2.toml"]
    assert "+# quiet" in told.out
    assert "+paused = true" in told.out
    assert "-paused = true" in back.json["diff"]
    assert applied.recur("document", "--diff", "1", "9").code == Exit.REFUSED


def test_going_back_applies_an_earlier_version_once_more(
    applied: Operator, ledger: ContainerClient
) -> None:
    """As a version of its own, with what changes; the note says to which it goes back."""
    dry = applied.recur("apply", "--revert", "1", "--dry-run")
    told = applied.recur("--json", "apply", "--revert", "1")
    newest = applied.recur("--json", "document", "--log").json["versions"][0]

    assert "nightly: changed" in dry.out
    assert (told.code, told.json["version"]) == (Exit.DONE, 3)
    assert ledger.download_blob(DOCUMENT).readall() == FIRST.encode()
    assert (newest["version"], newest["note"]) == (3, "back to version 1")
    assert "nothing to change" in applied.recur("apply", "--revert", "1").out


def test_going_back_is_byte_for_byte(
    applied: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """Also to what somebody uploaded by hand, with a byte order mark and other line ends."""
    raw = b"\xef\xbb\xbf" + FIRST.replace("\n", "\r\n").encode()
    ledger.upload_blob(DOCUMENT, raw, overwrite=True)
    file = tmp_path / "other.toml"
    file.write_text(OTHER)
    applied.recur("apply", str(file))

    told = applied.recur("--json", "apply", "--revert", "3", "--remove")

    assert told.json["version"] == 5
    assert ledger.download_blob(DOCUMENT).readall() == raw


def test_going_back_to_what_is_not_there_is_refused(
    applied: Operator, ledger: ContainerClient
) -> None:
    """Nor to what is not valid any more: with what to do instead."""
    missing = applied.recur("apply", "--revert", "7")
    ledger.upload_blob(version_blob(1), b"[schedules", overwrite=True)
    invalid = applied.recur("apply", "--revert", "1")

    assert (missing.code, invalid.code) == (Exit.REFUSED, Exit.REFUSED)
    assert "there is no version 7" in missing.err
    assert "recur document --version 1 > FILE" in invalid.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("document", "--log", "--version", "1"),
        ("document", "--version", "1", "--diff", "1", "2"),
        ("apply",),
        ("apply", "schedules.toml", "--revert", "1"),
        ("apply", "--revert", "1", "--note", ""),
        ("apply", "--revert", "1", "--note", "é" * 900),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    someone: Operator, arguments: tuple[str, ...]
) -> None:
    """As usage; nothing is asked of storage."""
    assert someone.recur(*arguments).code == Exit.USAGE


def test_without_a_document_there_is_none_to_print(someone: Operator) -> None:
    """With what puts one in force."""
    for arguments in ((), ("--log",)):
        told = someone.recur("document", *arguments)
        assert told.code == Exit.REFUSED
        assert "recur apply FILE" in told.err
