"""The table of what is supported says what the server does."""

import json
import os
import re
from pathlib import Path

import pytest

from batch_emulator.dataplane.operations import OPERATIONS
from batch_emulator.faults.rules import KINDS

SUPPORT = Path(__file__).parents[3] / "batch_emulator/SUPPORT.md"
ROW = re.compile(r"\| `(\w+)` \| `([A-Z]+) (\S+)` \| (supported|refused) \|")


def test_the_table_lists_every_operation() -> None:
    """Each operation that the server registers has a row, with its path and whether it works."""
    rows = ROW.findall(SUPPORT.read_text())
    registered = [
        (item.name, item.method, item.path, "supported" if item.handler else "refused")
        for item in OPERATIONS
    ]

    assert sorted(rows) == sorted(registered)


def test_the_table_of_faults_lists_every_kind() -> None:
    """Each kind of rule has a row with the fields that it has beside those of every rule."""
    section = SUPPORT.read_text().partition("## Faults on demand")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|([^|]*)\|", section, re.MULTILINE))

    assert {kind: sorted(re.findall(r"`(\w+)`", row)) for kind, row in rows.items()} == {
        kind: sorted(fields) for kind, fields in KINDS.items()
    }


def test_every_operation_of_the_client_is_known() -> None:
    """Nothing that azure-batch 15.1 can ask for is missing from the table."""
    if not (folder := os.environ.get("RECUR_ORACLES")):
        pytest.skip("RECUR_ORACLES names no folder of facts about the real service")
    schema = Path(folder, "openapi/azure-batch-15.1_2025-06-01.derived.schema.json")
    known = json.loads(schema.read_text())["operations"]

    assert {(item.method, item.path) for item in OPERATIONS} == {
        (item["method"], item["path"]) for item in known.values()
    }
