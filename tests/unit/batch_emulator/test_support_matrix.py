"""The table of what is supported says what the server does."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from batch_emulator.dataplane.operations import OPERATIONS
from batch_emulator.dataplane.property_rows import BODIES
from batch_emulator.faults.changes import CHANGES
from batch_emulator.faults.incidents import INCIDENTS
from batch_emulator.faults.rules import KINDS
from batch_emulator.support_matrix import COMMAND, SUPPORT, with_tables

type Json = dict[str, Any]


@pytest.fixture
def schema() -> Json:
    """Return what azure-batch 15.1 can send and read."""
    if not (folder := os.environ.get("RECUR_ORACLES")):
        pytest.skip("RECUR_ORACLES names no folder of facts about the real service")
    file = Path(folder, "openapi/azure-batch-15.1_2025-06-01.derived.schema.json")
    read: Json = json.loads(file.read_text())
    return read


def test_the_tables_are_up_to_date() -> None:
    """The tables of operations and properties are what the server's own tables say."""
    text = SUPPORT.read_text()

    assert with_tables(text) == text, f"the tables are stale: run `{COMMAND}`"


def test_the_command_mends_a_stale_table() -> None:
    """Whatever is between the markers is replaced; without markers nothing is written."""
    text = SUPPORT.read_text()
    row = next(line for line in text.split("\n") if line.startswith("| `create_pool` |"))
    stale = text.replace(row, row.replace("supported", "refused"))

    assert stale != text
    assert with_tables(stale) == text
    with pytest.raises(ValueError, match="end of properties"):
        with_tables(text.replace("<!-- end of properties -->", ""))


def test_the_makefile_knows_the_command() -> None:
    """What the failing test says to run is a target that runs the generator."""
    makefile = SUPPORT.parents[1].joinpath("Makefile").read_text()
    target = COMMAND.partition(" ")[2]

    assert re.search(rf"^{target}:.*\n\t.*batch_emulator\.support_matrix$", makefile, re.MULTILINE)


MODELS = {
    "pool": "BatchPoolCreateOptions",
    "pool of a job": "BatchPoolSpecification",
    "start task": "BatchStartTask",
    "job": "BatchJobCreateOptions",
    "job manager task": "BatchJobManagerTask",
    "job preparation task": "BatchJobPreparationTask",
    "job release task": "BatchJobReleaseTask",
    "job schedule": "BatchJobScheduleCreateOptions",
    "job specification": "BatchJobSpecification",
    "task": "BatchTaskCreateOptions",
    "output file": "OutputFile",
    "resource file": "ResourceFile",
}


def test_every_property_of_the_client_is_known(schema: Json) -> None:
    """Whatever azure-batch 15.1 can send is honoured, kept or refused by its name."""
    shapes = {shape.title: shape for body in BODIES for shape in body.shapes()}
    unnamed = {
        title: set(schema["$defs"][MODELS[title]]["properties"]) - shape.names
        for title, shape in shapes.items()
    }

    assert unnamed == {title: set() for title in shapes}


def test_the_table_of_faults_lists_every_kind() -> None:
    """Each kind of rule has a row with the fields that it has beside those of every rule."""
    section = SUPPORT.read_text().partition("## Faults on demand")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|([^|]*)\|", section, re.MULTILINE))

    assert {kind: sorted(re.findall(r"`(\w+)`", row)) for kind, row in rows.items()} == {
        kind: sorted(fields) for kind, fields in KINDS.items()
    }


def test_every_change_has_a_row() -> None:
    """And no row is of a change that nothing answers."""
    section = SUPPORT.read_text().partition("## Faults on demand")[2].partition("\n## ")[0]
    rows = re.findall(
        r"^\| `POST /emulator/(\w+)/\{\w+\}(/tasks/\{\w+\})?/([\w-]+)`", section, re.MULTILINE
    )

    assert sorted(("tasks" if task else kind, what) for kind, task, what in rows) == sorted(
        (kind, what) for kind, changes in CHANGES.items() for what in changes
    )


def test_every_incident_is_brought_about_by_a_fault_that_there_is() -> None:
    """Or its row says what does it without one."""
    known = {*KINDS, *(f"{kind}/{what}" for kind, changes in CHANGES.items() for what in changes)}

    assert [*INCIDENTS] == [*range(1, 24)]
    assert {fault for one in INCIDENTS.values() for fault in one.faults} <= known
    without = {number for number, one in INCIDENTS.items() if not one.faults}
    assert without == {20}
    assert INCIDENTS[20].how.startswith("no fault: ")


def test_every_operation_of_the_client_is_known(schema: Json) -> None:
    """Nothing that azure-batch 15.1 can ask for is missing from the table."""
    known = schema["operations"]

    assert {(item.method, item.path) for item in OPERATIONS} == {
        (item["method"], item["path"]) for item in known.values()
    }
