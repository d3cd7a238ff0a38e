"""Reads what a run runs in: its pool, the nodes, and why a start task failed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from azure.batch import BatchClient
from azure.core.exceptions import HttpResponseError

from orchestrator.adapters.batch_replies import read_node, read_pool
from orchestrator.batch_state import Node
from orchestrator.decisions.last_words import LAST_BYTES, words_of
from orchestrator.decisions.places import portless
from recur.causes.ended_run import LAST_LINES
from recur.causes.refusals import BATCH, REFUSED, START_TASK, why_unreadable
from recur.causes.surroundings import Surroundings, Unreadable
from recur.target import Target

_FILE: Final = "startup/stderr.txt"
_NOT_LOOKED: Final = Unreadable(
    why="the pool was not looked at", next_step="recur status looks at it"
)
_QUICKLY: Final[dict[str, Any]] = {
    "retry_total": 0,
    "connection_timeout": 3,
    "read_timeout": 10,
}


def read_surroundings(target: Target, now: datetime, pool_id: str | None = None) -> Surroundings:
    """
    Read a pool. What cannot be read is a part of the answer, and no error.

    Args:
        target: The deployment.
        now: By the clock of the storage.
        pool_id: The pool; None: that of the settings.
    """
    around = without_pool(target, now, pool_id)
    try:
        if not around.pool_id:
            target.need("BATCH_POOL_ID")
        with target.batch() as batch:
            return _read(target, batch, around)
    except HttpResponseError as error:
        if getattr(error.error, "code", None) == "PoolNotFound":
            return replace(around, pool=None)
        return replace(around, pool=why_unreadable(error, BATCH, target))
    except REFUSED as error:
        return replace(around, pool=why_unreadable(error, BATCH, target))


def without_pool(target: Target, now: datetime, pool_id: str | None = None) -> Surroundings:
    """Return what is known without a look at Batch: enough for what has ended."""
    url = target.values.get("BATCH_ACCOUNT_URL", "").strip()
    return Surroundings(
        now=now,
        account=portless(url),
        on_laptop=bool(url) and target.on_laptop,
        pool_id=pool_id or target.values.get("BATCH_POOL_ID", "").strip(),
        pool=_NOT_LOOKED,
    )


def _read(target: Target, batch: BatchClient, around: Surroundings) -> Surroundings:
    pool = read_pool(batch.get_pool(around.pool_id))
    nodes = tuple(read_node(node) for node in batch.list_nodes(around.pool_id))
    start_task = _start_task(target, batch, around.pool_id, nodes)
    return replace(around, pool=pool, nodes=nodes, start_task=start_task)


def _start_task(
    target: Target, batch: BatchClient, pool_id: str, nodes: Sequence[Node]
) -> tuple[str, ...] | Unreadable | None:
    """Return the last lines of stderr of the start task that failed; None if none did."""
    failed = next((node for node in nodes if node.state == "starttaskfailed"), None)
    if failed is None:
        return None
    try:
        found = batch.get_node_file_properties(pool_id, failed.id, _FILE, **_QUICKLY)
        size = int(found.content_length)
        begin = max(0, size - LAST_BYTES)
        data = b""
        if size:
            read = batch.download_node_file(
                pool_id, failed.id, _FILE, ocp_range=f"bytes={begin}-{size - 1}", **_QUICKLY
            )
            data = b"".join(read)
    except REFUSED as error:
        return why_unreadable(error, START_TASK, target)
    text = words_of(data, cut=begin > 0).rstrip()
    return tuple(text.split("\n")[-LAST_LINES:]) if text else ()
