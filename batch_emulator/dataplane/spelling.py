"""
How the data plane and Azure Resource Manager spell the properties of a pool that both have.

Their names differ in a few places, and their enumerations in case. The data plane accepts a word in
any case, Azure Resource Manager only in the case of its published schema.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from batch_emulator.dataplane.shapes import Check, choice
from batch_emulator.errors import invalid_property
from batch_emulator.wire import Json

_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    # The property, the words that the data plane prints, and those of Azure Resource Manager.
    "access": ("allow deny", "Allow Deny"),
    "caching": ("none readonly readwrite", "None ReadOnly ReadWrite"),
    "elevationLevel": ("nonadmin admin", "NonAdmin Admin"),
    "ipFamilies": ("IPv4 IPv6", "IPv4 IPv6"),
    "jobDefaultOrder": ("none creationtime", "None CreationTime"),
    "loginMode": ("batch interactive", "Batch Interactive"),
    "mode": ("Audit Enforce", "Audit Enforce"),
    "nodeFillType": ("Spread Pack", "Spread Pack"),
    "placement": ("cachedisk", "CacheDisk"),
    "policy": ("Regional Zonal", "Regional Zonal"),
    "protocol": ("tcp udp", "TCP UDP"),
    "provision": (
        "batchmanaged usermanaged nopublicipaddresses",
        "BatchManaged UserManaged NoPublicIPAddresses",
    ),
    "scope": ("task pool", "Task Pool"),
    "securityEncryptionType": (
        "NonPersistedTPM VMGuestStateOnly DiskWithVMGuestState",
        "NonPersistedTPM VMGuestStateOnly DiskWithVMGuestState",
    ),
    "securityType": ("trustedlaunch confidentialvm", "trustedLaunch confidentialVM"),
    "storageAccountType": (
        "standard_lrs premium_lrs standardssd_lrs",
        "Standard_LRS Premium_LRS StandardSSD_LRS",
    ),
    "targets": ("osdisk temporarydisk", "OsDisk TemporaryDisk"),
    "type": ("dockerCompatible criCompatible", "DockerCompatible CriCompatible"),
}
_NAMES: Final[Mapping[tuple[str, str], str]] = {
    # The object and the property in it, as the data plane names it.
    ("endpointConfiguration", "inboundNATPools"): "inboundNatPools",
    ("imageReference", "virtualMachineImageId"): "id",
    ("networkConfiguration", "dynamicVNetAssignmentScope"): "dynamicVnetAssignmentScope",
    ("userIdentity", "username"): "userName",
    ("virtualMachineConfiguration", "nodeAgentSKUId"): "nodeAgentSkuId",
}
_BACK: Final = {(within, theirs): ours for (within, ours), theirs in _NAMES.items()}
_FREE: Final = frozenset({"environmentSettings", "metadata", "settings"})
"""Objects whose names are the client's own."""


def one_of(*words: str) -> Check:
    """Accept one of ``words`` as it is spelled here."""

    def check(path: str, value: object) -> object:
        if value not in words:
            raise invalid_property(path, value, f"The value must be one of {', '.join(words)}")
        return value

    return check


@dataclass(frozen=True, slots=True)
class Spelling:
    """
    How one of the two spells names and words.

    Attributes:
        names: Its names of properties where they differ from the data plane's, by object and
            property.
        word: Returns the check of a property with one of these words.
    """

    names: Mapping[tuple[str, str], str]
    word: Callable[[str], Check]

    def name(self, within: str, name: str) -> str:
        """Return its name for a property of the data plane, in an object of this name."""
        return self.names.get((within, name), name)


DATA_PLANE: Final = Spelling({}, lambda name: choice(*_WORDS[name][0].split()))
RESOURCE_MANAGER: Final = Spelling(_NAMES, lambda name: one_of(*_WORDS[name][1].split()))


def _pairs(*, back: bool) -> Mapping[str, Mapping[str, str]]:
    both = {name: (ours.split(), theirs.split()) for name, (ours, theirs) in _WORDS.items()}
    return {
        name: {
            (their if back else our).lower(): our if back else their
            for our, their in zip(ours, theirs, strict=True)
        }
        for name, (ours, theirs) in both.items()
    }


_TO_ARM: Final = _pairs(back=False)
_TO_DATA_PLANE: Final = _pairs(back=True)


def to_arm(value: Json) -> Json:
    """Return properties of the data plane as Azure Resource Manager spells them."""
    return cast("Json", _respell(value, "", _NAMES, _TO_ARM))


def to_data_plane(value: Json) -> Json:
    """Return properties of Azure Resource Manager as the data plane spells them."""
    return cast("Json", _respell(value, "", _BACK, _TO_DATA_PLANE))


def _respell(
    value: object,
    within: str,
    names: Mapping[tuple[str, str], str],
    words: Mapping[str, Mapping[str, str]],
) -> object:
    if within in _FREE:
        return value
    if isinstance(value, list):
        return [_respell(item, within, names, words) for item in value]
    if isinstance(value, dict):
        return {
            names.get((within, key), key): _respell(item, key, names, words)
            for key, item in cast("Json", value).items()
        }
    return words.get(within, {}).get(value.lower(), value) if isinstance(value, str) else value
