"""
The shapes of a pool's machines and users, which are kept without an effect.

A ``Spelling`` says how names and words are spelled: as in the data plane or in Azure Resource Manager.
A ``secret`` is a property that the API marks so. It is checked and dropped: no reply and no file
holds it.
"""

from typing import Final

from batch_emulator.dataplane.shapes import (
    Check,
    Shape,
    anything,
    boolean,
    choice,
    inert,
    integer,
    items,
    kept,
    secret,
    shape,
    text,
)
from batch_emulator.dataplane.spelling import Spelling

_MOST: Final = 2**31 - 1
_IDENTITY: Final = shape({"resourceId": text})


def _managed_disk(spelling: Spelling) -> Shape:
    encryption_set = shape({"id": text})
    return shape(
        {
            "storageAccountType": spelling.word("storageAccountType"),
            "securityProfile": shape(
                {
                    "securityEncryptionType": spelling.word("securityEncryptionType"),
                    "diskEncryptionSet": encryption_set,
                }
            ),
            "diskEncryptionSet": encryption_set,
        }
    )


def _disks(spelling: Spelling) -> dict[str, Check]:
    data = shape(
        {
            "lun": integer(0, 63),
            "caching": spelling.word("caching"),
            "diskSizeGB": integer(1, _MOST),
            "managedDisk": _managed_disk(spelling),
            "storageAccountType": spelling.word("storageAccountType"),  # of older API versions
        },
        required=("lun", "diskSizeGB"),
    )
    system = shape(
        {
            "ephemeralOSDiskSettings": shape({"placement": spelling.word("placement")}),
            "caching": spelling.word("caching"),
            "diskSizeGB": integer(1, _MOST),
            "managedDisk": _managed_disk(spelling),
            "writeAcceleratorEnabled": boolean,
        }
    )
    customer_key = shape(
        {
            "keyUrl": text,
            "rotationToLatestKeyVersionEnabled": boolean,
            "identityReference": _IDENTITY,
        }
    )
    encryption = shape(
        {"targets": items(spelling.word("targets")), "customerManagedKey": customer_key}
    )
    return {
        "dataDisks": items(data),
        "osDisk": system,
        "diskEncryptionConfiguration": encryption,
    }


def _security(spelling: Spelling) -> Shape:
    agent = shape(
        {"mode": spelling.word("mode"), "inVMAccessControlProfileReferenceId": text},
    )
    return shape(
        {
            "securityType": spelling.word("securityType"),
            "encryptionAtHost": boolean,
            "uefiSettings": shape({"secureBootEnabled": boolean, "vTpmEnabled": boolean}),
            "proxyAgentSettings": shape({"enabled": boolean, "imds": agent, "wireServer": agent}),
        }
    )


def _containers(spelling: Spelling) -> Shape:
    registry = shape(
        {
            "username": text,
            "password": secret,
            "registryServer": text,
            "identityReference": _IDENTITY,
        }
    )
    return shape(
        {
            "type": spelling.word("type"),
            "containerImageNames": items(text),
            "containerRegistries": items(registry),
        },
        required=("type",),
    )


_EXTENSION: Final = shape(
    {
        "name": text,
        "publisher": text,
        "type": text,
        "typeHandlerVersion": text,
        "autoUpgradeMinorVersion": boolean,
        "enableAutomaticUpgrade": boolean,
        "settings": anything,
        "protectedSettings": secret,
        "provisionAfterExtensions": items(text),
    },
    required=("name", "publisher", "type"),
)


def machine(spelling: Spelling) -> Shape:
    """Return the shape of ``virtualMachineConfiguration``."""
    agent = spelling.name("virtualMachineConfiguration", "nodeAgentSKUId")
    image = shape(
        {
            "publisher": text,
            "offer": text,
            "sku": text,
            "version": text,
            "exactVersion": inert,
            spelling.name("imageReference", "virtualMachineImageId"): text,
            "sharedGalleryImageId": text,
            "communityGalleryImageId": text,
        }
    )
    return shape(
        {
            "imageReference": image,
            agent: text,
            "windowsConfiguration": shape({"enableAutomaticUpdates": boolean}),
            **_disks(spelling),
            "licenseType": text,
            "containerConfiguration": _containers(spelling),
            "nodePlacementConfiguration": shape({"policy": spelling.word("policy")}),
            "extensions": items(_EXTENSION),
            "securityProfile": _security(spelling),
            "serviceArtifactReference": shape({"id": text}, required=("id",)),
        },
        required=("imageReference", agent),
    )


def user_accounts(spelling: Spelling) -> Check:
    """Return the check of ``userAccounts``; the secrets in them are forgotten."""
    account = shape(
        {
            "name": text,
            "password": secret,
            "elevationLevel": spelling.word("elevationLevel"),
            "linuxUserConfiguration": shape(
                {"uid": integer(0, _MOST), "gid": integer(0, _MOST), "sshPrivateKey": secret}
            ),
            "windowsUserConfiguration": shape({"loginMode": spelling.word("loginMode")}),
        },
        required=("name", "password"),
    )
    return kept(items(account))


def user_identity(spelling: Spelling) -> Check:
    """Return the check of ``userIdentity``."""
    automatic = shape(
        {"scope": spelling.word("scope"), "elevationLevel": spelling.word("elevationLevel")}
    )
    return kept(shape({spelling.name("userIdentity", "username"): text, "autoUser": automatic}))


def upgrade_policy() -> Check:
    """Return the check of ``upgradePolicy``, which both spell alike."""
    return kept(
        shape(
            {
                "mode": choice("automatic", "manual", "rolling"),
                "automaticOSUpgradePolicy": anything,
                "rollingUpgradePolicy": anything,
            },
            required=("mode",),
        )
    )
