"""The private profile: each policy notices what breaks it."""

import pytest

from tests.policies import names
from tests.policies.groups import GROUPS
from tests.support.snapshots import ID, Break, broken, deployed, drop, load, output, put

SUBNET = "subnets.{}.properties.{}".format
NETWORK = "Network/virtualNetworks"
ENDPOINTS = "Network/privateEndpoints"
GATEWAY = "Network/natGateways"
LINKS = "Network/privateDnsZones/virtualNetworkLinks"
BROKEN: list[tuple[str, str, Break]] = [
    *(
        (
            "nothing_answers_in_public",
            f"{kind} answers",
            put(kind, "publicNetworkAccess", "Enabled"),
        )
        for kind in ("Batch/batchAccounts", "Storage/storageAccounts", "Web/sites")
    ),
    (
        "nothing_answers_in_public",
        "Batch cannot make containers",
        put("Storage/storageAccounts", "networkAcls.bypass", "None", only="stdata"),
    ),
    *(
        ("private_endpoints", f"{only} has no endpoint", drop(ENDPOINTS, only=only))
        for only in ("pe-stdata", "pe-stcode", "pe-sthost", "-nodes", "pe-func-")
    ),
    (
        "private_endpoints",
        "the wrong endpoint of Batch",
        put(
            ENDPOINTS,
            "privateLinkServiceConnections.0.properties.groupIds",
            ["batchAccount"],
            only="-nodes",
        ),
    ),
    (
        "private_endpoints",
        "nobody looks in the zones",
        drop("Network/privateDnsZones/virtualNetworkLinks"),
    ),
    (
        "private_endpoints",
        "a name without a zone",
        drop("Network/privateEndpoints/privateDnsZoneGroups", only="pe-stdata"),
    ),
    (
        "private_endpoints",
        "another network looks in the zones",
        put(LINKS, "virtualNetwork.id", f"{ID}.{NETWORK}/other"),
    ),
    (
        "private_endpoints",
        "machines register themselves among the endpoints",
        put(LINKS, "registrationEnabled", value=True),
    ),
    ("way_out", "nodes have no gateway", put(NETWORK, SUBNET(1, "natGateway"), None)),
    ("way_out", "the app has no gateway", put(NETWORK, SUBNET(0, "natGateway"), None)),
    (
        "way_out",
        "an address that Azure picks",
        put(NETWORK, SUBNET(1, "defaultOutboundAccess"), value=True),
    ),
    ("way_out", "a gateway without an address", put(GATEWAY, "publicIpAddresses", [])),
    (
        "way_out",
        "two subnets of the same addresses",
        put(NETWORK, SUBNET(1, "addressPrefix"), "10.80.0.0/26"),
    ),
    ("way_out", "nodes among the endpoints", output("NODE_SUBNET_ID", "x/subnets/endpoints")),
    ("way_out", "a rule that lets in", put("Network/networkSecurityGroups", "securityRules", [{}])),
    ("app_in_network", "a subnet of nobody", put(NETWORK, SUBNET(0, "delegations"), [])),
    ("app_in_network", "the app stays outside", put("Web/sites", "virtualNetworkSubnetId", None)),
]


@pytest.mark.parametrize(
    ("policy", "change"),
    [(policy, change) for policy, _, change in BROKEN],
    ids=[f"{policy}: {what}" for policy, what, _ in BROKEN],
)
def test_what_breaks_a_policy_is_noticed(policy: str, change: Break) -> None:
    """The same deployment with one thing changed."""
    assert broken(GROUPS["private"][policy], change, "core.private") != []


def test_every_policy_has_something_that_breaks_it() -> None:
    """A policy that nothing breaks checks nothing."""
    assert {policy for policy, _, _ in BROKEN} == set(GROUPS["private"])


def test_a_firewall_takes_the_place_of_the_gateway() -> None:
    """With a route table there is no address and no NAT gateway to pay for."""
    kinds = {each["type"] for each in load("core.firewall")["predictedResources"]}
    own = {each["type"] for each in load("core.private")["predictedResources"]}

    assert own - kinds == {"Microsoft.Network/natGateways", "Microsoft.Network/publicIPAddresses"}


def test_two_deployments_fit_into_one_group() -> None:
    """They differ by the name of the environment alone, and share the zones of private names."""
    one, other = deployed(load("core.private")), deployed(load("core.firewall"))

    assert names.apart(one, other) == []
    assert len(names.apart(one, one)) > len(one.of("Storage/storageAccounts"))


def test_by_default_there_is_no_network() -> None:
    """It costs more than all the rest: it is there for those who ask for it."""
    assert not [
        each["type"]
        for each in load("core.defaults")["predictedResources"]
        if each["type"].startswith("Microsoft.Network/")
    ]
