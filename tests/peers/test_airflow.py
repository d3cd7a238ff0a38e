"""Airflow's hook for Azure Batch does its work on the emulator, step by step."""

from pathlib import Path

import pytest

from local.azurite import Azurite
from tests.peers.emulated_account import EmulatedAccount
from tests.peers.steps import Steps

_PYTHON = Path(__file__).parents[2] / ".venv-peers-airflow/bin/python"
_SCRIPT = Path(__file__).with_name("airflow_hook.py")
STEPS = (
    "test_connection",
    "configure_pool, latest image",
    "create_pool",
    "wait_for_all_node_state",
    "create_job",
    "add_single_task_to_job",
    "wait_for_job_tasks_to_complete",
    "add_single_task_to_job, one that fails",
    "wait_for_job_tasks_to_complete, one that fails",
)


@pytest.fixture(scope="module")
def hook(storage_for_all: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """Take all steps, each once, on an account of their own."""
    if not _PYTHON.exists():
        pytest.skip("Airflow is not installed; `make peers` does it")
    folder = tmp_path_factory.mktemp("airflow")
    with EmulatedAccount(folder / "nodes", storage_for_all.connection_string) as account:
        home = {"AIRFLOW_HOME": str(folder / "home")}
        steps = Steps.of_process([str(_PYTHON), str(_SCRIPT)], account.environment | home)
    print(steps.total("Airflow", STEPS))  # noqa: T201 - a number that people ask for
    return steps


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_taken(hook: Steps, name: str) -> None:
    """As a DAG would take it."""
    hook.check(name)


def test_the_steps_are_those_of_the_script(hook: Steps) -> None:
    """None is left out."""
    assert tuple(hook.failures) == STEPS
