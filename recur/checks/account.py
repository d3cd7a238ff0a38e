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
                "does not exist",
                "no job can run",
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
        return good(check, "the account allows only sign-in with Entra ID")
    if on_laptop:
        return good(check, "the account's key, as on every laptop")
    return note(
        check,
        f"the account allows {', '.join(modes) or 'every kind of sign-in'}",
        "anyone who has its key can run anything on its nodes",
        "deploy infra/core again: it allows only AAD",
    )


def _package_finding(
    arm: BatchArm, uploads: Uploads, application: str, name: str | None
) -> Finding:
    check = f"package {application} {name or '(default version)'}"
    why = "new nodes become unusable, and no run starts"
    if not name:
        return note(
            check,
            "the pool references it without a version",
            "a new default version changes what runs, and nothing records that",
            "recur publish, then deploy infra/pool",
        )
    version = arm.version(application, name)
    if version is None:
        return problem(check, "does not exist", why, "recur publish")
    if not version.active:
        return problem(check, "was never activated", why, "recur publish")
    match uploads.intact(application, name):
        case True:
            return good(check, "active, and the file in storage matches its version")
        case False:
            what = "active, but the file in storage is another package or is damaged"
            return problem(
                check, what, why, f"run `recur publish`: it says how to replace {application}"
            )
        case None:
            return note(
                check,
                "active, but its file was not found in storage",
                "the package that nodes get cannot be checked",
            )
