"""
The images that nodes of Azure Batch run, and the node agents that fit them: a table of November 2026.

Retired images are included, because recorded pools have them; ``list_supported_images`` no longer
names them.
"""

import re
from dataclasses import dataclass
from typing import Final

from batch_emulator.errors import ServiceError, invalid_property
from batch_emulator.wire import Json

_TABLE: Final = r"""
almalinux | almalinux | 8-gen[12]|8_\d+(-gen2)? | batch.node.el 8
almalinux | almalinux | 9-gen[12]|9_\d+(-gen2)? | batch.node.el 9
almalinux | almalinux-x86_64 | 8-gen[12]|8_\d+(-gen2)? | batch.node.el 8
almalinux | almalinux-x86_64 | 9-gen[12]|9_\d+(-gen2)? | batch.node.el 9
almalinux | almalinux-hpc | 8.* | batch.node.el 8
almalinux | almalinux-hpc | 9.* | batch.node.el 9
batch | rendering-centos73 | rendering | batch.node.centos 7
batch | rendering-windows2016 | rendering | batch.node.windows amd64
canonical | 0001-com-ubuntu-confidential-vm-jammy | 22_04-lts-cvm | batch.node.ubuntu 22.04
canonical | 0001-com-ubuntu-server-focal | 20_04-lts(-gen2)? | batch.node.ubuntu 20.04
canonical | 0001-com-ubuntu-server-jammy | 22_04-lts(-gen2)? | batch.node.ubuntu 22.04
canonical | ubuntu-24_04-lts | (server|minimal)(-gen1)?|cvm | batch.node.ubuntu 24.04
canonical | ubuntuserver | 14\.04\.\d+-lts | batch.node.ubuntu 14.04
canonical | ubuntuserver | 16[._]04(\.\d+)?-lts(-gen2)? | batch.node.ubuntu 16.04
canonical | ubuntuserver | 18[._]04(\.\d+)?-lts(-gen2)? | batch.node.ubuntu 18.04
credativ | debian | 9 | batch.node.debian 9
debian | debian-10 | 10(-gen2)? | batch.node.debian 10
debian | debian-11 | 11(-gen2)? | batch.node.debian 11
debian | debian-12 | 12(-gen2)? | batch.node.debian 12
microsoft-azure-batch | centos-container(-rdma)? | 7-\d+ | batch.node.centos 7
microsoft-azure-batch | ubuntu-server-container(-rdma)? | 16-04-lts | batch.node.ubuntu 16.04
microsoft-azure-batch | ubuntu-server-container(-rdma)? | 20-04-lts | batch.node.ubuntu 20.04
microsoft-dsvm | dsvm-win-20\d\d | .* | batch.node.windows amd64
microsoft-dsvm | ubuntu-1804 | 1804(-gen2)? | batch.node.ubuntu 18.04
microsoft-dsvm | ubuntu-2004 | 2004(-gen2)? | batch.node.ubuntu 20.04
microsoft-dsvm | ubuntu-2204 | 2204(-gen2)? | batch.node.ubuntu 22.04
microsoft-dsvm | ubuntu-hpc | 1804 | batch.node.ubuntu 18.04
microsoft-dsvm | ubuntu-hpc | 2004(-preview-ndv5)? | batch.node.ubuntu 20.04
microsoft-dsvm | ubuntu-hpc | 2204(-preview-ndv5)? | batch.node.ubuntu 22.04
microsoft-dsvm | ubuntu-hpc | 2404 | batch.node.ubuntu 24.04
microsoftcblmariner | azure-linux-3 | azure-linux-3(-gen2)? | batch.node.azurelinux 3.0
microsoftcblmariner | cbl-mariner | cbl-mariner-2(-gen2)? | batch.node.mariner 2.0
microsoftwindowsserver | windowsserver | 20(12|16|19|22|25)-.* | batch.node.windows amd64
openlogic | centos(-hpc)? | 7[._]\d+(-gen2)? | batch.node.centos 7
openlogic | centos(-hpc)? | 8[._]\d+(-gen2)? | batch.node.centos 8
resf | rockylinux-x86_64 | 8-(base|lvm) | batch.node.el 8
resf | rockylinux-x86_64 | 9-(base|lvm) | batch.node.el 9
"""


