"""The command line answers at once: what a command does not need is not loaded for it."""

import subprocess
import sys

import pytest

_LOADS = """
import sys
from recur.app import main
sys.argv = ["recur", *sys.argv[1:]]
try:
    main()
except SystemExit as ended:
    print("exit", ended.code)
print(*sorted(name for name in ("azure.batch", "azure.identity", "azure.storage.blob") if name in sys.modules))
"""


@pytest.mark.parametrize(
    "typed",
    [
        ["--version"],
        ["validate", "no-such-file.toml"],
        ["convert", "0 2 * * *"],
        ["no-such-command"],
    ],
    ids=" ".join,
)
def test_no_client_is_loaded_without_a_deployment(typed: list[str]) -> None:
    """Loading them takes longer than all the rest."""
    ended = subprocess.run(
        [sys.executable, "-c", _LOADS, *typed], capture_output=True, text=True, check=True
    )

    *_, code, loaded = ended.stdout.splitlines()
    assert code.startswith("exit ")
    assert loaded == ""
