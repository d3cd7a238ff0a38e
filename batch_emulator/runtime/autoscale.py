"""The pool's size by formula: samples, evaluations, and the result of the last one."""

import asyncio
import itertools
from datetime import datetime, timedelta
from typing import Final

from batch_emulator.errors import ServiceError
from batch_emulator.formula import (
    Evaluation,
    Formula,
    FormulaSyntaxError,
    Metric,
    SampleStore,
    parse_formula,
)
from batch_emulator.formula.errors import ErrorCode, FaultError
from batch_emulator.formula.evaluation import failed
from batch_emulator.journal import tell
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.backlog import Progress
from batch_emulator.runtime.enums import AllocationState, NodeState, PoolState
from batch_emulator.runtime.state.pool import Pool, Scaling
from batch_emulator.simulation import SAMPLE_DELAY_SECONDS
from batch_emulator.wire import parse_duration

_PERIOD: Final = timedelta(seconds=30)
_RETENTION: Final = timedelta(days=1)
_ENABLE_EVERY: Final = timedelta(seconds=30)
_USABLE: Final = {NodeState.IDLE, NodeState.RUNNING}


def read_formula(text: str) -> Formula:
    """
    Parse the formula of a new pool.

    Raises:
        ServiceError: AutoScalingFormulaSyntaxError, with the place and the reason.
    """
    try:
        return parse_formula(text)
    except FormulaSyntaxError as error:
        raise ServiceError(str(error.code), values=(("Message", str(error)),)) from error


def follow(account: Account, pool: Pool, *, at_once: bool = False) -> None:
    """
    Let a pool follow the formula that it has now, with its samples, or none.

    Args:
        account: Of the pool.
        pool: What follows.
        at_once: Evaluate the formula now, not only after the first interval.
    """
    if pool.formula is None and pool.follower is not None:
        pool.follower.cancel()
        pool.follower = pool.samples = None
    elif pool.formula is not None and pool.follower is None:
        samples = pool.samples = _new_samples(account)
        pool.follower = account.background.start(
            _follow(account, pool, samples, at_once=at_once), name=f"formula of pool {pool.id}"
        )


def _new_samples(account: Account) -> SampleStore:
    simulation = account.options.simulation
    delay = simulation.nodes.sample_delay_seconds if simulation else SAMPLE_DELAY_SECONDS
    return SampleStore(
        period=account.at_speed(_PERIOD),
        latency=account.at_speed(timedelta(seconds=delay)),
        retention=account.at_speed(_RETENTION),
        since=account.clock.now(),
    )


def enable(account: Account, pool: Pool, text: str | None, interval: str | None) -> None:
    """
    Let a pool follow a formula, or change the formula or interval that it has.

    Nothing is evaluated at once: a new interval starts a new schedule of evaluations, the first of
    which comes at its end, and a new formula alone waits for the next evaluation that is due. Source:
    the report CDCgov/cfa_azure#211, that no way of enabling forces an evaluation.

    Raises:
        ServiceError: The pool is being deleted or resized, was enabled a moment ago, or the
            formula is missing or wrong.
    """
    if pool.state is PoolState.DELETING:
        raise ServiceError("PoolBeingDeleted")
    if pool.formula is None and pool.allocation is not AllocationState.STEADY:
        raise ServiceError("PoolBeingResized")
    if pool.formula is None and text is None:
        values = (("PropertyName", "autoScaleFormula"),)
        raise ServiceError("MissingRequiredProperty", values=values)
    before = pool.auto_scale_enabled
    if before is not None and before <= pool.clock.now() < before + account.at_speed(_ENABLE_EVERY):
        raise ServiceError("TooManyEnableAutoScaleRequests")
    if text is not None:
        pool.formula = read_formula(text)
        pool.body["autoScaleFormula"] = text
    pool.body["enableAutoScale"] = True
    pool.body.pop("resizeTimeout", None)
    pool.body["autoScaleEvaluationInterval"] = (
        interval or pool.body.get("autoScaleEvaluationInterval") or "PT15M"
    )
    pool.modified = pool.auto_scale_enabled = pool.clock.now()
    if pool.follower is not None and interval is not None:
        pool.rescheduled.set()
    follow(account, pool)
    tell("pool.auto_scale_enabled", pool=pool.id)


def disable(account: Account, pool: Pool) -> None:
    """
    Let a pool stop following its formula; its targets stay as they are.

    Raises:
        ServiceError: The pool is being deleted.
    """
    if pool.state is PoolState.DELETING:
        raise ServiceError("PoolBeingDeleted")
    for name in ("autoScaleFormula", "autoScaleEvaluationInterval"):
        pool.body.pop(name, None)
    pool.body = {"resizeTimeout": "PT15M", **pool.body, "enableAutoScale": False}
    pool.formula = pool.scaling = None
    pool.modified = pool.clock.now()
    follow(account, pool)
    tell("pool.auto_scale_disabled", pool=pool.id)


