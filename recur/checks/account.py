"""Checks of the Batch account by Azure Resource Manager: access, quotas, packages."""

import re
from collections.abc import Iterator
from typing import Final

from azure.batch.models import BatchPool
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.batch.models import BatchAccountProperties

from recur.arm import BatchArm
from recur.checks.findings import Finding, good, note, problem, unchecked
from recur.publishing.uploads import Uploads
from recur.target import Target

_ENTRA_ONLY: Final = ["AAD"]


def check_account(target: Target) -> Iterator[Finding]:
    """Yield what Resource Manager says of the account and of the packages that its pool wants."""
    arm = BatchArm.of(target)
    with arm.client:
        try:
            found = arm.client.batch_account.get(arm.group, arm.name).properties
        except ResourceNotFoundError:
            found = None
        if found is None:
            yield problem(
                f"Batch account {arm.name}",
                "does not exist where it should",
                "there is nothing that runs jobs",
                "deploy infra/core (docs/deploy.md)",
            )
            return
        pool = _find_pool(target)
        yield _access(found, on_laptop=target.on_laptop)
        yield from _quotas(found, pool)
        if pool is not None:
            for reference in pool.application_package_references or ():
                application = reference.application_id.rpartition("/")[2]
                yield _package_finding(arm, Uploads(target), application, reference.version)


def _find_pool(target: Target) -> BatchPool | None:
    """Return the pool; that it is missing has been told by the checks of the data plane."""
    with target.batch() as batch:
        try:
            return batch.get_pool(target.need("BATCH_POOL_ID"))
        except HttpResponseError:
            return None


def _access(account: BatchAccountProperties, *, on_laptop: bool) -> Finding:
    check = "access"
    modes = [
        str(getattr(mode, "value", mode)) for mode in account.allowed_authentication_modes or ()
    ]
    if modes == _ENTRA_ONLY:
        return good(check, "by Entra alone")
    if on_laptop:
        return good(check, "by the account's key, as on every laptop")
    return note(
        check,
        f"the account allows {', '.join(modes) or 'every kind of sign-in'}",
        "whoever has its key can run anything on its nodes",
        "deploy infra/core again: it allows AAD alone",
    )


def _quotas(account: BatchAccountProperties, pool: BatchPool | None) -> Iterator[Finding]:
    """Compare what the account may have with what one node of the pool takes."""
    jobs = account.active_job_and_job_schedule_quota
    yield good("quota of active jobs", str(jobs) if jobs is not None else "not told")
    if pool is None:
        yield unchecked("quota of cores", "without a pool nobody knows which cores it takes")
        return
    spot = wants_spot(pool.auto_scale_formula or "", pool.target_low_priority_nodes or 0)
    kind, total = (
        ("Spot", account.low_priority_core_quota)
        if spot
        else ("dedicated", account.dedicated_core_quota)
    )
    yield _enough(f"quota of {kind} cores", total, pool.vm_size)
    if not spot and account.dedicated_core_quota_per_vm_family_enforced:
        families = {
            str(one.name).lower(): one.core_quota
            for one in account.dedicated_core_quota_per_vm_family or ()
        }
        family = family_of(pool.vm_size)
        if family.lower() in families:
            yield _enough(f"quota of {family}", families[family.lower()], pool.vm_size)
        else:
            yield unchecked(f"quota of {family}", f"not among the families of {pool.vm_size}")


def wants_spot(formula: str, target: int) -> bool:
    """Tell from the pool's formula, or else from its target, which kind of node it will ask for."""
    told = re.search(r"^spot\s*=\s*([01]);", formula, re.MULTILINE)
    return told[1] == "1" if told else target > 0


def cores_of(size: str) -> int:
    """Return the cores of a VM size: by Azure's rule the first number in its name."""
    told = re.search(r"[0-9]+", size.partition("_")[2])
    return int(told[0]) if told else 1


def family_of(size: str) -> str:
    """Return the quota family of a VM size: ``Standard_D2ds_v5`` is of ``standardDDSv5Family``."""
    letters, _, version = size.partition("_")[2].partition("_")
    return f"standard{re.sub('[0-9]+', '', letters).upper()}{version}Family"


def _enough(check: str, quota: int | None, size: str) -> Finding:
    cores = cores_of(size)
    if quota is None:
        return unchecked(check, "the account does not tell it")
    if quota < cores:
        return problem(
            check,
            f"{quota}, and one node of {size} takes {cores}",
            "no node ever comes: new accounts often begin with none",
            "ask for more in the portal: the Batch account, Quotas, Request quota increase",
        )
    return good(check, f"{quota}, of which one node takes {cores}")


def _package_finding(
    arm: BatchArm, uploads: Uploads, application: str, name: str | None
) -> Finding:
    check = f"package {application} {name or '(default version)'}"
    why = "nodes that start become unusable, and no run starts"
    if not name:
        return note(
            check,
            "is referenced without a version",
            "another default version changes what runs without a trace",
            "recur publish, then deploy infra/pool",
        )
    version = arm.version(application, name)
    if version is None:
        return problem(check, "is not there", why, "recur publish")
    if not version.active:
        return problem(check, "was never activated", why, "recur publish")
    match uploads.intact(application, name):
        case True:
            return good(check, "active, and what lies in storage is what its version says")
        case False:
            what = "active, but what lies in storage is another package or a damaged one"
            return problem(check, what, why, f"recur publish says how to replace {application}")
        case None:
            return note(
                check,
                "active, but its file was not found in storage",
                "it cannot be told whether nodes will get what its version says",
            )
