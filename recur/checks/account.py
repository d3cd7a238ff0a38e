"""Checks of the Batch account by Azure Resource Manager: access, quotas, packages."""

from collections.abc import Iterator
from typing import Final

from azure.batch.models import BatchPool
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.batch.models import BatchAccountProperties

from recur.arm import BatchArm
from recur.checks.findings import Finding, good, note, problem
from recur.checks.quotas import check_quotas, read_usage
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
        with target.batch() as batch:
            yield from check_quotas(found, pool, read_usage(batch))
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
