"""What a rehearsal comes to, by schedule and for the pool: pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Final

from orchestrator.decisions.costs import rounded
from orchestrator.ids import ScheduleId
from orchestrator.model import Prices
from recur.rehearsal.play import Course, PlayedRun
from recur.rehearsal.simulated_pool import RehearsedNode

_HOUR_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSummary:
    """
    What became of one schedule.

    Attributes:
        runs: Occurrences that got a job, or wait for one.
        ended: Of these, those whose task ran to its end.
        timed_out: Of these, those that their run timeout ended.
        replaced: Runs that a later one ended.
        unfinished: Runs that had not ended when the rehearsal was over.
        preempted: How often a task lost its Spot node and began again.
        skipped: Occurrences that did not run, by the reason.
        waiting_seconds: From the nominal time to the start of the task: the median.
        longest_waiting_seconds: The longest of these.
        node_seconds: Of its tasks, by their share of the node.
        amount: What these cost; None without a price.
    """

    schedule: ScheduleId
    runs: int
    ended: int
    timed_out: int
    replaced: int
    unfinished: int
    preempted: int
    skipped: Mapping[str, int]
    waiting_seconds: float | None
    longest_waiting_seconds: float | None
    node_seconds: float
    amount: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSummary:
    """
    What became of the pool.

    Attributes:
        nodes: How many were started.
        most_nodes: How many there were at once at most.
        node_seconds: All that is billed.
        busy_seconds: Of these, with a task.
        amount: What all of it costs; None without a price.
    """

    nodes: int
    most_nodes: int
    node_seconds: float
    busy_seconds: float
    amount: float | None


def price_of(prices: Prices | None, pool: str | None, *, spot: bool) -> float | None:
    """Return what a node of a pool costs for an hour; None where the document has no price."""
    if prices is None:
        return None
    pools = {name.lower(): one for name, one in prices.pools.items()}
    of_pool = pools.get((pool or "").lower(), prices.every)
    return of_pool.spot if spot else of_pool.dedicated


def schedule_summary(course: Course, *, slots: int, price: float | None) -> ScheduleSummary:
    """
    Sum up one schedule.

    Args:
        course: What became of it.
        slots: Task slots of a node.
        price: Of one node for one hour.
    """
    waits = [seconds for run in course.runs if (seconds := _waited(run)) is not None]
    stays = [stay for run in course.runs if run.job for stay in run.job.stays]
    node_seconds = sum(stay.seconds for stay in stays) / slots
    ended = [run for run in course.runs if run.job and run.job.completed]
    return ScheduleSummary(
        schedule=course.schedule.id,
        runs=len(course.runs),
        ended=len(ended),
        timed_out=sum(run.cut_off for run in ended),
        replaced=sum(run.replaced for run in course.runs),
        unfinished=sum(run.open for run in course.runs),
        preempted=sum(len(run.job.stays) - 1 for run in course.runs if run.job and run.job.stays),
        skipped=dict(sorted(course.skipped.items())),
        waiting_seconds=median(waits) if waits else None,
        longest_waiting_seconds=max(waits, default=None),
        node_seconds=node_seconds,
        amount=_amount(node_seconds, price),
    )


def _waited(run: PlayedRun) -> float | None:
    if run.job is None or run.job.started is None:
        return None
    return (run.job.started - run.nominal) / timedelta(seconds=1)


def pool_summary(nodes: Sequence[RehearsedNode], price: float | None) -> PoolSummary:
    """
    Sum up the pool.

    Args:
        nodes: Every node that there was.
        price: Of one for one hour.
    """
    node_seconds = sum(node.billed_seconds for node in nodes)
    return PoolSummary(
        nodes=len(nodes),
        most_nodes=_most_at_once(nodes),
        node_seconds=node_seconds,
        busy_seconds=sum(node.busy_seconds for node in nodes),
        amount=_amount(node_seconds, price),
    )


def _most_at_once(nodes: Sequence[RehearsedNode]) -> int:
    changes = [(node.allocated, 1) for node in nodes]
    changes += [(node.removed, -1) for node in nodes if node.removed]
    here = most = 0
    for _, change in sorted(changes):
        here += change
        most = max(most, here)
    return most


def _amount(node_seconds: float, price: float | None) -> float | None:
    return None if price is None else rounded(node_seconds * price / _HOUR_SECONDS)
