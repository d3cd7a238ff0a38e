"""
What Batch and storage know of a run when its final record is written: past every proxy.

A record is judged by these alone: what its task really did, what really lies in the container, and
whether the node is there still.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from azure.batch.models import BatchTask
from azure.core.exceptions import ResourceNotFoundError

from orchestrator.batch_state import ATTEMPT_KEY, CLAIM_KEY, LEDGER_KEY, RUN_ID_KEY
from orchestrator.ids import output_prefix, parse_run_id
from tests.proof.stage import Stage

_STREAMS: Final = {"stdout.txt", "stderr.txt"}
_THERE: Final = {"pushed", "fetched"}
_NOT_TO_BE_HAD: Final = {"node_gone", "job_gone", "no_such_file", "task_never_started"}
"""Codes that say that the node has it no more; the others say that nobody answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """
    What is known of the last attempt of a run.

    Attributes:
        job: The metadata of its job; None: Batch has none by its id.
        task: Its task; None: there is none.
        node_there: Whether the node that ran the task has its files still.
        outputs: What is stored in its folder, by the paths below it.
    """

    job: Mapping[str, str] | None
    task: BatchTask | None
    node_there: bool
    outputs: Mapping[str, bytes]

    @classmethod
    async def of(cls, stage: Stage, record: Mapping[str, Any]) -> Self:
        """Find out about the run of a record."""
        attempt = record["attempts"][-1]
        job, task = await _job(stage, attempt["job_id"]), await _task(stage, attempt["job_id"])
        node = task.node_info.node_id if task and task.node_info else None
        nodes = {one.id async for one in stage.client.list_nodes(stage.pool_id)}
        return cls(
            job=job,
            task=task,
            node_there=node is not None and node in nodes,
            outputs=await stage.stored(_folder(record)),
        )

    def broken_by(self, record: Mapping[str, Any]) -> list[str]:
        """Return what a final record says against it, in words."""
        return [*self._by_identity(record), *self._by_outcome(record), *self._by_outputs(record)]

    def _by_identity(self, record: Mapping[str, Any]) -> list[str]:
        """See that it vouches for no job of another claim, attempt or ledger."""
        attempt = record["attempts"][-1]
        if self.job is None or not attempt["submitted"]:
            return []
        expected = {
            RUN_ID_KEY: record["run_id"],
            ATTEMPT_KEY: str(attempt["number"]),
            LEDGER_KEY: record["ledger"],
            CLAIM_KEY: record["claim"],
        }
        other = {key: self.job.get(key) for key in expected if self.job.get(key) != expected[key]}
        return [f"its job is of another life: {other}"] if other else []

    def _by_outcome(self, record: Mapping[str, Any]) -> list[str]:
        """See that exit code 0 with a good result is a success, and nothing else is."""
        outcome, attempt = record["outcome"], record["attempts"][-1]
        info = self.task.execution_info if self.task else None
        if info is None or info.end_time is None:
            return [] if outcome != "succeeded" or attempt["exit_code"] == 0 else ["no success"]
        good = info.exit_code == 0 and info.result == "success"
        said: list[str] = []
        if good != (outcome == "succeeded"):
            said.append(f"it {outcome}, and its task ended with {info.exit_code}, {info.result}")
        if attempt["exit_code"] != info.exit_code:
            said.append(f"its exit code is {info.exit_code}, not {attempt['exit_code']}")
        if outcome == "failed" and record["reason"] == "exit_code" and not info.exit_code:
            said.append("it failed with an exit code that it does not have")
        return said

    def _by_outputs(self, record: Mapping[str, Any]) -> list[str]:
        """See that what is vouched for is stored byte by byte, and what is missing is not to be had."""
        outputs = {one["path"]: one for one in record["outputs"]}
        said = [f"it says nothing of {name}" for name in sorted(_STREAMS - outputs.keys())]
        for path, one in outputs.items():
            said += [f"{path}: {what}" for what in self._by_output(one, record)]
        unlisted = self.outputs.keys() - outputs.keys()
        if record["outputs_total"] is not None:
            said += [f"{path} is stored and not in the record" for path in sorted(unlisted)]
        return said

    def _by_output(self, one: Mapping[str, Any], record: Mapping[str, Any]) -> list[str]:
        stored = self.outputs.get(one["path"])
        if one["how"] in _THERE:
            if stored is None:
                return ["it is vouched for, and not there"]
            digest = hashlib.sha256(stored).hexdigest()
            same = one["bytes"] == len(stored) and one["sha256"] in {None, digest}
            return [] if same else ["it is not what is vouched for"]
        if not one["code"] or not one["why"]:
            return [f"{one['how']} without a reason"]
        if one["how"] == "unverified":
            early = one["code"] == "unreadable" and not record["outputs_unread_since"]
            return ["it was given up before its time"] if early else []
        if stored is not None:
            return ["it is said to be missing, and is stored"]
        ran = self.task is not None and self.task.state == "completed" and self.job is not None
        given_up = ran and self.node_there and one["code"] in _NOT_TO_BE_HAD
        return [f"it is given up ({one['code']}), and lies on its node"] if given_up else []


def _folder(record: Mapping[str, Any]) -> str:
    parsed = parse_run_id(record["run_id"])
    assert parsed is not None
    schedule, nominal = parsed
    when = nominal or datetime.fromisoformat(record["nominal"])
    return output_prefix(schedule, when, record["run_id"], record["attempts"][-1]["number"])


async def _job(stage: Stage, job_id: str) -> Mapping[str, str] | None:
    try:
        job = await stage.client.get_job(job_id)
    except ResourceNotFoundError:
        return None
    return {item.name: item.value for item in job.metadata or ()}


async def _task(stage: Stage, job_id: str) -> BatchTask | None:
    try:
        return await stage.client.get_task(job_id, "main")
    except ResourceNotFoundError:
        return None
