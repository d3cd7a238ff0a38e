"""What the demo sees of a run, through the official clients: pool, node, job, task, record."""

import json
from typing import Any

from azure.batch.models import BatchNode, BatchPool, BatchTask
from azure.core.exceptions import HttpResponseError

from local.display import Scene
from local.laptop import Laptop
from orchestrator.adapters.calls import enum_word

_NOT_FOUND = 404
_TASK = "main"
_ID_SHOWN = 14  # of the 70 characters of a node id


class Watch:
    """
    One schedule's first run on a laptop.

    Attributes:
        laptop: Where it runs.
        run_id: The run, once it is submitted.
        record: Its final record, once it is final.
        record_blob: The name of that record's blob.
        nodes: How many nodes the pool has.
    """

    def __init__(self, laptop: Laptop, schedule: str) -> None:
        self.laptop = laptop
        self.run_id: str | None = None
        self.record: dict[str, Any] | None = None
        self.record_blob = ""
        self.nodes = 0
        self._schedule = schedule

    def look(self) -> Scene:
        """Look once at everything."""
        batch = self.laptop.batch
        pool = batch.get_pool(self.laptop.settings["BATCH_POOL_ID"])
        nodes = list(batch.list_nodes(pool.id))
        self.nodes = (pool.current_dedicated_nodes or 0) + (pool.current_low_priority_nodes or 0)
        job, task = self._job()
        self.record = self.record or self._final_record()
        return Scene(
            pool=_pool_line(pool),
            node=", ".join(map(_node_line, nodes)) or "none",
            job=job,
            task=task,
            record=self._record(),
        )

    def _job(self) -> tuple[str, str]:
        """Return what the run's job and its task are doing."""
        job = next(iter(self.laptop.batch.list_jobs()), None)
        if job is None:
            return "none yet", "-"
        self.run_id = job.id
        reason = job.execution_info.termination_reason if job.execution_info else None
        try:
            task = _task_line(self.laptop.batch.get_task(job.id, _TASK))
        except HttpResponseError as error:
            if error.status_code != _NOT_FOUND:
                raise
            task = "-"
        return f"{job.id} {enum_word(job.state)}" + (f" ({reason})" if reason else ""), task

    def _final_record(self) -> dict[str, Any] | None:
        ledger = self.laptop.storage.get_container_client(self.laptop.settings["LEDGER_CONTAINER"])
        names = ledger.list_blob_names(name_starts_with=f"runs/{self._schedule}/")
        name = next((name for name in names if name.endswith(f"/{self.run_id}.json")), None)
        if name is None:
            return None
        self.record_blob = name
        record: dict[str, Any] = json.loads(ledger.download_blob(name).readall())
        return record

    def _record(self) -> str:
        if self.record:
            return f"final: {self.record['outcome']}"
        return "open" if self.run_id else "none yet"


def _pool_line(pool: BatchPool) -> str:
    current = (pool.current_dedicated_nodes or 0) + (pool.current_low_priority_nodes or 0)
    target = (pool.target_dedicated_nodes or 0) + (pool.target_low_priority_nodes or 0)
    nodes = "1 node" if current == 1 else f"{current} nodes"
    return f"{nodes}, {target} wanted, {enum_word(pool.allocation_state)}"


def _node_line(node: BatchNode) -> str:
    return f"{node.id[:_ID_SHOWN]}... {enum_word(node.state)}"


def _task_line(task: BatchTask) -> str:
    info = task.execution_info
    if info is None or info.exit_code is None:
        return str(enum_word(task.state))
    return f"{enum_word(task.state)}, exit code {info.exit_code}"
