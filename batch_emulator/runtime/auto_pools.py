"""Pools that are made for one job or job schedule and end with it."""

import uuid
from typing import Final

from batch_emulator.errors import ServiceError
from batch_emulator.journal import tell
from batch_emulator.runtime import pools
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.enums import PoolState
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.state.job_schedule import JobSchedule
from batch_emulator.wire import Json

_FORMULA: Final = Failure(
    "InvalidAutoScaleFormulaInAutoPool", "The specified auto-scaling settings are not valid."
)
_PACKAGES: Final = Failure(
    "InvalidApplicationPackageReferencesInAutoPool",
    "One or more application packages specified for the pool are invalid.",
)
_SETTINGS: Final = Failure(
    "InvalidAutoPoolSettings", "The specified autopool settings are not valid."
)
_FAILURES: Final = {
    "AutoScalingFormulaSyntaxError": _FORMULA,
    "AutoScalingFormulaTooLong": _FORMULA,
    "InvalidAutoScalingSettings": _FORMULA,
    "InvalidApplicationPackageReferences": _PACKAGES,
}
"""The scheduling error of a job whose pool cannot be created. Source: the service's table of
scheduling errors."""


def create(account: Account, owner: str, specification: Json) -> tuple[str, Failure | None]:
    """
    Create the pool of an ``autoPoolSpecification``.

    Args:
        account: The account.
        owner: The id of the job or job schedule that the pool is for.
        specification: The ``autoPoolSpecification``.

    Returns:
        The pool's id, and the error if the pool could not be created.
    """
    prefix = specification.get("autoPoolIdPrefix")
    simulation = account.options.simulation
    made = simulation.pool_name(owner, account.clock.now()) if simulation else uuid.uuid4()
    unique = str(made).upper()
    name = f"{prefix}_{unique}" if prefix else unique
    try:
        pools.create(account, {"id": name, **specification["pool"]})
    except ServiceError as error:
        failure = _FAILURES.get(error.code, _SETTINGS)
        tell("pool.not_made", pool=name, code=error.code)
        return name, Failure(failure.code, failure.message, tuple(error.values))
    return name, None


def share(
    account: Account, schedule: JobSchedule, specification: Json
) -> tuple[str, Failure | None]:
    """
    Return the pool of a job schedule for its next job, and create it if it is missing.

    Returns:
        As ``create`` does.
    """
    pool = account.pools.find(schedule.auto_pool or "")
    if pool is not None and pool.state is PoolState.ACTIVE:
        return pool.id, None
    name, failure = create(account, schedule.id, specification)
    if failure is None:
        schedule.auto_pool = name
    return name, failure


def expire(account: Account, name: str) -> None:
    """Delete a pool whose job or job schedule has ended."""
    pool = account.pools.find(name)
    if pool is not None and pool.state is PoolState.ACTIVE:
        pools.delete(pool)
        tell("pool.expired", pool=name)
