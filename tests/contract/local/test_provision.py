"""Local provisioning, seen through the official clients."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.errors import LocalError
from local.laptop import Laptop, LaptopOptions
from local.provision import (
    make_containers,
    make_pool,
    pool_resource,
    put_document,
    sample_document,
)
from orchestrator.document.parse import parse
from recur.arm import BatchArm
from recur.target import Target

_ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory, told: list[str]) -> Iterator[Laptop]:
    options = LaptopOptions(folder=tmp_path_factory.mktemp("laptop"))
    with Laptop(options, tell=told.append, pause=time.sleep) as running:
        yield running


def _versions(laptop: Laptop) -> dict[str, str]:
    references = laptop.batch.get_pool("recur").application_package_references or ()
    return {found.application_id: str(found.version) for found in references}


def _arm(laptop: Laptop) -> BatchArm:
    return BatchArm.of(Target(source="this test", values=laptop.settings))


def test_the_pool_is_the_one_of_the_deployment(laptop: Laptop) -> None:
    """Image, size, formula and packages come from the files that also make the pool in Azure."""
    pool = laptop.batch.get_pool("recur")

    assert pool.enable_auto_scale
    formula = (_ROOT / "infra/pool/autoscale.formula").read_text()
    assert pool.auto_scale_formula == formula
    assert pool.auto_scale_evaluation_interval == timedelta(minutes=5)
    assert pool.virtual_machine_configuration
    assert pool.virtual_machine_configuration.node_agent_sku_id == "batch.node.ubuntu 24.04"
    assert pool.start_task
    assert pool.start_task.wait_for_success
    assert (pool.current_dedicated_nodes, pool.current_low_priority_nodes) == (0, 0)
    versions = _versions(laptop)
    assert set(versions) == {"pythonsetup", "pythonscript"}
    assert all(re.fullmatch(r"v[0-9a-f]{12}", version) for version in versions.values())


def test_provisioning_again_keeps_the_pool_and_gives_it_what_changed(laptop: Laptop) -> None:
    """The pool is the same one, with other properties and the same nodes."""
    arm = _arm(laptop)
    resource = pool_resource(arm.id, _versions(laptop))
    created = laptop.batch.get_pool("recur").creation_time

    assert make_pool(arm, resource) == "brought up to date"
    changed = resource | {"properties": resource["properties"] | {"taskSlotsPerNode": 2}}
    assert make_pool(arm, changed) == "brought up to date"
    pool = laptop.batch.get_pool("recur")
    assert (pool.creation_time, pool.task_slots_per_node) == (created, 2)
    make_pool(arm, resource)


def test_what_batch_refuses_is_told_in_its_words(laptop: Laptop) -> None:
    """A wrong formula is an error of provisioning, not a traceback."""
    arm = _arm(laptop)
    resource = pool_resource(arm.id, _versions(laptop))
    resource["properties"]["scaleSettings"] = {"autoScale": {"formula": "$Nodes = ;"}}

    with pytest.raises(LocalError, match=r"pool other: .*AutoScalingFormulaSyntaxError"):
        make_pool(arm, resource, "other")


def test_what_was_done_is_told(laptop: Laptop, told: list[str]) -> None:
    """One sentence each, with addresses and versions."""
    assert laptop.settings["DATA_STORAGE_URL"] in told[0]
    assert laptop.settings["BATCH_ACCOUNT_URL"] in told[1]
    versions = _versions(laptop)
    assert set(told[2:4]) == {f"publishing {name} {versions[name]}" for name in versions}
    shown = f"pythonsetup {versions['pythonsetup']}, pythonscript {versions['pythonscript']}"
    assert told[4] == f"pool recur: made, with {shown}"


def test_containers_are_made_once(laptop: Laptop) -> None:
    """Those of the product are there, and nothing is said to be made that was."""
    assert make_containers(laptop.storage, ["ledger", "new-one", "outputs"]) == ["new-one"]
    assert make_containers(laptop.storage, ["new-one"]) == []


def test_a_schedule_document_that_is_there_is_kept(laptop: Laptop) -> None:
    """What somebody wrote is not overwritten unless asked for."""
    assert put_document(laptop.storage, "ledger", "one = 1")
    assert not put_document(laptop.storage, "ledger", "two = 2")
    blob = laptop.storage.get_blob_client("ledger", "schedules.toml")
    assert blob.download_blob().readall() == b"one = 1"

    assert put_document(laptop.storage, "ledger", "two = 2", overwrite=True)
    assert blob.download_blob().readall() == b"two = 2"


def test_the_local_schedule_is_valid_and_due_at_once() -> None:
    """The product reads it without a problem, as it stands and with the demo's values."""
    plain = parse((_ROOT / "local/schedules.toml").read_text())
    demo = parse(sample_document(minutes_back=2, cron='"* * * * *"', paused="true"))

    assert plain.problems == demo.problems == ()
    (schedule,) = demo.schedules.values()
    assert schedule.paused
    assert schedule.start
    assert timedelta(minutes=1) < datetime.now(UTC) - schedule.start < timedelta(minutes=3)
    with pytest.raises(LocalError, match="one line 'color'"):
        sample_document(minutes_back=2, color='"red"')
