"""What must hold of the private profile: each policy is a function of a snapshot."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from itertools import combinations
from typing import Any, Final

from tests.policies.resources import Deployed, differ

_ENDPOINTS: Final = {
    ("storageAccounts/sthost", "blob", "blob"),
    ("storageAccounts/stcode", "blob", "blob"),
    ("storageAccounts/stdata", "blob", "blob"),
    ("batchAccounts/batch", "batchAccount", "batch.azure.com"),
    ("batchAccounts/batch", "nodeManagement", "batch.azure.com"),
    ("sites/func-", "sites", "azurewebsites.net"),
}
"""What is reached privately: resource, sub-resource, and the zone in which its name is looked up."""

_PRIVATE_ZONE: Final = re.compile(r"privatelink\.(\w+(?:\.\w+)*)")
_TOKEN: Final = re.compile(r"[a-z0-9]{13}$")


def nothing_answers_in_public(deployed: Deployed) -> list[str]:
    """Switch the public endpoints of storage, Batch and the app off."""
    return differ(
        deployed,
        {
            "Batch/batchAccounts": {"publicNetworkAccess": "Disabled"},
            "Storage/storageAccounts": {
                "publicNetworkAccess": "Disabled",
                "networkAcls.defaultAction": "Deny",
                "networkAcls.bypass": "AzureServices",
            },
            "Web/sites": {"publicNetworkAccess": "Disabled"},
        },
    )


def private_endpoints(deployed: Deployed) -> list[str]:
    """Give each of them a private endpoint, and its name a zone that the network looks in."""
    zones = {
        each["name"].partition("/")[0]: _zone(str(each["properties"]))
        for each in deployed.of("Network/privateEndpoints/privateDnsZoneGroups")
    }
    (network,) = deployed.of("Network/virtualNetworks")
    linked = {
        _zone(each["name"])
        for each in deployed.of("Network/privateDnsZones/virtualNetworkLinks")
        if each["properties"]["virtualNetwork"]["id"] == network["id"]
        and not each["properties"]["registrationEnabled"]
    }
    found = []
    reached = set()
    for name, properties in deployed.properties("Network/privateEndpoints"):
        if not str(properties.get("subnet", {}).get("id", "")).endswith("/subnets/endpoints"):
            found.append(f"{name} lies elsewhere")
        (connection,) = properties["privateLinkServiceConnections"]
        target = connection["properties"]["privateLinkServiceId"].split("/providers/")[-1]
        resource = _TOKEN.sub("", target.partition("/")[2])
        zone = zones.get(name, "no zone")
        reached.add((resource, connection["properties"]["groupIds"][0], zone))
    found += [f"nobody looks in {zone}" for zone in sorted({*zones.values()} - linked)]
    if reached != _ENDPOINTS:
        found.append(f"the endpoints are {sorted(reached)}")
    return found


def way_out(deployed: Deployed) -> list[str]:
    """Give app and nodes an explicit way out, and no address or rule that lets anybody in."""
    ((_, network),) = deployed.properties("Network/virtualNetworks")
    found = []
    for subnet in network["subnets"]:
        name, properties = subnet["name"], subnet["properties"]
        if properties.get("defaultOutboundAccess") is not False:
            found.append(f"{name} goes out by an address that Azure picks")
        if name != "endpoints" and not _exit(properties):
            found.append(f"{name} has no way out")
        if "networkSecurityGroup" not in properties:
            found.append(f"{name} has no security group")
    found += [
        f"{name} has no address"
        for name, properties in _there(deployed, "Network/natGateways")
        if not properties.get("publicIpAddresses")
    ]
    ranges = [ip_network(each["properties"]["addressPrefix"]) for each in network["subnets"]]
    found += [
        f"{one} and {two} overlap" for one, two in combinations(ranges, 2) if one.overlaps(two)
    ]
    nodes = deployed.outputs["NODE_SUBNET_ID"]
    if not nodes.endswith("/subnets/nodes"):
        found.append(f"nodes go to {nodes}")
    found += [
        f"{name} has rules: {properties['securityRules']}"
        for name, properties in deployed.properties("Network/networkSecurityGroups")
        if properties.get("securityRules")
    ]
    return found


def app_in_network(deployed: Deployed) -> list[str]:
    """Let the app reach everything by its own subnet, which belongs to Flex Consumption."""
    ((_, network),) = deployed.properties("Network/virtualNetworks")
    (functions,) = [each for each in network["subnets"] if each["name"] == "functions"]
    services = [
        each["properties"]["serviceName"] for each in functions["properties"].get("delegations", [])
    ]
    ((_, app),) = deployed.properties("Web/sites")
    found = [] if services == ["Microsoft.App/environments"] else [f"it belongs to {services}"]
    if not str(app.get("virtualNetworkSubnetId", "")).endswith("/subnets/functions"):
        found.append(f"the app is in {app.get('virtualNetworkSubnetId')}")
    return found


def _there(deployed: Deployed, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield name and properties of the resources of a type, of which there may be none."""
    return ((each["name"], each["properties"]) for each in deployed.of(kind))


def _zone(text: str) -> str:
    """Return the word for the zone that a text names."""
    found = _PRIVATE_ZONE.search(text)
    return found[1] if found else text


def _exit(properties: Mapping[str, Any]) -> bool:
    return bool(properties.get("natGateway") or properties.get("routeTable"))
