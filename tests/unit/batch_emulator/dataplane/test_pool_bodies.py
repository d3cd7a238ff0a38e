"""The request bodies of pools: what is refused, what is completed, what is forgotten."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batch_emulator.arm.pool_properties import read_resource, to_pool, to_properties
from batch_emulator.dataplane.pool_bodies import complete_pool, read_pool
from batch_emulator.dataplane.vm_sizes import SIZES
from batch_emulator.errors import ServiceError

IMAGE = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}
MACHINE = {"imageReference": IMAGE, "nodeAgentSKUId": "batch.node.ubuntu 24.04"}
POOL: dict[str, Any] = {
    "id": "p",
    "vmSize": "Standard_D2ds_v5",
    "virtualMachineConfiguration": MACHINE,
}
SUBNETS = "/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/net/subnets/sub"
OWN = "00000000-0000-0000-0000-000000000000"
SECRETS = {
    "userAccounts": [
        {
            "name": "a",
            "password": "hush-1",
            "linuxUserConfiguration": {"uid": 1, "gid": 1, "sshPrivateKey": "hush-2"},
        }
    ],
    "virtualMachineConfiguration": {
        **MACHINE,
        "containerConfiguration": {
            "type": "dockerCompatible",
            "containerRegistries": [{"username": "u", "password": "hush-3"}],
        },
        "extensions": [
            {"name": "e", "publisher": "p", "type": "t", "protectedSettings": {"key": "hush-4"}}
        ],
    },
    "mountConfiguration": [
        {
            "azureBlobFileSystemConfiguration": {
                "accountName": "a",
                "containerName": "c",
                "relativeMountPath": "m",
                "accountKey": "hush-5",
                "sasKey": "hush-6",
            },
            "azureFileShareConfiguration": {
                "accountName": "a",
                "azureFileUrl": "u",
                "relativeMountPath": "m",
                "accountKey": "hush-7",
            },
            "cifsMountConfiguration": {
                "username": "u",
                "source": "s",
                "relativeMountPath": "m",
                "password": "hush-8",
            },
        }
    ],
}


def refused(body: object) -> ServiceError:
    with pytest.raises(ServiceError) as error:
        read_pool(body)
    return error.value


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"enableAutoScale": True}, "autoScaleFormula"),
        ({"enableAutoScale": True, "autoScaleFormula": "", "targetDedicatedNodes": 1}, "target"),
        ({"autoScaleFormula": "x"}, "autoScaleFormula"),
        ({"targetDedicatedNodes": -1}, "targetDedicatedNodes"),
        ({"targetDedicatedNodes": True}, "targetDedicatedNodes"),
        ({"taskSlotsPerNode": 0}, "taskSlotsPerNode"),
        ({"mountConfiguration": [{"nfsMountConfiguration": {"source": "a"}}]}, "relativeMountPath"),
        ({"startTask": {}}, "startTask.commandLine"),
        ({"startTask": {"commandLine": "x", "resourceFiles": [{}]}}, "startTask.resourceFiles"),
        ({"id": None}, "id"),
        ({"vmSize": None}, "vmSize"),
        ({"virtualMachineConfiguration": None}, "virtualMachineConfiguration"),
        ({"virtualMachineConfiguration": {}}, "virtualMachineConfiguration.imageReference"),
        ({"cloudServiceConfiguration": {"osFamily": "5"}}, "cloudServiceConfiguration"),
        ({"networkConfiguration": {"dynamicVNetAssignmentScope": "job"}}, "AssignmentScope"),
        ({"userAccounts": [{"name": "a"}]}, "userAccounts[0].password"),
        ({"metadata": [{"name": "a"}]}, "metadata[0].value"),
        ({"taskSchedulingPolicy": {"nodeFillType": "any"}}, "taskSchedulingPolicy.nodeFillType"),
    ],
)
def test_pools_that_are_refused(properties: dict[str, object], named: str) -> None:
    """A pool that is wrong, or more than the emulator can do, is refused by the property's path."""
    with pytest.raises(ServiceError) as refused:
        read_pool({**POOL, **properties})
    assert named in str(refused.value)


