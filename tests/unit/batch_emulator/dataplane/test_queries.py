"""Query parameters of lists and gets: parts of resources, and which operation takes what."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_emulator.dataplane.filter_fields import FILTERED
from batch_emulator.dataplane.operations import SUPPORTED
from batch_emulator.dataplane.properties import PROPERTIES, Properties
from batch_emulator.dataplane.query import selection, selects_statistics
from batch_emulator.errors import ServiceError

type Json = dict[str, Any]

MODELS = {
    "pools": "BatchPool",
    "nodes": "BatchNode",
    "jobs": "BatchJob",
    "tasks": "BatchTask",
    "jobschedules": "BatchJobSchedule",
    "jobpreparationandreleasetaskstatuslist": "BatchJobPreparationAndReleaseTaskStatus",
    "extensions": "BatchNodeVMExtension",
}
KNOWN: Properties = {
    "id": {},
    "state": {},
    "info": {"code": {}, "node": {"id": {}, "url": {}}},
    "pairs": {"name": {}},
}
WHOLE = {
    "id": "one",
    "info": {"code": 0, "node": {"id": "n", "url": "u"}, "more": 1},
    "pairs": [{"name": "a", "value": "b"}, {"name": "c", "value": "d"}],
    "state": "active",
}


@pytest.fixture
def schema() -> Json:
    """Return what azure-batch 15.1 can send and read."""
    if not (folder := os.environ.get("RECUR_ORACLES")):
        pytest.skip("RECUR_ORACLES names no folder of facts about the real service")
    file = Path(folder, "openapi/azure-batch-15.1_2025-06-01.derived.schema.json")
    read: Json = json.loads(file.read_text())
    return read


def selected(names: str) -> Json:
    return selection({"$select": names}, KNOWN)(WHOLE)


@pytest.mark.parametrize(
    ("names", "part"),
    [
        ("", WHOLE),
        ("id", {"id": "one"}),
        (" state , id ", {"id": "one", "state": "active"}),
        ("info/code", {"info": {"code": 0}}),
        ("info/node/url,id", {"id": "one", "info": {"node": {"url": "u"}}}),
        ("info/node/url,info/node", {"info": {"node": {"id": "n", "url": "u"}}}),
        ("info/node,info/node/url", {"info": {"node": {"id": "n", "url": "u"}}}),
        ("info/code,info", {"info": WHOLE["info"]}),
        ("pairs/name", {"pairs": [{"name": "a"}, {"name": "c"}]}),
    ],
)
def test_parts_of_a_resource(names: str, part: Json) -> None:
    """In the order of the resource; the whole of a property goes before parts of it."""
    assert selected(names) == part
    assert list(selected(names)) == [name for name in WHOLE if name in part]


@pytest.mark.parametrize(
    "name", ["colour", "ID", "info/colour", "id/x", "info/", "/id", "info//code"]
)
def test_an_unknown_name_is_refused(name: str) -> None:
    """Names of properties count their case."""
    with pytest.raises(ServiceError) as caught:
        selected(f"id,{name}")

    assert caught.value.code == "InvalidQueryParameterValue"
    assert dict(caught.value.values)["Reason"] == f"Not a property of the resource: {name}"


PATHS = ["id", "state", "info", "info/code", "info/node", "info/node/id", "pairs", "pairs/name"]


@given(
    st.lists(st.sampled_from(PATHS), min_size=1).flatmap(
        lambda names: st.tuples(st.just(names), st.permutations(names))
    )
)
def test_the_order_of_names_does_not_count(names: tuple[list[str], list[str]]) -> None:
    """Nor does naming one twice."""
    first, second = names

    assert selected(",".join(first)) == selected(",".join(second * 2))


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ({}, False),
        ({"$expand": "stats"}, True),
        ({"$select": "id"}, False),
        ({"$select": "id, stats"}, True),
        ({"$select": "stats/url"}, True),
        ({"$select": "id", "$expand": "stats"}, False),
        ({"$select": "id,stats", "$expand": "stats"}, True),
    ],
)
def test_who_asks_for_statistics(query: dict[str, str], asked: bool) -> None:
    """``$select`` has the last word, as in recorded calls of the service."""
    assert selects_statistics(query) is asked


def test_selectable_properties_are_the_services(schema: Json) -> None:
    """What ``$select`` may name is what the service's resource has, however deep."""
    definitions = schema["$defs"]

    def known(shape: Json) -> Properties:
        if "$ref" in shape:
            return known(definitions[shape["$ref"].rpartition("/")[2]])
        if "items" in shape:
            return known(shape["items"])
        return {name: known(inner) for name, inner in shape.get("properties", {}).items()}

    for kind, name in MODELS.items():
        assert PROPERTIES[kind] == known(definitions[name]), kind


def test_operations_take_the_options_of_the_service(schema: Json) -> None:
    """``$filter``, ``$select`` and ``$expand`` where azure-batch has them, and nowhere else."""
    options = ("$filter", "$select", "$expand")
    operations = {name: json.dumps(shape) for name, shape in schema["operations"].items()}

    for operation in SUPPORTED:
        text = operations.get(operation.name, operations.get(f"begin_{operation.name}", ""))
        taken = {option for option in options if option in operation.query}
        assert taken == {option for option in options if f'"{option}"' in text}, operation.name


def test_every_list_that_is_filtered_says_by_what() -> None:
    """The table of ``SUPPORT.md`` leaves none out."""
    lists = {operation.name for operation in SUPPORTED if "$filter" in operation.query}

    assert {name for names in FILTERED for name in names} == lists