def evaluate(account: Account, pool: Pool, text: str) -> Scaling:
    """
    Evaluate a formula with the samples of a pool, and change nothing.

    Raises:
        ServiceError: The pool follows no formula, or this one cannot be parsed.
    """
    if pool.samples is None:
        reason = "Automatic scaling is not enabled on the pool"
        raise ServiceError("OperationNotValidOnPool", values=(("Reason", reason),))
    moment = account.clock.now()
    result = _result(account, pool, read_formula(text), pool.samples, moment)
    return Scaling(moment, result.results, result.error)


async def _follow(account: Account, pool: Pool, samples: SampleStore, *, at_once: bool) -> None:
    """Sample the pool and evaluate the formula it has, at its speed, until it is deleted."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_sample(account, pool, samples))
        group.create_task(_evaluate(account, pool, samples, at_once=at_once))


async def _sample(account: Account, pool: Pool, samples: SampleStore) -> None:
    clock, simulation = account.clock, account.options.simulation
    last = clock.now()
    numbers = itertools.count()
    while pool.state is PoolState.ACTIVE:
        # The clock of a laptop may be set back, and samples are kept in order. Those of a future
        # that is far could not be read, and nothing after them, until it has come.
        if (moment := clock.now()) < last - samples.period:
            samples.restart(moment)
            last = moment
            tell("clock.set_back", pool=pool.id)
        last = max(moment, last + timedelta(microseconds=1))
        values, taken = _measure(account, pool), 0
        # Until something happens, which virtual time knows, the next samples are like this one.
        while not taken or last + samples.period < clock.quiet_until():
            last += samples.period if taken else timedelta()
            lost = simulation is not None and simulation.loses_sample(pool.id, next(numbers))
            samples.record(at=last, values={} if lost else values)
            taken += 1
        await account.pause(taken * _PERIOD.total_seconds())


def _measure(account: Account, pool: Pool) -> dict[str, float]:
    # What is active in a job that has ended, or waits for another task, is not pending.
    backlog = account.backlog(pool.id)
    active, running = backlog.ready, backlog.counts[Progress.RUNNING]
    usable = sum(node.state in _USABLE for node in pool.nodes.values())
    preempted = sum(node.state is NodeState.PREEMPTED for node in pool.nodes.values())
    return {
        Metric.ACTIVE_TASKS: active,
        Metric.RUNNING_TASKS: running,
        Metric.PENDING_TASKS: active + running,
        Metric.SUCCEEDED_TASKS: backlog.counts[Progress.SUCCEEDED],
        Metric.FAILED_TASKS: backlog.counts[Progress.FAILED],
        Metric.CURRENT_DEDICATED_NODES: pool.current(dedicated=True),
        Metric.CURRENT_LOW_PRIORITY_NODES: pool.current(dedicated=False),
        Metric.PREEMPTED_NODE_COUNT: preempted,
        Metric.USABLE_NODE_COUNT: usable,
        Metric.SAMPLE_NODE_COUNT: usable,
        Metric.TASK_SLOTS_PER_NODE: pool.body["taskSlotsPerNode"],
    }


async def _evaluate(account: Account, pool: Pool, samples: SampleStore, *, at_once: bool) -> None:
    due = at_once
    while pool.state is PoolState.ACTIVE and pool.formula is not None:
        if due:
            _evaluate_once(account, pool, pool.formula, samples)
        interval = account.at_speed(parse_duration(pool.body["autoScaleEvaluationInterval"]))
        due = not await account.clock.wait(pool.rescheduled, interval.total_seconds())
        pool.rescheduled.clear()


def _evaluate_once(account: Account, pool: Pool, formula: Formula, samples: SampleStore) -> None:
    moment = account.clock.now()
    result = _result(account, pool, formula, samples, moment)
    before = pool.scaling
    pool.scaling = Scaling(moment, result.results, result.error)
    if before is None or (before.results, before.error) != (result.results, result.error):
        tell("formula.evaluated", pool=pool.id, results=result.results, error=result.error)
    targets = (result.target_dedicated, result.target_low_priority)
    in_force = (pool.target_dedicated, pool.target_low_priority)
    if result.error is None and (targets != in_force or pool.held):
        pool.retarget(*targets, result.node_deallocation_option)


def _result(
    account: Account, pool: Pool, formula: Formula, samples: SampleStore, moment: datetime
) -> Evaluation:
    if (failure := pool.evaluation_failure) is not None:
        fault = FaultError(failure.message, code=ErrorCode(failure.code))
        targets = (pool.target_dedicated, pool.target_low_priority)
        return failed(fault, dedicated=targets[0], low_priority=targets[1])
    return formula.evaluate(
        now=moment,
        samples=samples,
        speed=account.options.pool_speed,
        target_dedicated=pool.target_dedicated,
        target_low_priority=pool.target_low_priority,
        task_slots_per_node=pool.body["taskSlotsPerNode"],
    )
