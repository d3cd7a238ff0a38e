"""What `make up` refuses."""

import fcntl
import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["DATA_STORAGE_CONNECTION_STRING", "AzureWebJobsStorage"])
def test_settings_of_another_storage_are_refused(tmp_path: Path, name: str) -> None:
    """The functions would look where nothing is: the setting is named, with what it has to be."""
    sample = (_ROOT / "local.settings.sample.json").read_text()
    with ExitStack() as probes:  # both at once, so that they differ
        for port in ("10000", "10100"):
            probe = probes.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            sample = sample.replace(f":{port}", f":{probe.getsockname()[1]}")
    document = json.loads(sample)
    right = document["Values"][name]
    shown = right.replace("AccountKey=;", "AccountKey=...;")
    document["Values"][name] = right.replace("AccountName=recurlocal", "AccountName=other")
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps(document))
    assert document["Values"][name] != right

    ended = subprocess.run(
        [sys.executable, "-m", "local", "up", "--settings", settings, "--folder", tmp_path / "up"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    told = f"recur: {name} of {settings} does not match Azurite here, which has {shown}\n"
    assert (ended.returncode, ended.stderr) == (1, told)


@pytest.mark.parametrize(
    ("name", "before"),
    [
        (
            "local.settings.sample.json",
            "copy local.settings.sample.json to local.settings.json and ",
        ),
        ("local.settings.json", ""),
    ],
)
def test_a_port_in_use_names_the_file_to_change(tmp_path: Path, name: str, before: str) -> None:
    """Several settings hold a port, and the sample itself stays as it is."""
    sample = (_ROOT / "local.settings.sample.json").read_text()
    settings = tmp_path / name
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings.write_text(sample.replace(":10000", f":{port}"))
        ended = subprocess.run(
            [sys.executable, "-m", "local", "up", "--settings", settings, "--folder", tmp_path],
            cwd=_ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    remedy = f"{before}replace {port} in every setting of local.settings.json"
    assert ended.returncode == 1
    assert ended.stderr.endswith(f"(another `make up`?), or {remedy}\n")


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    """On other ports a second `make up` is refused before it deletes the nodes of the first."""
    kept = tmp_path / "nodes" / "recur" / "kept.txt"
    kept.parent.mkdir(parents=True)
    kept.touch()
    sample = (_ROOT / "local.settings.sample.json").read_text()
    settings = tmp_path / "settings.json"
    with ExitStack() as probes:
        for port in ("10000", "10100"):
            probe = probes.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            sample = sample.replace(f":{port}", f":{probe.getsockname()[1]}")
    settings.write_text(sample)
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        ended = subprocess.run(
            [sys.executable, "-m", "local", "up", "--settings", settings, "--folder", tmp_path],
            cwd=_ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(folder)

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"recur: {tmp_path} is in use by another `make up`: stop it")
    assert kept.exists()
