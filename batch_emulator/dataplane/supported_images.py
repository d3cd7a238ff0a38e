"""
The images that the emulated account supports: a few of the service's, as of 2026-11-29.

Sources: recorded replies of the service, and in Azure/Batch the issues 178 (capabilities), 181
(AlmaLinux), 200 (the end of Ubuntu 22.04) and the notice of the end of Windows Server 2016.
"""

from typing import Final

from batch_emulator.wire import Json

_CONTAINERS: Final = ("DockerCompatible", "SupportsRDMAOnly")
_GENERATION_2: Final = ("Generation2VMImage",)
_END_OF_JAMMY: Final = "2027-06-30T00:00:00Z"


def _image(  # noqa: PLR0913 - the columns of a table
    publisher: str,
    offer: str,
    sku: str,
    agent: str,
    *,
    capabilities: tuple[str, ...] = (),
    end: str | None = None,
    verification: str = "verified",
) -> Json:
    reference = {"publisher": publisher, "offer": offer, "sku": sku, "version": "latest"}
    windows = agent.startswith("windows")
    return {
        "imageReference": reference,
        "verificationType": verification,
        "nodeAgentSKUId": f"batch.node.{agent}",
        **({"capabilities": [*capabilities]} if capabilities else {}),
        **({"batchSupportEndOfLife": end} if end else {}),
        "osType": "windows" if windows else "linux",
    }


SUPPORTED_IMAGES: Final = (
    _image("almalinux", "almalinux-x86_64", "8-gen1", "el 8", verification="unverified"),
    _image(
        "almalinux",
        "almalinux-x86_64",
        "8-gen2",
        "el 8",
        capabilities=_GENERATION_2,
        verification="unverified",
    ),
    _image(
        "canonical",
        "0001-com-ubuntu-server-jammy",
        "22_04-lts",
        "ubuntu 22.04",
        end=_END_OF_JAMMY,
    ),
    _image("canonical", "ubuntu-24_04-lts", "server", "ubuntu 24.04", capabilities=_GENERATION_2),
    _image(
        "microsoft-dsvm",
        "ubuntu-hpc",
        "2204",
        "ubuntu 22.04",
        capabilities=_CONTAINERS + _GENERATION_2,
        end=_END_OF_JAMMY,
    ),
    _image(
        "microsoft-dsvm",
        "ubuntu-hpc",
        "2404",
        "ubuntu 24.04",
        capabilities=_CONTAINERS + _GENERATION_2,
    ),
    _image(
        "microsoftwindowsserver",
        "windowsserver",
        "2016-datacenter",
        "windows amd64",
        end="2027-01-12T00:00:00Z",
    ),
    _image("microsoftwindowsserver", "windowsserver", "2022-datacenter", "windows amd64"),
)


def image_name(image: Json) -> str:
    """Return what the list of images is ordered by."""
    return ":".join(image["imageReference"].values())
