"""
What runs cost in a month, and what their nodes cost beyond that: pure functions.

An attempt belongs to the month in which its task ended. A node is known from the records of the
attempts that it ran: from its allocation to the end of its last task.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from orchestrator.decisions.costs import attempt_amount, node_kind, node_price, rounded
from orchestrator.enums import NodeKind
from orchestrator.ids import ScheduleId
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Record
from orchestrator.model import Prices

_HOUR_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """
    A month in UTC.

    Attributes:
        begin: Its first instant.
        end: That of the next month.
    """

    begin: datetime
    end: datetime

    @classmethod
    def of(cls, year: int, number: int) -> "Month":
        """Return the month of a year."""
        return cls(
            begin=datetime(year, number, 1, tzinfo=UTC),
            end=datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC),
        )

    def holds(self, instant: datetime) -> bool:
        """Whether an instant lies in it."""
        return self.begin <= instant < self.end

    def __str__(self) -> str:
        """Return it as ISO 8601 writes it."""
        return self.begin.strftime("%Y-%m")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCost:
    """
    What the runs of one schedule cost in a month, in one currency.

    Attributes:
        currency: None for attempts without a price.
        runs: How many runs had a task that ended in the month.
        task_seconds: Of these tasks.
        amount: What they cost; None without a price.
    """

    schedule: ScheduleId
    currency: str | None
    runs: int
    task_seconds: float
    amount: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolCost:
    """
    What the nodes of one pool cost in a month, as far as records tell.

    Attributes:
        pool: None where records do not name it.
        nodes: How many nodes ran at least one of the tasks.
        node_seconds: From allocation to the end of the last task, all nodes together.
        busy_seconds: How much of that tasks took, each by its share of its node.
        beyond_amount: What the rest cost, while nodes booted or idled; None without a price.
    """

    pool: str | None
    kind: NodeKind
    currency: str | None
    nodes: int
    node_seconds: float
    busy_seconds: float
    beyond_amount: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One attempt whose task ended in the month, and the prices that were frozen for it."""

    schedule: ScheduleId
    run_id: str
    attempt: Attempt
    prices: Prices | None


def spent_in(month: Month, record: Record) -> Iterator[Spent]:
    """Yield the attempts of a final record whose task ran, and ended in a month."""
    for one in record.attempts:
        if one.task_seconds and one.finished and month.holds(one.finished):
            yield Spent(
                schedule=record.schedule,
                run_id=record.run_id,
                attempt=one,
                prices=record.task.prices if record.task else None,
            )


def schedule_costs(spent: Iterable[Spent]) -> list[ScheduleCost]:
    """Return what each schedule cost, in each currency, sorted by id; without a price last."""
    groups: defaultdict[tuple[ScheduleId, str | None], list[tuple[Spent, float | None]]]
    groups = defaultdict(list)
    for one in spent:
        amount = attempt_amount(one.attempt, one.prices) if one.prices else None
        currency = one.prices.currency if one.prices and amount is not None else None
        groups[one.schedule, currency].append((one, amount))
    return [
        ScheduleCost(
            schedule=schedule,
            currency=currency,
            runs=len({one.run_id for one, _ in some}),
            task_seconds=sum(one.attempt.task_seconds or 0 for one, _ in some),
            amount=rounded(sum(amount or 0 for _, amount in some)) if currency else None,
        )
        for (schedule, currency), some in sorted(groups.items(), key=_in_order)
    ]


def _in_order(group: tuple[tuple[ScheduleId, str | None], object]) -> tuple[str, bool, str]:
    schedule, currency = group[0]
    return schedule, currency is None, currency or ""


def pool_costs(month: Month, spent: Iterable[Spent]) -> list[PoolCost]:
    """
    Return what the nodes of each pool cost, sorted by pool and kind.

    Of a node whose kind its id does not tell nothing is said.
    """
    nodes: defaultdict[tuple[str, str], list[Spent]] = defaultdict(list)
    for one in spent:
        if one.attempt.node:
            nodes[(one.attempt.pool or "").lower(), one.attempt.node].append(one)
    pools: defaultdict[tuple[str, NodeKind, str | None], list[_Node]] = defaultdict(list)
    for (pool, id_), some in nodes.items():
        kind = node_kind(id_)
        if kind is not None:
            node = _node(month, some)
            pools[pool, kind, node.currency].append(node)
    return [
        PoolCost(
            pool=pool or None,
            kind=kind,
            currency=currency,
            nodes=len(some),
            node_seconds=sum(one.seconds for one in some),
            busy_seconds=sum(one.busy_seconds for one in some),
            beyond_amount=rounded(sum(one.beyond for one in some)) if currency else None,
        )
        for (pool, kind, currency), some in sorted(
            pools.items(), key=lambda group: (group[0][0], group[0][1], group[0][2] or "")
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """One node within a month; ``beyond`` is the price of what no task took."""

    seconds: float
    busy_seconds: float
    currency: str | None
    beyond: float


def _node(month: Month, some: Sequence[Spent]) -> _Node:
    """Return what is known of a node from the attempts that it ran, by the newest of its prices."""
    attempts = [one.attempt for one in some]
    begins = [begin for one in attempts if (begin := one.node_allocated or one.started)]
    ends = [one.finished for one in attempts if one.finished]
    seconds = (max(ends) - max(month.begin, min(begins))).total_seconds() if begins else 0.0
    busy = min(sum(_busy_within(month, one) for one in attempts), seconds)
    newest = max(some, key=lambda one: one.attempt.finished or month.begin)
    price = node_price(newest.attempt, newest.prices) if newest.prices else None
    return _Node(
        seconds=seconds,
        busy_seconds=busy,
        currency=newest.prices.currency if newest.prices and price is not None else None,
        beyond=(seconds - busy) * (price or 0) / _HOUR_SECONDS,
    )


def _busy_within(month: Month, attempt: Attempt) -> float:
    """Return how long a task took its share of a node since the begin of a month, in seconds."""
    seconds = attempt.task_seconds or 0.0
    if attempt.started and attempt.finished and attempt.started < month.begin:
        seconds = min(seconds, (attempt.finished - month.begin).total_seconds())
    return seconds * (attempt.slot_share if attempt.slot_share is not None else 1.0)
