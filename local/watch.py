"""What the demo sees through the official clients: the pool, and one run of each schedule."""

import json
from collections.abc import Sequence
from typing import Any

from azure.batch.models import BatchJob, BatchPool
from azure.core.exceptions import HttpResponseError

from local.display import Scene
from local.laptop import Laptop
from orchestrator import ids
from orchestrator.adapters.calls import enum_word

_NOT_FOUND = 404
_TASK = "main"
_STARTING = frozenset({"creating", "starting", "waitingforstarttask"})
_WORDS = {"idle": "ready", "running": "ready", "leavingpool": "leaving"}


class Watch:
    """
    The only run of each of some schedules on a laptop.

    Attributes:
        laptop: Where they run.
        runs: By schedule: the run, once it is submitted.
        records: By schedule: its final record, once it is final.
        blobs: By schedule: the name of that record's blob.
        nodes: How many nodes the pool has.
    """

    def __init__(self, laptop: Laptop, schedules: Sequence[str]) -> None:
        self.laptop = laptop
        self.runs: dict[str, str] = {}
        self.records: dict[str, dict[str, Any]] = {}
        self.blobs: dict[str, str] = {}
        self.nodes = 0
        self._schedules = schedules

    @property
    def submitted(self) -> bool:
        """Whether every schedule has its run."""
        return len(self.runs) == len(self._schedules)

    @property
    def ended(self) -> bool:
        """Whether every run has its final record."""
        return len(self.records) == len(self._schedules)

    def look(self) -> Scene:
        """Look once at everything."""
        pool = self.laptop.batch.get_pool(self.laptop.settings["BATCH_POOL_ID"])
        self.nodes = (pool.current_dedicated_nodes or 0) + (pool.current_low_priority_nodes or 0)
        scene = {"pool": self._pool_line(pool)}
        for job in self.laptop.batch.list_jobs():
            parsed = ids.parse_run_id(job.id)
            if parsed:
                self.runs[parsed[0]] = job.id
                scene[parsed[0]] = self._run_line(parsed[0], job)
        return scene

    def _pool_line(self, pool: BatchPool) -> str:
        states = [str(enum_word(one.state)) for one in self.laptop.batch.list_nodes(pool.id)]
        if not self.nodes:
            return "0 nodes"
        nodes = "1 node" if self.nodes == 1 else f"{self.nodes} nodes"
        words = ("starting" if one in _STARTING else _WORDS.get(one, one) for one in states)
        return ", ".join([nodes, *dict.fromkeys(words)])

    def _run_line(self, schedule: str, job: BatchJob) -> str:
        """Return what a run is doing: its final record says it, or else its task, or else its job."""
        if record := self._final_record(schedule, job.id):
            return f"the record is final: {record['outcome']}"
        try:
            task = self.laptop.batch.get_task(job.id, _TASK)
        except HttpResponseError as error:
            if error.status_code != _NOT_FOUND:
                raise
            return f"job {job.id} is {enum_word(job.state)}"
        code = task.execution_info.exit_code if task.execution_info else None
        return f"job {job.id}, " + (
            f"its task is {enum_word(task.state)}" if code is None else f"exit code {code}"
        )

    def _final_record(self, schedule: str, run_id: str) -> dict[str, Any] | None:
        if schedule in self.records:
            return self.records[schedule]
        ledger = self.laptop.storage.get_container_client(self.laptop.settings["LEDGER_CONTAINER"])
        names = ledger.list_blob_names(name_starts_with=f"{ids.FINAL_PREFIX}{schedule}/")
        name = next((name for name in names if name.endswith(f"/{run_id}.json")), None)
        if name is None:
            return None
        self.blobs[schedule] = name
        self.records[schedule] = json.loads(ledger.download_blob(name).readall())
        return self.records[schedule]
