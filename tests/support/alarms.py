"""
Which alerts a bad day raises: its real events and nodes, put to the rules that are deployed.

The queries of ``infra/alerts`` run on the events; the metric alerts look at the counts of nodes. A
day is lengthened by repeating its newest heartbeats: each tick of the next half hour says what
the last one said, and nothing changes.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from logging import LogRecord
from typing import Any, Final

from azure.batch.models import BatchNode, BatchPool

from orchestrator.adapters.telemetry import KEYS, Event
from orchestrator.ledger.record import Record
from tests.alerts.workspace import QUERIES, Row, Workspace
from tests.policies.alerts import METRICS

LASTING: Final = timedelta(minutes=30)
_LAG: Final = timedelta(minutes=3)
_MINUTE: Final = timedelta(minutes=1)
_NAME: Final = "microsoft.custom_event.name"
_NODES_THAT: Final = {
    "StartTaskFailedNodeCount": lambda node: node.state == "starttaskfailed",
    "UnusableNodeCount": lambda node: node.state == "unusable",
    "IdleNodeCount": lambda node: node.state == "idle",
    "TotalNodeCount": lambda node: node.is_dedicated,
    "TotalLowPriorityNodeCount": lambda node: not node.is_dedicated,
}
_SOON: Final = {"PT15M"}
"""The windows of metric alerts that half an hour fills."""

type Alerts = dict[str, set[tuple[str, ...]]]
"""Of each alert that fires, its rows: what a mail says."""


def mailed(final: Record) -> set[tuple[str, ...]]:
    """Return the rows of the alert ``run-failed`` after a run that did not succeed."""
    assert final.outcome is not None
    assert final.reason is not None
    said = (final.sentence or "")[:300]
    words = (final.last_words.stderr if final.last_words else "").splitlines()
    if words:
        said = f"{said} stderr: {words[-1]}"
    return {(final.schedule, final.run_id, final.outcome, final.reason, said, "")}


def events(records: Iterable[LogRecord]) -> list[Row]:
    """Return the rows that events become in the workspace, with all their values as texts."""
    return [_row(vars(record)) for record in records if hasattr(record, _NAME)]


def _row(told: dict[str, Any]) -> Row:
    at = datetime.fromtimestamp(told["created"], UTC)
    keys = KEYS[Event(told[_NAME])]
    return {
        "TimeGenerated": at,
        "ingested": at + _LAG,
        "Name": told[_NAME],
        "Properties": {key: str(told[key]) for key in keys},
    }


def raised(
    records: Iterable[LogRecord],
    *,
    pool: BatchPool | None = None,
    nodes: Iterable[BatchNode] = (),
) -> Alerts:
    """
    Return the alerts that fire half an hour after the last event, if nothing changes.

    Args:
        records: The log of the ticks; those without an event are passed over.
        pool: The pool, of which Batch's own logs tell; None: there is none.
        nodes: Its nodes.
    """
    rows = events(records)
    end = max((_time(row) for row in rows), default=datetime.now(UTC))
    workspace = Workspace()
    workspace.add("AppEvents", [*rows, *_repeated(rows, end)])
    if pool is not None:
        workspace.add("AzureDiagnostics", _of_batch(pool, end))
    found: Alerts = {}
    for name, query in QUERIES.items():
        (answers,) = workspace.run(query, end + LASTING)
        if answers:
            found[name] = answers
    counts = _counts(nodes)
    for name, (metric, above, window, _) in METRICS.items():
        if window in _SOON and counts[metric] > above:
            found[name] = {(str(counts[metric]),)}
    return found


def _time(row: Row) -> datetime:
    at = row["TimeGenerated"]
    assert isinstance(at, datetime)
    return at


def _repeated(rows: Iterable[Row], end: datetime) -> list[Row]:
    """Return the newest heartbeat of each function, once more for each minute of the half hour."""
    newest: dict[str, Row] = {}
    for row in rows:
        properties = row["Properties"]
        assert isinstance(properties, dict)
        if row["Name"] == Event.TICK_FINISHED:
            newest[properties["function"]] = row
    times = [end + _MINUTE * n for n in range(1, LASTING // _MINUTE)]
    return [{**row, "TimeGenerated": at, "ingested": at} for row in newest.values() for at in times]


def _of_batch(pool: BatchPool, end: datetime) -> list[Row]:
    """Return what Batch logs of the pool: how its last resize ended, and three evaluations."""
    common = {
        "TimeGenerated": end,
        "ingested": end + _LAG,
        "ResourceProvider": "MICROSOFT.BATCH",
        "Category": "ServiceLog",
        "id_s": pool.id,
    }
    rows: list[Row] = []
    errors = pool.resize_errors or []
    ended = {"resultCode_s": "Success", "resultMessage_s": ""}
    for error in errors[:1]:
        ended = {"resultCode_s": error.code or "", "resultMessage_s": error.message or ""}
    rows.append({**common, "OperationName": "PoolResizeCompleteEvent", **ended})
    run = pool.auto_scale_run
    if run is not None and run.error is not None:
        failed = {
            "error_code_s": run.error.code or "",
            "error_message_s": run.error.message or "",
        }
        rows += [
            {
                **common,
                "OperationName": "PoolAutoscaleEvent",
                **failed,
                "TimeGenerated": end - 5 * n * _MINUTE,
            }
            for n in range(3)
        ]
    return rows


def _counts(nodes: Iterable[BatchNode]) -> Counter[str]:
    there = list(nodes)
    return Counter({metric: sum(map(is_one, there)) for metric, is_one in _NODES_THAT.items()})
