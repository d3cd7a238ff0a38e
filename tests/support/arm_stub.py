"""Azure Resource Manager of one subscription, answering in the shapes of the management SDKs."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast

from aiohttp import web
from azure.mgmt.authorization.v2022_04_01.models import Permission
from azure.mgmt.batch.models import BatchAccount, BatchLocationQuota, SkuCapability, SupportedSku
from azure.mgmt.compute.models import (
    ResourceSku,
    ResourceSkuCapabilities,
    ResourceSkuRestrictionInfo,
    ResourceSkuRestrictions,
)
from azure.mgmt.resource.resources.models import Provider, ProviderResourceType
from azure.mgmt.web.models import GeoRegion

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
PAGE = 2
"""How many objects a page holds: every list has several."""

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def made[T](model: type[T], **attributes: object) -> T:
    """
    Return a model with its attributes, also those that only the service sets.

    Raises:
        AttributeError: The model has no such attribute.
    """
    one = model()
    for name, value in attributes.items():
        setattr(one, name, value)
    if len(wire(one)) != len(attributes):
        raise AttributeError(f"{model.__name__} has not all of {sorted(attributes)}")
    return one


def wire(model: object) -> dict[str, Any]:
    """Return a model as the service sends it."""
    if isinstance(model, Permission):  # of an older generation of SDKs
        return cast("dict[str, Any]", model.serialize(keep_readonly=True))
    return cast("dict[str, Any]", cast("Any", model).as_dict())


def size(name: str, family: str, **capabilities: str) -> ResourceSku:
    """Return a VM size as Compute lists it."""
    listed = [
        made(ResourceSkuCapabilities, name=name, value=value)
        for name, value in capabilities.items()
    ]
    return made(
        ResourceSku,
        resource_type="virtualMachines",
        name=name,
        family=family,
        locations=["westeurope"],
        capabilities=listed,
        restrictions=[],
    )


def withheld(kind: str, location: str) -> ResourceSkuRestrictions:
    """Return a restriction of a VM size, of a location or of zones in it."""
    return made(
        ResourceSkuRestrictions,
        type=kind,
        values_property=[location],
        restriction_info=made(
            ResourceSkuRestrictionInfo, locations=[location], zones=["1"] if kind == "Zone" else []
        ),
        reason_code="NotAvailableForSubscription",
    )


def supported(name: str, **more: object) -> SupportedSku:
    """Return a VM size as Batch lists it."""
    capability = made(SkuCapability, name="vCPUs", value="2")
    return made(SupportedSku, name=name, family_name="f", capabilities=[capability], **more)


def account(name: str, group: str, location: str) -> BatchAccount:
    """Return a Batch account."""
    id_ = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"
        f"/providers/Microsoft.Batch/batchAccounts/{name}"
    )
    return made(BatchAccount, id=id_, name=name, location=location)


GOOD_SIZE = {
    "MaxResourceVolumeMB": "76800",
    "HyperVGenerations": "V1,V2",
    "CpuArchitectureType": "x64",
    "vCPUs": "2",
    "EncryptionAtHostSupported": "True",
    "LowPriorityCapable": "True",
}


@dataclass
class Subscription:
    """
    A subscription in which everything can be deployed to westeurope, until a test changes it.

    Attributes:
        states: Registration state of each resource provider.
        batch_regions: Where Batch is offered.
        flex_regions: Where Flex Consumption is offered.
        rights: What the caller may do in the subscription.
        groups: The resource groups, with what the caller may do in each.
        quota: How many Batch accounts there may be in a region.
        accounts: The Batch accounts that exist.
        batch_sizes: The VM sizes of Batch.
        sizes: The VM sizes of Compute.
    """

    states: dict[str, str] = field(
        default_factory=lambda: dict.fromkeys(
            (
                "Microsoft.Batch",
                "Microsoft.Web",
                "Microsoft.Storage",
                "Microsoft.Insights",
                "Microsoft.OperationalInsights",
                "Microsoft.ManagedIdentity",
                "Microsoft.Network",
                "Microsoft.App",
            ),
            "Registered",
        )
    )
    batch_regions: list[str] = field(default_factory=lambda: ["East US", "West Europe"])
    flex_regions: list[str] = field(
        default_factory=lambda: ["East US", "North Europe", "West Europe"]
    )
    rights: list[Permission] = field(default_factory=lambda: [Permission(actions=["*"])])
    groups: dict[str, list[Permission]] = field(default_factory=dict)
    quota: int = 3
    accounts: list[BatchAccount] = field(
        default_factory=lambda: [
            account("one", "first", "westeurope"),
            account("two", "second", "westeurope"),
            account("three", "third", "eastus"),
        ]
    )
    batch_sizes: list[SupportedSku] = field(
        default_factory=lambda: [
            supported("Standard_A1_v2"),
            supported("Standard_D2s_v5"),
            supported("Standard_D2ds_v5"),
        ]
    )
    sizes: list[ResourceSku] = field(
        default_factory=lambda: [
            size("Standard_D4ds_v5", "standardDDSv5Family", **GOOD_SIZE),
            made(ResourceSku, resource_type="disks", name="Standard_D2ds_v5"),
            size("Standard_D2ds_v5", "standardDDSv5Family", **GOOD_SIZE),
        ]
    )

    @property
    def size(self) -> ResourceSku:
        """The VM size that is looked at."""
        return self.sizes[-1]

    def can(self, **capabilities: str | None) -> None:
        """Change capabilities of that size; None takes one away."""
        told = GOOD_SIZE | capabilities
        left = {name: value for name, value in told.items() if value is not None}
        self.sizes[-1] = size("Standard_D2ds_v5", "standardDDSv5Family", **left)


class ArmStub:
    """
    A server on loopback that answers for one subscription.

    Attributes:
        subscription: What it answers.
        faults: What it does instead, by the last part of a path in lower case.
        requests: What it was asked: method, path, query.
    """

    def __init__(self) -> None:
        self.subscription = Subscription()
        self.faults: dict[str, Handler] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.url = ""
        self._stopping = asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        await self._runner.cleanup()

    async def silence(self, _request: web.Request) -> web.StreamResponse:
        """Say nothing for as long as the stub lives."""
        await self._stopping.wait()
        return web.Response(status=503)

    async def trickle(self, request: web.Request) -> web.StreamResponse:
        """Send a byte now and then, and never the end."""
        response = web.StreamResponse()
        await response.prepare(request)
        while not self._stopping.is_set():
            try:
                await response.write(b" ")
            except ConnectionError:
                break
            await asyncio.sleep(0.1)
        return response

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer as the subscription is, or by a fault."""
        self.requests.append((request.method, request.path, dict(request.query)))
        if request.headers.get("Authorization") != "Bearer laptop":
            return refusal(401, "AuthenticationFailed", "The Authorization header is missing.")
        parts = request.path.lower().strip("/").split("/")
        fault = self.faults.get(parts[-1])
        if fault is not None:
            return await fault(request)
        if parts[:2] != ["subscriptions", SUBSCRIPTION]:
            text = f"The subscription '{parts[1]}' could not be found."
            return refusal(404, "SubscriptionNotFound", text)
        return self._route(request, tuple(parts[2:]))

    def _route(  # noqa: PLR0911 - one for each kind of path
        self, request: web.Request, parts: tuple[str, ...]
    ) -> web.Response:
        has = self.subscription
        match parts:
            case ("providers", name):
                return self._provider(name)
            case ("providers", "microsoft.authorization", "permissions"):
                return self._page(request, has.rights)
            case ("resourcegroups", name, "providers", "microsoft.authorization", "permissions"):
                if name not in has.groups:
                    text = f"Resource group '{name}' could not be found."
                    return refusal(404, "ResourceGroupNotFound", text)
                return self._page(request, has.groups[name])
            case ("providers", "microsoft.web", "georegions"):
                assert request.query["sku"] == "FlexConsumption"
                regions = [made(GeoRegion, name=name) for name in has.flex_regions]
                return self._page(request, regions)
            case ("providers", "microsoft.batch", "locations", "westeurope", "quotas"):
                return web.json_response(wire(made(BatchLocationQuota, account_quota=has.quota)))
            case ("providers", "microsoft.batch", "locations", "westeurope", "virtualmachineskus"):
                return self._page(request, has.batch_sizes)
            case ("providers", "microsoft.batch", "batchaccounts"):
                return self._page(request, has.accounts)
            case ("providers", "microsoft.compute", "skus"):
                assert request.query["$filter"] == "location eq 'westeurope'"
                return self._page(request, has.sizes)
            case _:
                return refusal(404, "InvalidResourceType", f"There is no {request.path}.")

    def _provider(self, name: str) -> web.Response:
        has = self.subscription
        (namespace,) = [one for one in has.states if one.lower() == name]
        types = [
            made(ProviderResourceType, resource_type=kind, locations=places)
            for kind, places in (
                ("operations", ["West Europe"]),
                ("batchAccounts", has.batch_regions),
            )
        ]
        return web.json_response(
            wire(
                made(
                    Provider,
                    namespace=namespace,
                    registration_state=has.states[namespace],
                    resource_types=types,
                )
            )
        )

    def _page(self, request: web.Request, models: Sequence[object]) -> web.Response:
        begin = int(request.query.get("$skiptoken", "0"))
        body: dict[str, Any] = {"value": [wire(one) for one in models[begin : begin + PAGE]]}
        if begin + PAGE < len(models):
            following = request.url.update_query({"$skiptoken": str(begin + PAGE)})
            body["nextLink"] = str(following)
        return web.json_response(body)


def refusal(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> web.Response:
    """Return an error as Resource Manager tells it."""
    body = {"error": {"code": code, "message": message}}
    return web.json_response(body, status=status, headers=headers)