@pytest.mark.parametrize(
    "size",
    [
        "Standard_D2ds_v5",
        "STANDARD_D2S_V3",
        "standard_a1",
        "Standard_D1_v2",
        "Standard_E8-4ds_v5",
        "Standard_NC4as_T4_v3",
        "Standard_HB120-16rs_v3",
        "Basic_A1",
        "Standard_F4s_v2",
    ],
)
def test_sizes_that_batch_has(size: str) -> None:
    """A size is taken in any case, and printed in lower case as by the service."""
    assert read_pool({**POOL, "vmSize": size})["vmSize"] == size.lower()


@pytest.mark.parametrize(
    "size",
    [
        "nonsense",
        "",
        "small",
        "Standard_",
        "Standard_DS64_v3",
        "Standard_D3s_v5",
        "Standard_D2ds_v9",
        "Standard_A0",
        "Standard_A8",
        "Standard_B2s",
        "Basic_A0",
        "Basic_D2ds_v5",
        "Standard_E8-8ds_v5",
        "Standard_E8-0ds_v5",
        "D2ds_v5",
    ],
)
def test_sizes_that_batch_lacks(size: str) -> None:
    """A name that no size has is refused, unless any is to be taken."""
    error = refused({**POOL, "vmSize": size})

    assert (error.code, error.values[:2]) == (
        "InvalidPropertyValue",
        (("PropertyName", "vmSize"), ("PropertyValue", size)),
    )
    assert read_pool({**POOL, "vmSize": size}, any_vm_size=True)["vmSize"] == size.lower()


def test_every_size_has_a_name_that_is_taken() -> None:
    """The table holds no name that the grammar refuses."""
    assert {read_pool({**POOL, "vmSize": size})["vmSize"] for size in SIZES} == SIZES


@pytest.mark.parametrize(
    ("publisher", "offer", "sku", "agent"),
    [
        ("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts", "batch.node.ubuntu 22.04"),
        ("Canonical", "UbuntuServer", "18.04-LTS", "batch.node.ubuntu 18.04"),
        ("Canonical", "UbuntuServer", "14.04.5-LTS", "batch.node.ubuntu 14.04"),
        ("microsoft-dsvm", "ubuntu-hpc", "2404", "batch.node.ubuntu 24.04"),
        (
            "MicrosoftWindowsServer",
            "WindowsServer",
            "2016-Datacenter-smalldisk",
            "batch.node.windows amd64",
        ),
        ("almalinux", "almalinux", "8_5", "batch.node.el 8"),
    ],
)
def test_images_that_batch_has(publisher: str, offer: str, sku: str, agent: str) -> None:
    """An image is taken in any case with the agent that fits it, and gets the version ``latest``."""
    image = {"publisher": publisher, "offer": offer, "sku": sku}
    machine = {"imageReference": image, "nodeAgentSKUId": agent}

    kept = read_pool({**POOL, "virtualMachineConfiguration": machine})

    assert kept["virtualMachineConfiguration"] == {
        "imageReference": {**image, "version": "latest"},
        "nodeAgentSKUId": agent,
    }


@pytest.mark.parametrize(
    ("image", "agent", "name", "reason"),
    [
        (
            {"publisher": "a", "offer": "b", "sku": "c"},
            "batch.node.windows amd64",
            "imageReference",
            "The specified imageReference with publisher a offer b sku c is not supported.",
        ),
        (IMAGE, "batch.node.ubuntu 22.04", "nodeAgentSKUId", "batch.node.ubuntu 24.04"),
        (IMAGE, "batch.node.beos", "nodeAgentSKUId", "not one of"),
        ({}, "batch.node.ubuntu 24.04", "imageReference", "must be specified"),
        (
            {**IMAGE, "virtualMachineImageId": "/x"},
            "batch.node.ubuntu 24.04",
            "imageReference",
            "must be specified",
        ),
        (
            {"virtualMachineImageId": "/subscriptions/s/images/i"},
            "batch.node.ubuntu 24.04",
            "virtualMachineImageId",
            "not the id of an image",
        ),
    ],
)
def test_images_that_batch_lacks(image: object, agent: str, name: str, reason: str) -> None:
    """The image and its agent are refused as in recordings, where one is recorded."""
    machine = {"imageReference": image, "nodeAgentSKUId": agent}

    error = refused({**POOL, "virtualMachineConfiguration": machine})

    assert (error.code, error.values[0]) == ("InvalidPropertyValue", ("PropertyName", name))
    assert reason in dict(error.values)["Reason"]


