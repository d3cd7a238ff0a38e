"""The hosts that may get the operator's token without a question: those of Azure."""

import re
from enum import StrEnum
from typing import Final

_URL: Final = re.compile(r"https://(?P<host>[a-z0-9-]+(\.[a-z0-9-]+)+)(:443)?/?", re.IGNORECASE)
"""Nothing else in it: programs disagree on where the host ends in an odd address."""


class Service(StrEnum):
    """What Recur speaks to in Azure."""

    BATCH = "Azure Batch"
    STORAGE = "Azure Storage"
    RESOURCE_MANAGER = "Azure Resource Manager"


SUFFIXES: Final[dict[Service, tuple[str, ...]]] = {
    Service.BATCH: (
        "batch.azure.com",
        "batch.usgovcloudapi.net",
        "batch.chinacloudapi.cn",
    ),
    Service.STORAGE: (
        "blob.core.windows.net",
        "blob.storage.azure.net",
        "blob.core.usgovcloudapi.net",
        "blob.core.chinacloudapi.cn",
    ),
    Service.RESOURCE_MANAGER: (
        "management.azure.com",
        "management.usgovcloudapi.net",
        "management.chinacloudapi.cn",
    ),
}
"""The public cloud, the one of the US government, and the one of 21Vianet in China."""


def is_azures(url: str, service: Service) -> bool:
    """Whether an address is that of a service in one of Azure's clouds, over https."""
    match = _URL.fullmatch(url)
    if match is None:
        return False
    host = match["host"].lower()
    return any(
        host.endswith(f".{suffix}") or (service is Service.RESOURCE_MANAGER and host == suffix)
        for suffix in SUFFIXES[service]
    )
