"""A client of the emulator's faults."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, cast

from aiohttp import ClientSession

type Kind = Literal["latency", "refusal", "reset", "silence", "quota", "absence", "cut", "denial"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """
    One request that the emulator has seen; the meaning is that of ``batch_emulator.faults.register``.

    Attributes:
        method: Of the request.
        path: Without the query.
        operation: As the official client calls it.
        job: The id in the path, or in the body of a creation.
        fault: Id of the rule that hit it.
        status: Of the answer; None if there is none.
        effect: Whether it was carried out.
    """

    method: str
    path: str
    operation: str | None
    job: str | None
    fault: str | None
    status: int | None
    effect: bool


class BadFaultError(Exception):
    """What was asked of the faults is refused; the message is the emulator's JSON."""


class Faults:
    """
    The faults of an emulator that has them enabled.

    Every method raises ``BadFaultError`` if the emulator refuses.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = f"{url}/emulator"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def add(  # noqa: PLR0913 - the fields of a rule
        self,
        kind: Kind,
        *,
        operation: str | None = None,
        method: str | None = None,
        path: str | None = None,
        job: str | None = None,
        times: int | None = None,
        after: int = 0,
        **fields: float | str | bool | None,
    ) -> str:
        """
        Put a rule in force and return its id.

        Args:
            kind: denial (of Azure Resource Manager: ``whose`` role, ``code``), latency
                (``milliseconds``), refusal (``status`` 403, 429, 500 or 503, or any
                ``code``; ``retry_after`` seconds, ``body``), reset, silence, quota, absence (of a job from what reads
                it), cut (of a file, after so many ``bytes``). Refusal, reset and silence take
                ``after_effect``: the request is carried out first.
            operation: Which requests it hits: those of this operation, by the client's name,
            method: of this method,
            path: whose path this regular expression matches as a whole,
            job: and the id of whose job this one does.
            times: So many it hits; None hits all.
            after: So many it lets pass first.
            fields: What the kind needs beside, and an ``id`` if it is to have one.
        """
        match = {"operation": operation, "method": method, "path": path, "job": job}
        rule = {"kind": kind, "match": match, "times": times, "after": after, **fields}
        return cast("str", (await self._ask("POST", "/faults", rule))["id"])

    async def remove(self, id_: str) -> None:
        """Take one rule out of force."""
        await self._ask("DELETE", f"/faults/{id_}")

    async def clear(self) -> None:
        """Forget every rule and every request that was seen."""
        await self._ask("DELETE", "/faults")

    async def hits(self) -> dict[str, int]:
        """Return how often each rule has hit, by its id."""
        rules = (await self._ask("GET", "/faults"))["rules"]
        return {rule["id"]: rule["hits"] for rule in rules}

    async def seen(self) -> tuple[Seen, ...]:
        """Return the requests since the beginning or the last ``clear``, in order of arrival."""
        return tuple(Seen(**entry) for entry in (await self._ask("GET", "/faults"))["seen"])

    async def created(self) -> list[str]:
        """Return the ids of the jobs that were created, as often as they were, in order."""
        seen = await self.seen()
        return [item.job for item in seen if item.effect and item.job and _creates(item)]

    async def forget_job(self, job_id: str) -> None:
        """Let Batch forget a job, without a trace."""
        await self._ask("POST", f"/jobs/{job_id}/forget")

    async def keep_deleting_job(self, job_id: str, *, seconds: float = 0) -> None:
        """Let the removal of a job begin, so many seconds ago, and not end until it is forgotten."""
        await self._ask("POST", f"/jobs/{job_id}/delete", {"seconds": seconds})

    async def break_uploads(self, job_id: str, **cause: str) -> None:
        """Let the outputs of a job's tasks fail with a ``code`` and a ``message``."""
        await self._ask("POST", f"/jobs/{job_id}/break-uploads", cause)

    async def hold_counts(self, job_id: str, **seconds: float) -> None:
        """Keep the task counts of a job as they were told last, for 1800 ``seconds``."""
        await self._ask("POST", f"/jobs/{job_id}/hold-counts", seconds)

    async def mend_job(self, job_id: str) -> None:
        """End what broke a job's uploads and held its counts."""
        await self._ask("POST", f"/jobs/{job_id}/mend")

    async def skip_task(self, job_id: str, task_id: str) -> None:
        """Complete a task that waits, as if it had never run."""
        await self._ask("POST", f"/jobs/{job_id}/tasks/{task_id}/skip")

    async def expire_task(self, job_id: str, task_id: str) -> None:
        """End the run of a task as at the end of its longest time."""
        await self._ask("POST", f"/jobs/{job_id}/tasks/{task_id}/expire")

    async def shrink(self, pool_id: str, **size: int | str) -> None:
        """Give a pool ``dedicated`` and ``lowPriority`` nodes, none of either, with an ``option``."""
        await self._ask("POST", f"/pools/{pool_id}/shrink", size)

    async def break_start(self, pool_id: str, **code: int) -> None:
        """Let each start task of a pool end with 1 or this ``exitCode``."""
        await self._ask("POST", f"/pools/{pool_id}/break-start", code)

    async def break_formula(self, pool_id: str, **cause: str) -> None:
        """Let each evaluation of a pool's formula fail with a ``code`` and a ``message``."""
        await self._ask("POST", f"/pools/{pool_id}/break-formula", cause)

    async def mend_pool(self, pool_id: str) -> None:
        """End what broke the start tasks and the formula of a pool."""
        await self._ask("POST", f"/pools/{pool_id}/mend")

    async def preempt(self, node_id: str, **how: float | None) -> None:
        """
        Preempt a Spot node, for 300 ``seconds`` at the pool's speed or, if None, until restored.

        With ``counted`` its tasks count a requeue.
        """
        await self._ask("POST", f"/nodes/{node_id}/preempt", how)

    async def restore(self, node_id: str) -> None:
        """Give a preempted node another machine."""
        await self._ask("POST", f"/nodes/{node_id}/restore")

    async def spoil(self, node_id: str, **cause: str) -> None:
        """Let a node be unusable, with a ``code`` and a ``message``."""
        await self._ask("POST", f"/nodes/{node_id}/spoil", cause)

    async def withhold(self, pool_id: str, **cause: str) -> None:
        """Give a pool no node more; its resizes end with this ``code`` and ``message``."""
        await self._ask("POST", f"/pools/{pool_id}/withhold", cause)

    async def grant(self, pool_id: str) -> None:
        """Give a pool nodes again, from its next resize on."""
        await self._ask("POST", f"/pools/{pool_id}/grant")

    async def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        async with (
            ClientSession(headers=self._headers) as session,
            session.request(method, f"{self._url}{path}", json=body) as reply,
        ):
            if reply.status >= HTTPStatus.BAD_REQUEST:
                raise BadFaultError(await reply.text())
            empty = reply.status == HTTPStatus.NO_CONTENT
            return {} if empty else cast("dict[str, Any]", await reply.json())


def _creates(seen: Seen) -> bool:
    return seen.operation == "create_job"
