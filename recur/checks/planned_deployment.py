"""What is to be deployed, read from the settings before there is a deployment."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from recur.checkout import pool_file
from recur.errors import CliError, Exit

_SUBSCRIPTION: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_REGION: Final = re.compile(r"[a-z0-9]+")
_SIZE: Final = re.compile(r"\w+", re.ASCII)
_GROUP: Final = re.compile(r"[\w().-]{0,89}[\w()-]")
_KINDS: Final = ("dedicated", "spot")
_YES_OR_NO: Final = {"": None, "true": True, "false": False}
_SWITCHES: Final = ("TRUSTED_LAUNCH", "ENCRYPTION_AT_HOST", "DATA_LOCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDeployment:
    """
    What a deployment is to be.

    Attributes:
        subscription: Id of the subscription.
        location: The region as commands take it, such as ``westeurope``.
        vm_size: Of the nodes.
        nodes: How many there may be at once.
        spot: Whether they are Spot nodes.
        private: Whether it is the private profile, in a virtual network.
        group: The resource group, if it is already chosen.
        image_sku: SKU of the image, if it is not the pool's own.
        trusted_launch: Whether nodes boot by verified code only.
        encryption: Whether disks are encrypted on the machine, if that is chosen.
        lock: Whether a lock keeps the data storage.
    """

    subscription: str
    location: str
    vm_size: str
    nodes: int
    spot: bool
    private: bool
    group: str | None
    image_sku: str | None
    trusted_launch: bool
    encryption: bool | None
    lock: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the command line chooses; what it leaves out comes from the settings."""

    subscription: str | None = None
    location: str | None = None
    vm_size: str | None = None


def plain_region(name: str) -> str:
    """Return the name of a region as commands take it: ``West Europe`` is ``westeurope``."""
    return name.lower().replace(" ", "")


def read_planned_deployment(
    values: Mapping[str, str], source: str, choice: Choice
) -> PlannedDeployment:
    """
    Read what is to be deployed.

    Args:
        values: The settings by the names that the Bicep files read.
        source: Where they come from, for messages.
        choice: Goes before them.

    Raises:
        CliError: Something is missing or malformed.
    """

    def text(name: str) -> str:
        return values.get(name, "").strip()

    subscription = choice.subscription or text("AZURE_SUBSCRIPTION_ID")
    location = plain_region(choice.location or text("AZURE_LOCATION"))
    vm_size = choice.vm_size or text("VM_SIZE") or json.loads(pool_file().read_text())["vmSize"]
    nodes, kind = text("MAXIMUM_NODES") or "1", text("NODE_KIND") or _KINDS[0]
    group = text("AZURE_RESOURCE_GROUP")
    switches = {name: text(name).lower() for name in _SWITCHES}
    show = "az account show --query id --output tsv"
    list_ = 'az account list-locations --query "[].name" --output tsv'
    refusals = (
        (
            subscription,
            f"AZURE_SUBSCRIPTION_ID is missing in {source}: add --subscription ID",
            show,
        ),
        (
            _SUBSCRIPTION.fullmatch(subscription),
            f"{subscription} is not a subscription id",
            show,
        ),
        (location, f"AZURE_LOCATION is missing in {source}: add --location REGION", list_),
        (_REGION.fullmatch(location), f"{location} is not the name of a region", list_),
        (
            _SIZE.fullmatch(vm_size),
            f"{vm_size} is not the name of a VM size",
            f"az vm list-sizes --location {location} --output table",
        ),
        (
            nodes.isdecimal() and int(nodes) > 0,
            f"MAXIMUM_NODES in {source} is {nodes}: it must be a whole number, at least 1",
            None,
        ),
        (kind in _KINDS, f"NODE_KIND in {source} is {kind}: it must be dedicated or spot", None),
        (
            not group or _GROUP.fullmatch(group),
            f"AZURE_RESOURCE_GROUP in {source} is not the name of a resource group: {group}",
            "az group list --output table",
        ),
        *(
            (
                value in _YES_OR_NO,
                f"{name} in {source} is {value}: it must be true or false",
                None,
            )
            for name, value in switches.items()
        ),
    )
    for right, message, next_step in refusals:
        if not right:
            raise CliError(Exit.REFUSED, message, next_step)
    chosen = {name: _YES_OR_NO[value] for name, value in switches.items()}
    return PlannedDeployment(
        subscription=subscription,
        location=location,
        vm_size=vm_size,
        nodes=int(nodes),
        spot=kind == "spot",
        private=text("NETWORK") == "private",
        group=group or None,
        image_sku=text("IMAGE_SKU") or None,
        trusted_launch=chosen["TRUSTED_LAUNCH"] is not False,
        encryption=chosen["ENCRYPTION_AT_HOST"],
        lock=chosen["DATA_LOCK"] is not False,
    )
