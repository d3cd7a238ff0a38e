"""The hooks of azd, as azd runs them: a Python, a script, an environment. Only azd is played."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from local.azurite import Azurite
from local.laptop import Laptop, LaptopOptions
from orchestrator.document.parse import parse
from orchestrator.duration_text import duration_text
from recur.publishing.packaging import build_all
from recur.role_waiting import LIMIT
from tests.conftest import Containers
from tests.support.arm_account import ArmAccount

_ROOT = Path(__file__).parents[3]
_PLAYED = """#!/bin/sh
for word; do printf '%s\\n' "$word"; done > "$0.called"
"""


@pytest.fixture
def azd(tmp_path: Path) -> Path:
    """Return an azd that writes down how it was called."""
    played = tmp_path / "bin/azd"
    played.parent.mkdir()
    played.write_text(_PLAYED)
    played.chmod(0o755)
    return played


def _run(
    root: Path, hook: str, azd: Path | None, values: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a hook with the values of azd's environment, in the script's folder as azd does."""
    path = f"{azd.parent}:{os.environ['PATH']}" if azd else os.environ["PATH"]
    script = root / "infra/hooks" / hook
    return subprocess.run(
        [sys.executable, str(script)],
        cwd=script.parent,
        env={**os.environ, **values, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    options = LaptopOptions(folder=tmp_path_factory.mktemp("laptop"))
    with Laptop(options, tell=lambda _: None, pause=time.sleep) as running:
        yield running


def test_the_pool_is_told_what_was_published(laptop: Laptop, azd: Path, tmp_path: Path) -> None:
    """The versions of the packages, in the environment that azd was called for."""
    built = build_all(_ROOT / "workload", tmp_path / "packages")

    ended = _run(_ROOT, "publish.py", azd, {**laptop.settings, "AZURE_ENV_NAME": "prod"})

    assert ended.returncode == 0, ended.stderr
    *words, versions, option, environment = azd.with_name("azd.called").read_text().splitlines()
    assert [*words, option, environment] == [
        "env", "set", "PACKAGE_VERSIONS", "--environment", "prod",
    ]  # fmt: skip
    assert json.loads(versions) == {package.name: package.version for package in built}
    assert all(package.version in ended.stdout for package in built)


def test_a_role_that_core_has_just_given_is_waited_for(
    azurite: Azurite, azd: Path, tmp_path: Path
) -> None:
    """The hook has 30 minutes for it; then the packages are published."""
    with ArmAccount(azurite, tmp_path / "nodes") as account:
        account.deny(whose="account", operation="application_package.create", times=1)

        ended = _run(_ROOT, "publish.py", azd, account.settings)

    assert ended.returncode == 0, ended.stderr
    assert f"to take effect: {duration_text(LIMIT)} left" in ended.stderr
    assert azd.with_name("azd.called").exists()


def test_nothing_goes_on_after_a_failure(azd: Path) -> None:
    """What cannot be published stops azd, with its reason; the pool is not told anything."""
    ended = _run(_ROOT, "publish.py", azd, {"BATCH_ACCOUNT_URL": "https://example.invalid"})

    assert ended.returncode == 3
    assert "recur: " in ended.stderr
    assert not azd.with_name("azd.called").exists()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of what the hooks use, in which there is no schedules.toml yet."""
    root = tmp_path / "checkout"
    for folder in ("recur", "orchestrator", "infra/hooks", "infra/pool"):
        ignored = shutil.ignore_patterns("*_env")
        shutil.copytree(_ROOT / folder, root / folder, ignore=ignored)
    shutil.copy(_ROOT / "infra/__init__.py", root / "infra")
    shutil.copy(_ROOT / "schedules.sample.toml", root)
    return root


def _values(containers: Containers) -> dict[str, str]:
    return {
        "DATA_STORAGE_CONNECTION_STRING": containers.connection_string,
        "LEDGER_CONTAINER": containers.ledger,
    }


def _in_force(containers: Containers) -> str:
    with BlobServiceClient.from_connection_string(containers.connection_string) as storage:
        blob = storage.get_blob_client(containers.ledger, "schedules.toml")
        return blob.download_blob().readall().decode()


def test_a_first_deployment_runs_nothing(checkout: Path, containers: Containers) -> None:
    """The document in force is valid and every schedule in it paused; the hook says what next."""
    ended = _run(checkout, "apply.py", None, _values(containers))

    assert ended.returncode == 0, ended.stderr
    document = parse(_in_force(containers))
    assert document.problems == ()
    assert document.schedules
    assert all(schedule.paused for schedule in document.schedules.values())
    assert "Nothing runs yet" in ended.stdout


def test_the_operator_s_document_is_applied(checkout: Path, containers: Containers) -> None:
    """It stands for itself: the sample that was in force before is replaced by it."""
    _run(checkout, "apply.py", None, _values(containers))
    text = '[schedules.mine]\ncron = "0 2 * * *"\ncommand = "true"\n'
    (checkout / "schedules.toml").write_text(text)

    ended = _run(checkout, "apply.py", None, _values(containers))

    assert ended.returncode == 0, ended.stderr
    assert _in_force(containers) == text


def test_schedules_applied_from_elsewhere_stay(checkout: Path, containers: Containers) -> None:
    """A deployment of code from another folder must not undo them."""
    text = '[schedules.mine]\ncron = "0 2 * * *"\ncommand = "true"\n'
    with BlobServiceClient.from_connection_string(containers.connection_string) as storage:
        storage.get_blob_client(containers.ledger, "schedules.toml").upload_blob(text.encode())

    ended = _run(checkout, "apply.py", None, _values(containers))

    assert ended.returncode == 0, ended.stderr
    assert _in_force(containers) == text
    assert "the schedules in force stay" in ended.stdout


def test_a_document_that_lacks_schedules_in_force_fails_the_deployment(
    checkout: Path, containers: Containers
) -> None:
    """Somebody else may have applied them; the words say how to remove them."""
    both = '[schedules.mine]\ncron = "0 2 * * *"\ncommand = "true"\n'
    (checkout / "schedules.toml").write_text(both + both.replace("mine", "theirs"))
    _run(checkout, "apply.py", None, _values(containers))
    (checkout / "schedules.toml").write_text(both)

    ended = _run(checkout, "apply.py", None, _values(containers))

    assert ended.returncode == 2
    assert "theirs" in ended.stderr
    assert "--remove" in ended.stderr
    assert "theirs" in _in_force(containers)


def test_an_invalid_document_fails_the_deployment(checkout: Path, containers: Containers) -> None:
    """With every problem, and without touching what is in force."""
    _run(checkout, "apply.py", None, _values(containers))
    before = _in_force(containers)
    (checkout / "schedules.toml").write_text('[schedules.mine]\ncron = "99 2 * * *"\n')

    ended = _run(checkout, "apply.py", None, _values(containers))

    assert ended.returncode == 3
    assert "mine" in ended.stderr
    assert _in_force(containers) == before
