"""Checks of request bodies: two passes, numbers as strings, secrets, and what they say of themselves."""

from collections.abc import Mapping
from typing import Any

import pytest

from batch_emulator.dataplane.job_bodies import read_job
from batch_emulator.dataplane.shapes import (
    Coverage,
    integer,
    items,
    kept,
    off,
    only,
    partly,
    secret,
    shape,
    text,
    unsupported,
)
from batch_emulator.errors import ServiceError, not_supported


def _refuse_query(path: str, value: object) -> None:
    if "?" in str(value):
        raise not_supported(f"property {path} with a query")


INNER = shape({"name": text, "key": secret, "mount": unsupported}, required=("name",))
BODY = shape(
    {
        "id": text,
        "count": integer(0, 9),
        "label": kept(text),
        "switch": off,
        "mode": only("none"),
        "tries": only(-1),
        "files": only([]),
        "url": partly(text, _refuse_query, "with a query"),
        "inner": INNER,
        "list": items(INNER, maximum=2),
    },
    required=("id",),
    title="body",
)


def _code(body: object) -> str:
    with pytest.raises(ServiceError) as refused:
        BODY("", body)
    return refused.value.code


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"other": 1}, "property other"),
        ({"count": "many", "list": [{}, {"mount": []}]}, "property list[1].mount"),
        ({"inner": {"mount": 1}}, "property inner.mount"),
        ({"switch": True}, "property switch with value true"),
        ({"mode": "all"}, "property mode with value 'all'"),
        ({"tries": "5"}, "property tries with value '5'"),
        ({"files": [1]}, "property files with value [1]"),
        ({"url": "a?b"}, "property url with a query"),
    ],
)
def test_what_is_not_supported_is_said_first(body: Mapping[str, object], named: str) -> None:
    """A body that lacks a required property, or has a wrong value, is first of all not supported."""
    with pytest.raises(ServiceError) as refused:
        BODY("", body)

    assert refused.value.code == "NotSupportedByEmulator"
    assert named in refused.value.text


MACHINE = {
    "vmSize": "Standard_D2ds_v5",
    "virtualMachineConfiguration": {
        "imageReference": {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"},
        "nodeAgentSKUId": "batch.node.ubuntu 24.04",
    },
}
OWN = {"poolLifetimeOption": "job", "pool": MACHINE}


def test_the_own_pool_of_a_job_has_the_defaults_of_pools() -> None:
    """As recorded: also its targets, unless it follows a formula."""
    scaled = MACHINE | {"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes=0"}
    pools = [
        read_job({"id": "job", "poolInfo": {"autoPoolSpecification": {**OWN, "pool": pool}}})[
            "poolInfo"
        ]["autoPoolSpecification"]
        for pool in (MACHINE, scaled)
    ]

    assert [pool["keepAlive"] for pool in pools] == [False, False]
    assert [pool["pool"].get("targetDedicatedNodes") for pool in pools] == [0, None]
    assert [pool["pool"]["taskSlotsPerNode"] for pool in pools] == [1, 1]


@pytest.mark.parametrize(
    ("pool_info", "code", "named"),
    [
        ({}, "MissingRequiredProperty", "poolInfo.poolId"),
        ({"poolId": "p", "autoPoolSpecification": OWN}, "InvalidPropertyValue", "poolInfo.poolId"),
        ({"autoPoolSpecification": {}}, "MissingRequiredProperty", "poolLifetimeOption"),
        (
            {"autoPoolSpecification": OWN | {"poolLifetimeOption": "jobSchedule"}},
            "InvalidPropertyValue",
            "poolLifetimeOption",
        ),
        (
            {"autoPoolSpecification": OWN | {"autoPoolIdPrefix": "x" * 21}},
            "InvalidPropertyValue",
            "autoPoolIdPrefix",
        ),
        (
            {"autoPoolSpecification": OWN | {"pool": MACHINE | {"vmSize": None}}},
            "MissingRequiredProperty",
            "autoPoolSpecification.pool.vmSize",
        ),
        (
            {"autoPoolSpecification": OWN | {"pool": MACHINE | {"applicationLicenses": ["x"]}}},
            "NotSupportedByEmulator",
            "autoPoolSpecification.pool.applicationLicenses",
        ),
    ],
)
def test_a_job_names_one_pool(pool_info: dict[str, Any], code: str, named: str) -> None:
    """By its id or by how it is to be made; what is wrong is named."""
    with pytest.raises(ServiceError) as refused:
        read_job({"id": "job", "poolInfo": pool_info})

    assert refused.value.code == code
    assert named in str(refused.value)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "MissingRequiredProperty"),
        ({"id": None}, "MissingRequiredProperty"),
        ({"id": "a", "inner": {}}, "MissingRequiredProperty"),
        ({"id": 1}, "InvalidPropertyValue"),
        ({"id": "a", "switch": "true"}, "InvalidPropertyValue"),
        ({"id": "a", "list": [{"name": "b"}] * 3}, "InvalidPropertyValue"),
        ([], "InvalidPropertyValue"),
    ],
)
def test_then_comes_what_the_service_refuses(body: object, code: str) -> None:
    """Where all is supported, the service's own codes are left."""
    assert _code(body) == code


@pytest.mark.parametrize(("given", "number"), [(0, 0), ("3", 3), ("07", 7), (9, 9)])
def test_a_number_can_come_as_a_string(given: object, number: int) -> None:
    """azure-cli sends numbers of flags as strings; what is kept is the number."""
    assert BODY("", {"id": "a", "count": given, "tries": "-1"}) == {
        "id": "a",
        "count": number,
        "tries": -1,
    }


@pytest.mark.parametrize("given", ["10", "-1", " 3", "3.0", "", "three", 2.5, True, [3]])
def test_what_spells_no_number_in_range(given: object) -> None:
    """Neither another string nor another type is taken for a number."""
    assert _code({"id": "a", "count": given}) == "InvalidPropertyValue"


def test_a_secret_is_checked_and_forgotten() -> None:
    """A secret is not in what is kept; if its type is wrong, the refusal does not hold it."""
    given = {"name": "b", "key": "hush"}

    assert BODY("", {"id": "a", "list": [given]}) == {"id": "a", "list": [{"name": "b"}]}
    with pytest.raises(ServiceError) as refused:
        BODY("", {"id": "a", "inner": {"name": "b", "key": ["hush"]}})
    assert "hush" not in str(refused.value)
    with pytest.raises(ServiceError) as refused:
        BODY("", {"id": "a", "list": given})
    assert "hush" not in str(refused.value)


def test_a_shape_says_what_it_does() -> None:
    """Each property is honoured, kept or refused; one that is refused in part is named twice."""
    assert BODY.details() == Coverage(
        honoured=("`id`", "`count`", "`url`", "`inner.name`", "`list.name`"),
        kept=("`label`", "`inner.key`", "`list.key`"),
        refused=(
            "`switch` other than `false`",
            "`mode` other than `none`",
            "`tries` other than `-1`",
            "`files`",
            "`url` with a query",
            "`inner.mount`",
            "`list.mount`",
        ),
    )
    assert [each.title for each in BODY.shapes()] == ["body"]
    assert shape({"one": BODY, "two": items(text)}).details().honoured == ("`one`", "`two`")
