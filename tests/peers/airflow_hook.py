"""
What Airflow's hook for Azure Batch does, step by step, on an account that the environment names.

Run by the Python that has Airflow. Writes a line of JSON per step: its name, and what went wrong, if
anything did.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

_WORDS = {"vm_size": "Standard_D2s_v3", "vm_publisher": "canonical", "sku_starts_with": "server"}
_OFFER = "ubuntu-24_04-lts"


class UnexpectedError(Exception):
    """The hook has returned what it should not."""


def _expect(truth: object, what: object) -> None:
    if not truth:
        raise UnexpectedError(str(what))


def _steps(hook: Any, models: Any) -> Iterator[tuple[str, Callable[[], object]]]:  # noqa: ANN401
    made: dict[str, Any] = {}

    def connect() -> None:
        connected, said = hook.test_connection()
        _expect(connected, said)

    def configure_pool() -> None:
        made["pool"] = hook.configure_pool(
            pool_id="pool",
            vm_node_agent_sku_id="batch.node.ubuntu 24.04",
            vm_offer=_OFFER,
            target_dedicated_nodes=1,
            use_latest_image_and_sku=True,
            **_WORDS,
        )

    def wait_for_tasks(job: str, failing: list[str]) -> None:
        failed = hook.wait_for_job_tasks_to_complete(job, timeout=2)
        _expect([task.id for task in failed] == failing, failed)

    def add(job: str, task: str, command: str) -> None:
        hook.create_job(hook.configure_job(job_id=job, pool_id="pool"))
        hook.add_single_task_to_job(job, hook.configure_task(task_id=task, command_line=command))

    yield "test_connection", connect
    yield "configure_pool, latest image", configure_pool
    yield "create_pool", lambda: hook.create_pool(made["pool"])
    yield (
        "wait_for_all_node_state",
        lambda: hook.wait_for_all_node_state("pool", {models.BatchNodeState.IDLE}),
    )
    yield "create_job", lambda: hook.create_job(hook.configure_job(job_id="job", pool_id="pool"))
    yield "add_single_task_to_job", lambda: add("job", "task", "/bin/sh -c 'echo hello'")
    yield "wait_for_job_tasks_to_complete", lambda: wait_for_tasks("job", [])
    yield (
        "add_single_task_to_job, one that fails",
        lambda: add("bad", "task", "/bin/sh -c 'exit 3'"),
    )
    yield "wait_for_job_tasks_to_complete, one that fails", lambda: wait_for_tasks("bad", ["task"])


def main() -> None:
    """Take every step."""
    # Loaded by name: linters and type checkers run where it is not installed.
    hooks = importlib.import_module("airflow.providers.microsoft.azure.hooks.batch")
    models = importlib.import_module("azure.batch.models")
    sleep = importlib.import_module("time").sleep
    hooks.time.sleep = lambda _: sleep(0.1)  # the hook waits 10 and 15 s between its looks
    os.environ["AIRFLOW_CONN_AZURE_BATCH_DEFAULT"] = json.dumps(
        {
            "conn_type": "azure_batch",
            "login": os.environ["BATCH_ACCOUNT"],
            "password": os.environ["BATCH_KEY"],
            "extra": {"account_url": os.environ["BATCH_ENDPOINT"]},
        }
    )
    answers = sys.stdout
    sys.stdout = sys.stderr  # Airflow's log
    for name, step in _steps(hooks.AzureBatchHook(), models):
        failure = ""
        try:
            step()
        except Exception as error:  # noqa: BLE001 - of a client of others
            failure = f"{type(error).__name__}: {error}"
        answers.write(json.dumps({"step": name, "failure": failure[:600]}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
