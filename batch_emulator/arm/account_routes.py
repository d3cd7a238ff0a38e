"""The account as a resource: its endpoint, its settings and its quotas."""

from typing import Final

from aiohttp import web

from batch_emulator.arm.arm_call import PRINCIPAL, TENANT, TYPE, ArmCall, account_id, storage_id
from batch_emulator.runtime.pools import MOST_NODES
from batch_emulator.wire import Json, print_time

_CORES: Final = 2 * MOST_NODES  # of the smallest size with two
_POOLS: Final = 100
_JOBS: Final = 300


def _arm_account(call: ArmCall) -> Json:
    account = call.account
    keys = account.options.package_sas
    identity = {"type": "SystemAssigned", "principalId": PRINCIPAL, "tenantId": TENANT}
    return {
        "id": account_id(account),
        "name": account.options.account,
        "type": TYPE,
        "location": "laptop",
        "identity": {"type": "None"} if keys else identity,
        "tags": {},
        "properties": {
            "accountEndpoint": account.url.partition("://")[2],
            "provisioningState": "Succeeded",
            "poolAllocationMode": "BatchService",
            "publicNetworkAccess": "Enabled",
            "autoStorage": {
                "storageAccountId": storage_id(account),
                "authenticationMode": "StorageKeys" if keys else "BatchAccountManagedIdentity",
                "lastKeySync": print_time(account.started),
            },
            "dedicatedCoreQuota": _CORES,
            "dedicatedCoreQuotaPerVMFamily": [],
            "dedicatedCoreQuotaPerVMFamilyEnforced": False,
            "lowPriorityCoreQuota": _CORES,
            "poolQuota": _POOLS,
            "activeJobAndJobScheduleQuota": _JOBS,
            "allowedAuthenticationModes": ["SharedKey"],
        },
    }


async def get(call: ArmCall) -> web.Response:
    """Answer GET of the account."""
    return call.one(_arm_account(call))
