"""The shape of a pool's network, which is kept without an effect, in either spelling."""

import re
from typing import Final, cast

from batch_emulator.dataplane.shapes import (
    Rule,
    Shape,
    boolean,
    further,
    integer,
    items,
    only,
    shape,
    text,
)
from batch_emulator.dataplane.spelling import Spelling
from batch_emulator.errors import invalid_property

SUBSCRIPTION: Final = "00000000-0000-0000-0000-000000000000"
"""The subscription that the account is in."""

_SUBNET: Final = re.compile(
    r"/subscriptions/(?P<subscription>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"/resourceGroups/[-\w.()]{1,90}/providers/Microsoft\.Network"
    r"/virtualNetworks/[-\w.]{2,64}/subnets/[-\w.]{1,80}",
    re.IGNORECASE,
)
_RESERVED_PORTS: Final = frozenset({29876, 29877})
_RESERVED_RANGE: Final = range(50_000, 55_001)
_FEWEST_PORTS: Final = 40


def subnet(path: str, value: object) -> object:
    """
    Accept the id of a subnet.

    The emulator's invented subscription has no networks; subnets of other subscriptions are
    accepted unchecked. The reason is the service's, as recorded with such an id.
    """
    match = _SUBNET.fullmatch(cast("str", text(path, value)))
    if match is None:
        reason = "The value is not the id of a subnet of a virtual network"
        raise invalid_property("subnetId", value, reason)
    if match["subscription"] == SUBSCRIPTION:
        reason = (
            "The specified subnetId is in a different subscription and cannot be used with the"
            f" current Batch account in subscription {SUBSCRIPTION}"
        )
        raise invalid_property("subnetId", value, reason)
    return value


def _nat_pool(spelling: Spelling) -> Rule:
    rule = shape(
        {
            "priority": integer(150, 4096),
            "access": spelling.word("access"),
            "sourceAddressPrefix": text,
            "sourcePortRanges": items(text),
        },
        required=("priority", "access", "sourceAddressPrefix"),
    )
    pool = shape(
        {
            "name": text,
            "protocol": spelling.word("protocol"),
            "backendPort": integer(1, 65_535),
            "frontendPortRangeStart": integer(1, 65_534),
            "frontendPortRangeEnd": integer(1, 65_534),
            "networkSecurityGroupRules": items(rule, maximum=25),
        },
        required=(
            "name",
            "protocol",
            "backendPort",
            "frontendPortRangeStart",
            "frontendPortRangeEnd",
        ),
    )

    return further(pool, _check_ports)


def _check_ports(path: str, value: object) -> object:
    given = cast("dict[str, int]", value)
    backend = given["backendPort"]
    if backend in _RESERVED_PORTS:
        raise invalid_property(f"{path}.backendPort", backend, "The port is Batch's own")
    first, last = given["frontendPortRangeStart"], given["frontendPortRangeEnd"]
    if last - first + 1 < _FEWEST_PORTS:
        reason = f"The range has fewer than {_FEWEST_PORTS} ports"
        raise invalid_property(f"{path}.frontendPortRangeEnd", last, reason)
    if first in _RESERVED_RANGE or last in _RESERVED_RANGE:
        reason = "The ports from 50000 to 55000 are Batch's own"
        raise invalid_property(f"{path}.frontendPortRangeStart", first, reason)
    return given


def network(spelling: Spelling) -> Shape:
    """Return the shape of ``networkConfiguration``."""
    nat_pools = spelling.name("endpointConfiguration", "inboundNATPools")
    scope = spelling.name("networkConfiguration", "dynamicVNetAssignmentScope")
    tag = shape({"ipTagType": text, "tag": text})
    address = shape(
        {
            "provision": spelling.word("provision"),
            "ipFamilies": items(spelling.word("ipFamilies")),
            "ipAddressIds": items(text),
            "ipTags": items(tag),
        }
    )
    return shape(
        {
            "subnetId": subnet,
            scope: only("none"),
            "endpointConfiguration": shape(
                {nat_pools: items(_nat_pool(spelling), maximum=5)}, required=(nat_pools,)
            ),
            "publicIPAddressConfiguration": address,
            "enableAcceleratedNetworking": boolean,
        }
    )
