"""
What runs cost: the seconds of their tasks, times their share of a node, times the node's price.

An estimate, by prices that were frozen at the claim. What nodes cost beyond their tasks, while they
boot or idle, belongs to no run.
"""

from dataclasses import replace
from typing import Final

from orchestrator.enums import NodeKind
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Cost, Record
from orchestrator.model import Prices

_KINDS: Final = {"_d": NodeKind.DEDICATED, "_p": NodeKind.SPOT}
_HOUR_SECONDS: Final = 3600
_DIGITS: Final = 6
"""Behind the point: a second of a cheap node is a few millionths."""


def estimated_cost(record: Record) -> Cost | None:
    """
    Return what all attempts of a run cost.

    Returns:
        None where the document had no prices at the claim, or where the price of a node is not
        among them. A run none of whose tasks ran costs 0.
    """
    prices = record.task.prices if record.task else None
    if prices is None:
        return None
    amounts = [attempt_amount(one, prices) for one in record.attempts if one.task_seconds]
    if None in amounts:
        return None
    total = sum(one for one in amounts if one is not None)
    return Cost(amount=rounded(total), currency=prices.currency)


def with_cost(record: Record) -> Record:
    """Return a record that is about to be final, with its cost."""
    return replace(record, cost=estimated_cost(record))


def attempt_amount(attempt: Attempt, prices: Prices) -> float | None:
    """Return what the task of an attempt cost; None where a factor is not known."""
    price = node_price(attempt, prices)
    if price is None or attempt.task_seconds is None or attempt.slot_share is None:
        return None
    return attempt.task_seconds * attempt.slot_share * price / _HOUR_SECONDS


def node_price(attempt: Attempt, prices: Prices) -> float | None:
    """Return what the node of an attempt costs for one hour; None where no price is given."""
    kind = node_kind(attempt.node)
    if kind is None:
        return None
    # Ids of Batch are case-insensitive.
    pools = {pool.lower(): one for pool, one in prices.pools.items()}
    of_pool = pools.get((attempt.pool or "").lower(), prices.every)
    return of_pool.spot if kind is NodeKind.SPOT else of_pool.dedicated


def node_kind(node: str | None) -> NodeKind | None:
    """
    Return what a node's id says of its kind; None for any other id.

    Batch ends the ids of dedicated nodes by ``_d``, as recorded calls of the service show, and those
    of Spot nodes by ``_p``. That is not documented: an id of another form gets no price.
    """
    return _KINDS.get((node or "")[-2:])


def rounded(amount: float) -> float:
    """Return an amount as records hold it."""
    return round(amount, _DIGITS)
