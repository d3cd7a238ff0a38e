"""Azurite as a child process."""

import socket
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from local import azurite as module
from local.azurite import Azurite
from local.errors import ChildError
from tests.conftest import Containers


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_containers_are_empty_and_usable_by_the_official_sdk(containers: Containers) -> None:
    """What a test writes is read back, and the connection string names the same account."""
    with BlobServiceClient.from_connection_string(containers.connection_string) as storage:
        ledger = storage.get_container_client(containers.ledger)

        assert list(ledger.list_blob_names()) == []
        ledger.upload_blob("a/b.txt", b"\x00\xff")
        assert ledger.download_blob("a/b.txt").readall() == b"\x00\xff"
        assert ledger.url == f"{containers.account_url}/{containers.ledger}"


def test_blobs_on_disk_survive_a_restart_on_the_same_port(tmp_path: Path) -> None:
    """Leaving the context writes the index to disk and frees the port; any other key opens it."""
    running = Azurite(log=tmp_path / "log", location=tmp_path / "blobs")
    with running, BlobServiceClient.from_connection_string(running.connection_string) as storage:
        storage.create_container("kept").upload_blob("it", b"1")
    assert not _listens(running.port)

    again = Azurite(log=tmp_path / "log", location=tmp_path / "blobs", port=running.port)
    assert again.key != running.key
    with again, BlobServiceClient.from_connection_string(again.connection_string) as storage:
        assert storage.get_blob_client("kept", "it").download_blob().readall() == b"1"


def test_a_port_in_use_is_reported_with_the_words_of_azurite(tmp_path: Path) -> None:
    """The error holds the end of the log, and nothing is left running."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ChildError, match="EADDRINUSE"):
            Azurite(log=tmp_path / "log", port=taken.getsockname()[1]).start()


def test_what_is_not_installed_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No Node, or no node_modules: both errors say `make setup`."""
    monkeypatch.setattr(module, "_PROGRAM", tmp_path / "main.js")
    with pytest.raises(ChildError, match="Azurite is not installed: run `make setup`"):
        Azurite(log=tmp_path / "log").start()

    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ChildError, match=r"needs Node, .* run `make setup`"):
        Azurite(log=tmp_path / "log").start()