def test_an_image_of_ones_own_is_taken() -> None:
    """An image of a gallery has any agent that Batch knows, and no version is added."""
    gallery = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/x"
    image = {"virtualMachineImageId": f"{gallery}/images/y/versions/1.0.0"}
    machine = {"imageReference": image, "nodeAgentSKUId": "batch.node.el 9"}

    kept = read_pool({**POOL, "virtualMachineConfiguration": machine})

    assert kept["virtualMachineConfiguration"] == machine


@pytest.mark.parametrize(
    ("subnet", "reason"),
    [
        ("subnet", "not the id of a subnet"),
        (f"/subscriptions/s{SUBNETS}", "not the id of a subnet"),
        (f"/subscriptions/{OWN}/resourceGroups/g/subnets/sub", "not the id of a subnet"),
        (f"/subscriptions/{OWN}{SUBNETS}", "in a different subscription"),
    ],
)
def test_subnets_that_cannot_be(subnet: str, reason: str) -> None:
    """A subnet is named by its id; the subscription that is made up has none."""
    error = refused({**POOL, "networkConfiguration": {"subnetId": subnet}})

    assert error.values[:2] == (("PropertyName", "subnetId"), ("PropertyValue", subnet))
    assert reason in dict(error.values)["Reason"]


@pytest.mark.parametrize(
    "change",
    [
        {"backendPort": 29876},
        {"backendPort": 0},
        {"frontendPortRangeEnd": 2010},
        {"frontendPortRangeEnd": 50_000},
        {"protocol": "icmp"},
        {"networkSecurityGroupRules": [{"priority": 1, "access": "deny"}]},
    ],
)
def test_endpoints_that_cannot_be(change: dict[str, object]) -> None:
    """Ports of Batch's own, ranges that are too small and the like are refused."""
    endpoint = {
        "name": "e",
        "protocol": "tcp",
        "backendPort": 8000,
        "frontendPortRangeStart": 2000,
        "frontendPortRangeEnd": 2100,
    }
    network = {"endpointConfiguration": {"inboundNATPools": [endpoint]}}
    assert read_pool({**POOL, "networkConfiguration": network})
    network["endpointConfiguration"]["inboundNATPools"] = [endpoint | change]

    error = refused({**POOL, "networkConfiguration": network})

    assert error.code in {"InvalidPropertyValue", "MissingRequiredProperty"}


def test_what_the_service_adds() -> None:
    """The defaults of disks, networks and users are those of recorded pools."""
    rule = {"priority": "150", "access": "Allow", "sourceAddressPrefix": "*"}
    nat = {
        "name": "e",
        "protocol": "UDP",
        "backendPort": 64444,
        "frontendPortRangeStart": 60000,
        "frontendPortRangeEnd": 61000,
        "networkSecurityGroupRules": [rule],
    }
    windows = {
        "imageReference": {
            "publisher": "MicrosoftWindowsServer",
            "offer": "WindowsServer",
            "sku": "2016-Datacenter-smalldisk",
        },
        "nodeAgentSKUId": "batch.node.windows amd64",
        "dataDisks": [{"lun": 1, "diskSizeGB": 50}],
        "osDisk": {"diskSizeGB": 100},
    }

    kept = read_pool(
        {
            **POOL,
            "virtualMachineConfiguration": windows,
            "networkConfiguration": {"endpointConfiguration": {"inboundNATPools": [nat]}},
            "userAccounts": [{"name": "a", "password": "hush"}],
        }
    )

    machine = kept["virtualMachineConfiguration"]
    assert machine["dataDisks"] == [
        {
            "lun": 1,
            "diskSizeGB": 50,
            "caching": "none",
            "managedDisk": {"storageAccountType": "standard_lrs"},
        }
    ]
    assert machine["osDisk"] == {"diskSizeGB": 100, "ephemeralOSDiskSettings": {}}
    assert kept["networkConfiguration"]["dynamicVNetAssignmentScope"] == "none"
    [seen] = kept["networkConfiguration"]["endpointConfiguration"]["inboundNATPools"]
    assert (seen["protocol"], seen["networkSecurityGroupRules"]) == (
        "udp",
        [
            {
                "priority": 150,
                "access": "allow",
                "sourceAddressPrefix": "*",
                "sourcePortRanges": ["*"],
            }
        ],
    )
    assert kept["userAccounts"] == [
        {
            "name": "a",
            "elevationLevel": "nonadmin",
            "windowsUserConfiguration": {"loginMode": "batch"},
        }
    ]


