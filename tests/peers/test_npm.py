"""Microsoft's client for JavaScript takes what the emulator answers, call by call."""

import re
import shutil
from pathlib import Path

import pytest

from local.azurite import Azurite
from tests.peers.emulated_account import EmulatedAccount
from tests.peers.steps import Steps
from tests.recordings.stage import package

_FOLDER = Path(__file__).with_name("npm")
_SCRIPT = _FOLDER / "calls.mjs"
CALLS = re.findall(r'^    "(\w+\.\w+[^"]*)":', _SCRIPT.read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def calls(storage_for_all: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """Make all calls, each once, on an account of their own."""
    node = shutil.which("node")
    if not node or not (_FOLDER / "node_modules").exists():
        pytest.skip("@azure/batch is not installed; `make peers` does it")
    folder = tmp_path_factory.mktemp("npm")
    packages = (package(folder),)
    storage = storage_for_all.connection_string
    with EmulatedAccount(folder / "nodes", storage, packages) as account:
        steps = Steps.of_process([node, str(_SCRIPT)], account.environment)
    print(steps.total("npm @azure/batch", CALLS))  # noqa: T201 - a number that people ask for
    return steps


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_answered(calls: Steps, name: str) -> None:
    """And holds what the script expects."""
    calls.check(name)