@dataclass(frozen=True, slots=True)
class _Family:
    publisher: str
    offer: re.Pattern[str]
    sku: re.Pattern[str]
    agent: str


def _read(table: str) -> tuple[_Family, ...]:
    # The sign between columns has spaces around it, the one inside a pattern has none.
    rows = (line.split(" | ") for line in table.strip().split("\n"))
    return tuple(
        _Family(publisher, re.compile(offer), re.compile(sku), agent)
        for publisher, offer, sku, agent in rows
    )


_FAMILIES: Final = _read(_TABLE)
AGENTS: Final = frozenset(family.agent for family in _FAMILIES)
WINDOWS_AGENT: Final = "batch.node.windows amd64"
_MARKETPLACE: Final = ("publisher", "offer", "sku")
_CUSTOM: Final = ("virtualMachineImageId", "sharedGalleryImageId", "communityGalleryImageId")
_GALLERY: Final = r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute"
_IDS: Final = {
    "virtualMachineImageId": re.compile(
        rf"{_GALLERY}/(?:images/[^/]+|galleries/[^/]+/images/[^/]+(?:/versions/[^/]+)?)",
        re.IGNORECASE,
    ),
    "sharedGalleryImageId": re.compile(
        r"/SharedGalleries/[^/]+/Images/[^/]+(?:/Versions/[^/]+)?", re.IGNORECASE
    ),
    "communityGalleryImageId": re.compile(
        r"/CommunityGalleries/[^/]+/Images/[^/]+(?:/Versions/[^/]+)?", re.IGNORECASE
    ),
}


def complete_image(machine: Json) -> Json:
    """
    Return the reference of a machine's image with the version that the service adds.

    Raises:
        ServiceError: Batch has no such image, or the node agent is unknown or does not fit.
    """
    image: Json = machine["imageReference"]
    agent = str(machine["nodeAgentSKUId"]).lower()
    custom = [name for name in _CUSTOM if name in image]
    named = [name for name in _MARKETPLACE if name in image]
    if len(custom) + bool(named) != 1:
        reason = "Either publisher, offer and sku, or the id of one image, must be specified"
        raise _wrong_image(reason)
    if agent not in AGENTS:
        reason = f"The node agent is not one of {', '.join(sorted(AGENTS))}"
        raise invalid_property("nodeAgentSKUId", machine["nodeAgentSKUId"], reason)
    if custom:
        _check_id(custom[0], str(image[custom[0]]))
        return image
    missing = [name for name in _MARKETPLACE if name not in image]
    if missing:
        raise ServiceError("MissingRequiredProperty", values=(("PropertyName", missing[0]),))
    fitting = _agent_of(*(str(image[name]).lower() for name in _MARKETPLACE))
    if fitting is None:
        words = " ".join(f"{name} {image[name]}" for name in _MARKETPLACE)
        raise _wrong_image(f"The specified imageReference with {words} is not supported.")
    if fitting != agent:
        reason = f"The node agent of the specified imageReference is {fitting}"
        raise invalid_property("nodeAgentSKUId", machine["nodeAgentSKUId"], reason)
    return {**{name: image[name] for name in _MARKETPLACE}, "version": "latest"} | image


def _agent_of(publisher: str, offer: str, sku: str) -> str | None:
    for family in _FAMILIES:
        known = family.publisher == publisher and family.offer.fullmatch(offer)
        if known and family.sku.fullmatch(sku):
            return family.agent
    return None


def _check_id(name: str, value: str) -> None:
    if not _IDS[name].fullmatch(value):
        raise invalid_property(name, value, "The value is not the id of an image")


def _wrong_image(reason: str) -> ServiceError:
    values = (("PropertyName", "imageReference"), ("Reason", reason))
    return ServiceError("InvalidPropertyValue", values=values)
