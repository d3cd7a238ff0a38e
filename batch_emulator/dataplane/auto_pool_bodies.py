"""``poolInfo`` in request bodies: the id of a pool, or a pool to create."""

from typing import Final, cast

from batch_emulator.dataplane.pool_bodies import POOL_SPECIFICATION, complete_pool
from batch_emulator.dataplane.shapes import boolean, choice, further, identifier, shape
from batch_emulator.errors import ServiceError, invalid_property
from batch_emulator.wire import Json

_MOST_PREFIX: Final = 20


def _prefix(path: str, value: object) -> object:
    if len(cast("str", value)) > _MOST_PREFIX:
        raise invalid_property(path, value, f"A prefix has at most {_MOST_PREFIX} characters")
    return value


POOL_INFO: Final = shape(
    {
        "poolId": identifier,
        "autoPoolSpecification": shape(
            {
                "autoPoolIdPrefix": further(identifier, _prefix),
                "poolLifetimeOption": choice("jobschedule", "job"),
                "keepAlive": boolean,
                "pool": POOL_SPECIFICATION,
            },
            required=("poolLifetimeOption", "pool"),
        ),
    }
)


def complete_pool_info(given: Json, *, any_vm_size: bool, of_schedule: bool = False) -> Json:
    """
    Return a ``poolInfo`` of the right shape with the service's defaults.

    Args:
        given: A ``poolInfo`` that passed the check.
        any_vm_size: Whether to accept VM sizes that are not in the emulator's table.
        of_schedule: Whether it belongs to a job schedule, whose pool can live as long as that.

    Raises:
        ServiceError: It names no pool or two, or the pool to create is invalid.
    """
    if "autoPoolSpecification" not in given:
        if "poolId" not in given:
            values = (("PropertyName", "poolInfo.poolId"),)
            raise ServiceError("MissingRequiredProperty", values=values)
        return given
    if "poolId" in given:
        reason = "The properties poolId and autoPoolSpecification exclude each other"
        raise invalid_property("poolInfo.poolId", given["poolId"], reason)
    specification = given["autoPoolSpecification"]
    if specification["poolLifetimeOption"] == "jobschedule" and not of_schedule:
        name = "poolInfo.autoPoolSpecification.poolLifetimeOption"
        raise invalid_property(
            name, "jobschedule", "The option can be applied to job schedules only"
        )
    pool = complete_pool(specification["pool"], any_vm_size=any_vm_size)
    if not pool["enableAutoScale"]:
        pool = {"targetDedicatedNodes": 0, "targetLowPriorityNodes": 0, **pool}
    return {"autoPoolSpecification": {"keepAlive": False, **specification, "pool": pool}}
