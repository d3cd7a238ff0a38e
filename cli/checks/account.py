"""Checks of the Batch account by Azure Resource Manager: access, quotas, packages."""

from collections.abc import Iterator
from typing import Final

from azure.batch.models import BatchPool
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.batch.models import BatchAccountProperties

from cli.arm import BatchArm
from cli.findings import Finding, good, note, problem
from cli.target import Target

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
        pool = _pool(target)
        yield _access(found, on_laptop=target.on_laptop)
        yield from _quotas(found, pool)
        if pool is not None:
            for reference in pool.application_package_references or ():
                application = reference.application_id.rpartition("/")[2]
                yield _package(arm, application, reference.version)


def _pool(target: Target) -> BatchPool | None:
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
    """Compare what the account may have with what the pool wants."""
    spot = bool(pool and not pool.target_dedicated_nodes and pool.target_low_priority_nodes)
    cores = account.low_priority_core_quota if spot else account.dedicated_core_quota
    kind = "Spot cores" if spot else "dedicated cores"
    if not cores:
        yield problem(
            f"quota of {kind}",
            "0" if cores == 0 else "not told",
            "no node ever comes: new accounts often begin with none",
            "ask for more in the portal: the Batch account, Quotas, Request quota increase",
        )
    else:
        yield good(f"quota of {kind}", str(cores))
    jobs = account.active_job_and_job_schedule_quota
    yield good("quota of active jobs", str(jobs) if jobs is not None else "not told")


def _package(arm: BatchArm, application: str, name: str | None) -> Finding:
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
    return good(check, "active")
