"""The pool's size by formula: samples, evaluations, and what came of the last one."""

import asyncio
from datetime import timedelta
from typing import Final

from batch_emulator.errors import ServiceError
from batch_emulator.formula import Formula, FormulaSyntaxError, Metric, SampleStore, parse_formula
from batch_emulator.journal import tell
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.backlog import Progress
from batch_emulator.runtime.enums import NodeState, PoolState
from batch_emulator.runtime.state import Pool, Scaling
from batch_emulator.wire import now, parse_duration

_PERIOD: Final = timedelta(seconds=30)
_LATENCY: Final = timedelta(seconds=60)
_RETENTION: Final = timedelta(days=1)
_USABLE: Final = {NodeState.IDLE, NodeState.RUNNING}


def read_formula(text: str) -> Formula:
    """
    Parse the formula of a pool that is to be created.

    Raises:
        ServiceError: AutoScalingFormulaSyntaxError, with the place and the reason.
    """
    try:
        return parse_formula(text)
    except FormulaSyntaxError as error:
        raise ServiceError(str(error.code), values=(("Message", str(error)),)) from error


async def follow_formula(account: Account, pool: Pool) -> None:
    """Sample the pool and evaluate the formula it has, at its speed, until it is deleted."""
    samples = SampleStore(
        period=account.at_speed(_PERIOD),
        latency=account.at_speed(_LATENCY),
        retention=account.at_speed(_RETENTION),
        since=now(),
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(_sample(account, pool, samples))
        group.create_task(_evaluate(account, pool, samples))


async def _sample(account: Account, pool: Pool, samples: SampleStore) -> None:
    last = now()
    while pool.state is PoolState.ACTIVE:
        # The clock of a laptop may be set back, and samples are kept in order. Those of a future
        # that is far could not be read, and nothing after them, until it has come.
        if (moment := now()) < last - samples.period:
            samples.restart(moment)
            last = moment
            tell("clock.set_back", pool=pool.id)
        last = max(moment, last + timedelta(microseconds=1))
        samples.record(at=last, values=_measure(account, pool))
        await account.pause(_PERIOD.total_seconds())


def _measure(account: Account, pool: Pool) -> dict[str, float]:
    # What is active in a job that has ended, or waits for another task, is not pending.
    backlog = account.backlog(pool.id)
    active, running = backlog.ready, backlog.counts[Progress.RUNNING]
    usable = sum(node.state in _USABLE for node in pool.nodes.values())
    return {
        Metric.ACTIVE_TASKS: active,
        Metric.RUNNING_TASKS: running,
        Metric.PENDING_TASKS: active + running,
        Metric.SUCCEEDED_TASKS: backlog.counts[Progress.SUCCEEDED],
        Metric.FAILED_TASKS: backlog.counts[Progress.FAILED],
        Metric.CURRENT_DEDICATED_NODES: pool.current(dedicated=True),
        Metric.CURRENT_LOW_PRIORITY_NODES: pool.current(dedicated=False),
        Metric.PREEMPTED_NODE_COUNT: 0,
        Metric.USABLE_NODE_COUNT: usable,
        Metric.SAMPLE_NODE_COUNT: usable,
        Metric.TASK_SLOTS_PER_NODE: pool.body["taskSlotsPerNode"],
    }


async def _evaluate(account: Account, pool: Pool, samples: SampleStore) -> None:
    while pool.state is PoolState.ACTIVE and pool.formula is not None:
        _evaluate_once(account, pool, pool.formula, samples)
        interval = parse_duration(pool.body["autoScaleEvaluationInterval"])
        await account.pause(interval.total_seconds())


def _evaluate_once(account: Account, pool: Pool, formula: Formula, samples: SampleStore) -> None:
    moment = now()
    result = formula.evaluate(
        now=moment,
        samples=samples,
        speed=account.options.pool_speed,
        target_dedicated=pool.target_dedicated,
        target_low_priority=pool.target_low_priority,
        task_slots_per_node=pool.body["taskSlotsPerNode"],
    )
    before = pool.scaling
    pool.scaling = Scaling(moment, result.results, result.error)
    if before is None or (before.results, before.error) != (result.results, result.error):
        tell("formula.evaluated", pool=pool.id, results=result.results, error=result.error)
    targets = (result.target_dedicated, result.target_low_priority)
    in_force = (pool.target_dedicated, pool.target_low_priority)
    if result.error is None and targets != in_force:
        pool.retarget(*targets, result.node_deallocation_option)
