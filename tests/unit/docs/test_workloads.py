"""docs/workloads.md and workload/README.md say what a package holds, and which Python runs it."""

import json
import re
from pathlib import Path

from recur.publishing.left_out import IGNORE_FILE, NEVER

_ROOT = Path(__file__).parents[3]
_PAGE = (_ROOT / "docs/workloads.md").read_text()
_PYTHON = {"ubuntu-24_04-lts": "Ubuntu 24.04, which has Python 3.12"}
"""The image of the pool, and its `python3` (packages.ubuntu.com, noble)."""


def test_what_is_left_out_of_a_package_is_listed() -> None:
    """Every name, and no other."""
    (table,) = re.findall(r"^\| left out \|.*?\n\n", _PAGE, re.MULTILINE | re.DOTALL)

    assert {*re.findall(r"`([^`]+)`", table), IGNORE_FILE} == {*NEVER}


def test_the_python_of_the_nodes_is_documented() -> None:
    """The image of the pool, and the oldest that the start task takes."""
    page = " ".join((_ROOT / "workload/README.md").read_text().split())
    pool = json.loads((_ROOT / "infra/pool/pool.json").read_text())
    image = pool["deploymentConfiguration"]["virtualMachineConfiguration"]["imageReference"][
        "offer"
    ]
    setup = (_ROOT / "workload/pythonsetup/setup.sh").read_text()
    (major, minor) = re.findall(r"sys\.version_info < \((\d), (\d+)\)", setup)[0]

    assert f"Nodes in Azure run {_PYTHON[image]}." in page
    assert f"must be {major}.{minor} or newer" in page