def test_numbers_can_be_strings() -> None:
    """The echo of a pool holds numbers, where the client sent strings as azure-cli does."""
    pool = read_pool({**POOL, "targetDedicatedNodes": "1", "taskSlotsPerNode": "4"})

    assert (pool["targetDedicatedNodes"], pool["taskSlotsPerNode"]) == (1, 4)


def test_secrets_are_not_kept() -> None:
    """Nothing that the API marks as secret is in what is kept of a pool."""
    pool = read_pool(POOL | SECRETS)

    assert "hush" not in json.dumps(pool)
    assert pool["userAccounts"][0]["linuxUserConfiguration"] == {"uid": 1, "gid": 1}
    registries = pool["virtualMachineConfiguration"]["containerConfiguration"]
    assert registries["containerRegistries"] == [{"username": "u"}]


def _secrets(definitions: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, definition in definitions.items():
        for key, value in definition.get("properties", {}).items():
            if value.get("x-ms-secret"):
                yield name, key


def test_the_secrets_are_those_of_the_api() -> None:
    """Each property that Microsoft's definitions mark as secret is forgotten, or refused."""
    if not (folder := os.environ.get("RECUR_ORACLES")):
        pytest.skip("RECUR_ORACLES names no folder of facts about the real service")
    files = Path(folder, "openapi").glob("*/Batch*.json")
    marked = {
        secret for file in files for secret in _secrets(json.loads(file.read_text())["definitions"])
    }
    refused_whole = {("CertificateCreateOrUpdateProperties", "password")}

    assert marked - refused_whole == {
        ("AzureBlobFileSystemConfiguration", "accountKey"),
        ("AzureBlobFileSystemConfiguration", "sasKey"),
        ("AzureFileShareConfiguration", "accountKey"),
        ("CIFSMountConfiguration", "password"),
        ("ContainerRegistry", "password"),
        ("LinuxUserConfiguration", "sshPrivateKey"),
        ("UserAccount", "password"),
        ("VMExtension", "protectedSettings"),
    }
    assert refused({**POOL, "certificateReferences": []}).code == "NotSupportedByEmulator"


def test_both_spellings_are_one_pool() -> None:
    """A pool of Azure Resource Manager is kept as the data plane spells it, and comes back."""
    properties = {
        "vmSize": "standard_d2ds_v5",
        "deploymentConfiguration": {
            "virtualMachineConfiguration": {
                "imageReference": {**IMAGE, "version": "latest"},
                "nodeAgentSkuId": "batch.node.ubuntu 24.04",
                "dataDisks": [
                    {
                        "lun": 1,
                        "diskSizeGB": 50,
                        "caching": "ReadOnly",
                        "managedDisk": {"storageAccountType": "Premium_LRS"},
                    }
                ],
                "securityProfile": {"securityType": "trustedLaunch", "encryptionAtHost": True},
            }
        },
        "networkConfiguration": {
            "dynamicVnetAssignmentScope": "none",
            "publicIPAddressConfiguration": {"provision": "NoPublicIPAddresses"},
        },
        "interNodeCommunication": "Disabled",
        "taskSlotsPerNode": 1,
        "taskSchedulingPolicy": {"nodeFillType": "Pack", "jobDefaultOrder": "CreationTime"},
        "userAccounts": [{"name": "a", "elevationLevel": "Admin"}],
        "startTask": {
            "commandLine": "/bin/true",
            "userIdentity": {"userName": "a"},
            "maxTaskRetryCount": 0,
            "waitForSuccess": True,
        },
        "scaleSettings": {
            "fixedScale": {
                "targetDedicatedNodes": 1,
                "targetLowPriorityNodes": 0,
                "resizeTimeout": "PT15M",
            }
        },
    }
    secret = {"userAccounts": [{"name": "a", "elevationLevel": "Admin", "password": "hush"}]}

    read = read_resource({"properties": properties | secret})["properties"]
    pool = complete_pool(to_pool("p", read, "/applications"))

    disk = pool["virtualMachineConfiguration"]["dataDisks"][0]
    assert (disk["caching"], disk["managedDisk"]["storageAccountType"]) == (
        "readonly",
        "premium_lrs",
    )
    assert pool["startTask"]["userIdentity"] == {"username": "a"}
    assert pool["networkConfiguration"] == {
        "dynamicVNetAssignmentScope": "none",
        "publicIPAddressConfiguration": {"provision": "nopublicipaddresses"},
    }
    assert to_properties(pool, (1, 0), "/applications") == properties
