"""What an operator's settings file says of a product under test."""

import asyncio
from pathlib import Path

from tests.support.operator import Operator, Told, operator
from tests.support.world import World


def values(world: World, **changed: str) -> dict[str, str]:
    """Return the settings of a product by their names."""
    one = world.settings
    return {
        "BATCH_ACCOUNT_URL": one.batch_account_url,
        "BATCH_ACCOUNT_NAME": one.batch_account_name or "",
        "BATCH_ACCOUNT_KEY": one.batch_account_key or "",
        "BATCH_ARM_TOKEN": world.arm_token,
        "BATCH_POOL_ID": one.place.pool_id,
        "DATA_STORAGE_URL": one.data_storage_url,
        "DATA_STORAGE_CONNECTION_STRING": one.data_storage_connection_string or "",
        "LEDGER_CONTAINER": one.ledger_container,
        "OUTPUTS_CONTAINER": one.outputs_container,
        "NODE_IDENTITY_ID": one.place.node_identity,
        "AZURE_CLIENT_ID": one.client_id,
        **changed,
    }


def operator_of(world: World, folder: Path, **changed: str) -> Operator:
    """Return somebody at a keyboard with the settings of a product."""
    return operator(folder, **values(world, **changed))


async def doctor(world: World, folder: Path, **changed: str) -> Told:
    """Examine a deployment; in a thread, since the emulator lives in this one."""
    someone = operator_of(world, folder, **changed)
    return await asyncio.to_thread(someone.recur, "--json", "doctor")
