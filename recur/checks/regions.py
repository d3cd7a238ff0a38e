"""Checks of subscription and region before a deployment: providers, offers, number of accounts."""

from collections.abc import Iterator
from typing import Final

from recur.arm_reader import ArmReader, ClosedError, UnreadError
from recur.checks.findings import Finding, good, note, problem, unchecked
from recur.checks.planned_deployment import PlannedDeployment, plain_region

PROVIDERS: Final = (
    "Microsoft.Batch",
    "Microsoft.Web",
    "Microsoft.Storage",
    "Microsoft.Insights",
    "Microsoft.OperationalInsights",
    "Microsoft.ManagedIdentity",
)
"""The resource providers that every deployment needs, beside those that no subscription lacks."""

PRIVATE_PROVIDERS: Final = ("Microsoft.Network", "Microsoft.App")
"""Those of the private profile; a subnet of Flex Consumption belongs to Microsoft.App."""

_RESOURCES: Final = "2025-04-01"
_BATCH: Final = "2025-06-01"
_WEB: Final = "2025-05-01"


def check_providers(reader: ArmReader, planned: PlannedDeployment) -> Iterator[Finding]:
    """Yield whether each resource provider is registered."""
    for name in PROVIDERS + (PRIVATE_PROVIDERS if planned.private else ()):
        try:
            state = reader.get(f"/providers/{name}", _RESOURCES).get("registrationState")
        except ClosedError:
            raise
        except UnreadError as error:
            yield unchecked(f"provider {name}", str(error))
            continue
        yield _provider(name, str(state or ""), planned)


def _provider(name: str, state: str, planned: PlannedDeployment) -> Finding:
    check = f"provider {name}"
    show = (
        f"az provider show --namespace {name} --subscription {planned.subscription} "
        "--query registrationState --output tsv"
    )
    match state.lower():
        case "registered":
            return good(check, "registered")
        case "registering":
            why = "a deployment before it is finished fails; it takes minutes"
            return note(check, "is being registered", why, show)
        case "":
            return unchecked(check, "Azure does not report its state")
        case _:
            return problem(
                check,
                f"is not registered ({state})",
                "the deployment fails, unless you have the right to register it for the subscription",
                f"az provider register --namespace {name} --subscription {planned.subscription} "
                "--wait",
            )


def check_flex(reader: ArmReader, planned: PlannedDeployment) -> Iterator[Finding]:
    """Yield whether the function app's plan is offered in the region."""
    listed = reader.list("/providers/Microsoft.Web/geoRegions", _WEB, sku="FlexConsumption")
    if planned.location in {plain_region(str(one.get("name") or "")) for one in listed}:
        yield good("Flex Consumption", f"offered in {planned.location}")
        return
    yield problem(
        "Flex Consumption",
        f"not offered in {planned.location}",
        "the function app cannot be deployed there",
        f"az functionapp list-flexconsumption-locations --subscription {planned.subscription} "
        '--query "[].name" --output tsv',
    )


def check_batch_region(reader: ArmReader, planned: PlannedDeployment) -> Iterator[Finding]:
    """Yield whether Batch accounts can be made in the region."""
    types = reader.get("/providers/Microsoft.Batch", _RESOURCES).get("resourceTypes") or ()
    places = {
        plain_region(place)
        for one in types
        if str(one.get("resourceType")).lower() == "batchaccounts"
        for place in one.get("locations") or ()
    }
    if not places:
        yield unchecked("Batch", "Azure does not report its regions")
    elif planned.location in places:
        yield good("Batch", f"offered in {planned.location}")
    else:
        yield problem(
            "Batch",
            f"not offered in {planned.location}",
            "the Batch account cannot be deployed there",
            f"az provider show --namespace Microsoft.Batch --subscription {planned.subscription} "
            "--query \"resourceTypes[?resourceType=='batchAccounts'].locations[]\" --output tsv",
        )


def check_accounts(reader: ArmReader, planned: PlannedDeployment) -> Iterator[Finding]:
    """Yield whether the subscription may have one more Batch account in the region."""
    check = "Batch accounts"
    path = f"/providers/Microsoft.Batch/locations/{planned.location}/quotas"
    quota = reader.get(path, _BATCH).get("accountQuota")
    if not isinstance(quota, int):
        yield unchecked(check, "Azure does not report the quota")
        return
    ids = [
        str(one.get("id") or "")
        for one in reader.list("/providers/Microsoft.Batch/batchAccounts", _BATCH)
        if plain_region(str(one.get("location") or "")) == planned.location
    ]
    what = f"{len(ids)} of {quota} in {planned.location}"
    if len(ids) < quota:
        yield good(check, what)
        return
    group = f"/resourcegroups/{planned.group.lower()}/" if planned.group else None
    if group and any(group in one.lower() for one in ids):
        yield note(
            check,
            f"{what}, including one in {planned.group}",
            "the deployment works only if that account is its own",
            f"az batch account list --resource-group {planned.group} "
            f"--subscription {planned.subscription} --output table",
        )
        return
    yield problem(
        check,
        what,
        "the Batch account cannot be deployed: ask for more with a support request of the type "
        "Batch, or remove an unused account",
        f"az batch account list --subscription {planned.subscription} --output table",
    )
