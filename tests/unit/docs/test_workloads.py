"""docs/workloads.md says what a package holds."""

import re
from pathlib import Path

from recur.publishing.left_out import IGNORE_FILE, NEVER

_PAGE = (Path(__file__).parents[3] / "docs/workloads.md").read_text()


def test_what_is_left_out_of_a_package_is_listed() -> None:
    """Every name, and no other."""
    (table,) = re.findall(r"^\| left out \|.*?\n\n", _PAGE, re.MULTILINE | re.DOTALL)

    assert {*re.findall(r"`([^`]+)`", table), IGNORE_FILE} == {*NEVER}
