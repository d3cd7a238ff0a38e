"""Checks of the VM size before a deployment: whether Batch has it, and what it can."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from recur.arm_reader import ArmReader
from recur.checks.findings import Finding, good, note, problem, unchecked
from recur.checks.planned_deployment import PlannedDeployment, plain_region

_BATCH: Final = "2025-06-01"
_COMPUTE: Final = "2021-07-01"
_TRUE: Final = "true"

type Sku = Mapping[str, Any]


def check_batch_size(reader: ArmReader, planned: PlannedDeployment) -> Iterator[Finding]:
    """Yield whether Batch makes nodes of the size in the region."""
    check = f"{planned.vm_size} in Batch"
    path = f"/providers/Microsoft.Batch/locations/{planned.location}/virtualMachineSkus"
    sku = _named(planned.vm_size, reader.list(path, _BATCH))
    if sku is None:
        yield problem(
            check,
            f"Batch does not offer it in {planned.location}",
            "the pool cannot be deployed",
            f"az batch location list-skus --location {planned.location} "
            f'--subscription {planned.subscription} --query "[].name" --output tsv',
        )
        return
    yield _retirement(check, sku.get("batchSupportEndOfLife"), planned)


def _retirement(check: str, ends: object, planned: PlannedDeployment) -> Finding:
    fix = (
        f"az batch location list-skus --location {planned.location} "
        f'--subscription {planned.subscription} --query "[?batchSupportEndOfLife==null].name" '
        "--output tsv"
    )
    if not ends:
        return good(check, f"offered in {planned.location}")
    try:
        end = datetime.fromisoformat(str(ends))
    except ValueError:
        return unchecked(check, f"offered, until a time that cannot be read: {ends}")
    what = f"Batch ends its support on {end:%Y-%m-%d}"
    if end.replace(tzinfo=end.tzinfo or UTC) <= datetime.now(UTC):
        return problem(check, what, "the pool gets no nodes", fix)
    return note(check, what, "from then on the pool gets no nodes", fix)


def check_machine(reader: ArmReader, planned: PlannedDeployment) -> Iterator[Finding]:
    """Yield what Compute says of the size, as far as the pool depends on it."""
    location = planned.location
    listed = reader.list(
        "/providers/Microsoft.Compute/skus", _COMPUTE, _filter=f"location eq '{location}'"
    )
    machines = [one for one in listed if one.get("resourceType") == "virtualMachines"]
    sku = _named(planned.vm_size, machines)
    if sku is None:
        yield problem(
            planned.vm_size,
            f"Azure does not offer it in {location}",
            "the pool cannot be deployed",
            _others(planned, "name"),
        )
        return
    yield _restriction(sku, planned)
    can = {str(one.get("name")): str(one.get("value", "")) for one in sku.get("capabilities") or ()}
    yield _disk(can, planned)
    yield _generation(can, planned)
    yield _trusted_launch(can, planned)
    yield _encryption(can, planned)
    if planned.spot:
        yield _spot(can, planned)
    yield _cores(can, str(sku.get("family") or "its family"), planned)


def _named(name: str, skus: list[dict[str, Any]]) -> Sku | None:
    return next((one for one in skus if str(one.get("name")).lower() == name.lower()), None)


def _others(planned: PlannedDeployment, condition: str) -> str:
    """Return the command that lists the sizes that meet a condition in JMESPath."""
    return (
        f"az vm list-skus --location {planned.location} --subscription {planned.subscription} "
        f'--resource-type virtualMachines --query "[?{condition}].name" --output tsv'
    )


def _having(capability: str, value: str) -> str:
    return f"capabilities[?name=='{capability}' && {value}]"


def _restriction(sku: Sku, planned: PlannedDeployment) -> Finding:
    check = f"{planned.vm_size} restrictions"
    for one in sku.get("restrictions") or ():
        places = (one.get("restrictionInfo") or {}).get("locations") or one.get("values") or ()
        if one.get("type") == "Location" and planned.location in map(plain_region, places):
            return problem(
                check,
                f"withheld from this subscription in {planned.location} "
                f"({one.get('reasonCode') or 'no reason given'})",
                "Batch uses its own subscriptions, but rarely has a size that Azure "
                "withholds: runs would wait, and no node would come",
                _others(planned, "(restrictions[?type=='Location'] | [0])==null"),
            )
    return good(check, "none for this subscription")


def _disk(can: Mapping[str, str], planned: PlannedDeployment) -> Finding:
    check = f"{planned.vm_size} local disk"
    size = can.get("MaxResourceVolumeMB")
    if size is None or not size.isdigit():
        return unchecked(check, "Azure does not report its size")
    if int(size) > 0:
        return good(check, f"{size} MB")
    return problem(
        check,
        "missing",
        "Batch does not support every size without one, and tasks work on that disk",
        _others(planned, _having("MaxResourceVolumeMB", "value!='0'")),
    )


def _generation(can: Mapping[str, str], planned: PlannedDeployment) -> Finding:
    check = f"{planned.vm_size} image"
    generations = can.get("HyperVGenerations")
    if generations is None:
        return unchecked(check, "Azure does not report the image generations that it runs")
    needed = _generation_of_image(planned.image_sku)
    if needed is None:
        return unchecked(check, f"the name {planned.image_sku} does not say which generation it is")
    processor = can.get("CpuArchitectureType", "x64")
    if f"V{needed}" in generations.split(",") and processor.lower() == "x64":
        return good(check, f"it runs images of generation {needed}")
    return problem(
        check,
        f"it runs images of {generations} for {processor}",
        f"the pool's image is of generation {needed} (V{needed}) for x64, so no node would start",
        _others(planned, _having("HyperVGenerations", f"contains(value, 'V{needed}')")),
    )


def _generation_of_image(sku: str | None) -> int | None:
    """Return the generation of an image: 2 for the pool's own, else what the SKU's name says."""
    if sku is None:
        return 2
    told = re.search(r"(?:^|[-_])g(?:en)?([12])$", sku, re.IGNORECASE)
    return int(told[1]) if told else None


def _trusted_launch(can: Mapping[str, str], planned: PlannedDeployment) -> Finding:
    check = f"{planned.vm_size} trusted launch"
    if not planned.trusted_launch:
        return good(check, "not wanted (TRUSTED_LAUNCH=false)")
    if "HyperVGenerations" not in can:
        return unchecked(check, "Azure does not report the image generations that it runs")
    second = "V2" in can["HyperVGenerations"].split(",")
    if second and can.get("TrustedLaunchDisabled", "").lower() != _TRUE:
        return good(check, "possible")
    return problem(
        check,
        "not possible",
        "the pool cannot be deployed with it; TRUSTED_LAUNCH=false deploys it without",
        _others(planned, "(capabilities[?name=='TrustedLaunchDisabled'] | [0])==null"),
    )


def _encryption(can: Mapping[str, str], planned: PlannedDeployment) -> Finding:
    check = f"{planned.vm_size} encryption at host"
    if can.get("EncryptionAtHostSupported", "").lower() == _TRUE:
        return good(check, "possible")
    if planned.encryption:
        return problem(
            check,
            "not possible",
            "the pool cannot be deployed with it; ENCRYPTION_AT_HOST=false deploys it without",
            _others(planned, _having("EncryptionAtHostSupported", "value=='True'")),
        )
    return note(
        check,
        "not possible",
        "only the storage below then encrypts the local disk",
        _others(planned, _having("EncryptionAtHostSupported", "value=='True'")),
    )


def _spot(can: Mapping[str, str], planned: PlannedDeployment) -> Finding:
    check = f"{planned.vm_size} as Spot node"
    capable = can.get("LowPriorityCapable")
    if capable is None:
        return unchecked(check, "Azure does not report it")
    if capable.lower() == _TRUE:
        return good(check, "possible")
    return problem(
        check,
        "not possible",
        "NODE_KIND is spot: the pool gets no nodes",
        _others(planned, _having("LowPriorityCapable", "value=='True'")),
    )


def _cores(can: Mapping[str, str], family: str, planned: PlannedDeployment) -> Finding:
    """Say what the pool needs; the quota that counts is that of an account which is not there yet."""
    kind = "Spot" if planned.spot else "dedicated"
    cores = can.get("vCPUs", "")
    number = str(int(cores) * planned.nodes) if cores.isdigit() else "an unknown number of"
    return unchecked(
        "quota of cores",
        f"the pool needs {number} {kind} cores of {family} for {planned.nodes} node(s). The quota "
        "of the Batch account counts, and the account gets it when it is made: `recur doctor` "
        "reads it then. The quota of Compute does not count",
    )
