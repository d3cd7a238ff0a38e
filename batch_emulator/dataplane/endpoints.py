"""The endpoints that a node shows, as recorded nodes do; nothing listens at them."""

from collections.abc import Iterator
from typing import Final

from batch_emulator.dataplane.images import WINDOWS_AGENT
from batch_emulator.runtime.state.node import Node
from batch_emulator.wire import Json

_ADDRESS: Final = {"publicIPAddress": "127.0.0.1", "publicFQDN": "localhost"}
_FIRST_PORT: Final = 50_000
_SSH: Final = 22
_REMOTE_DESKTOP: Final = 3389


def show_endpoints(node: Node) -> Json | None:
    """Return a node's ``endpointConfiguration``, or nothing if it has no public address."""
    network = node.pool.body.get("networkConfiguration", {})
    address = network.get("publicIPAddressConfiguration", {})
    if address.get("provision") == "nopublicipaddresses":
        return None
    return {"inboundEndpoints": [*_endpoints(node, network)]}


def _endpoints(node: Node, network: Json) -> Iterator[Json]:
    number = list(node.pool.nodes).index(node.id) if node.id in node.pool.nodes else 0
    for pool in network.get("endpointConfiguration", {}).get("inboundNATPools", ()):
        yield {
            "name": f"{pool['name']}.{number}",
            "protocol": pool["protocol"],
            **_ADDRESS,
            "frontendPort": pool["frontendPortRangeStart"] + number,
            "backendPort": pool["backendPort"],
        }
    agent = str(node.pool.body["virtualMachineConfiguration"]["nodeAgentSKUId"]).lower()
    yield {
        "name": f"SSHRule.{number}",
        "protocol": "tcp",
        **_ADDRESS,
        "frontendPort": _FIRST_PORT + number,
        "backendPort": _REMOTE_DESKTOP if agent == WINDOWS_AGENT else _SSH,
    }
