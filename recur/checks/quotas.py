"""Quotas of a Batch account: what one node of the pool takes of them, and what is used."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from azure.batch import BatchClient
from azure.batch.models import BatchPool
from azure.mgmt.batch.models import BatchAccountProperties

from recur.checks.findings import Finding, good, note, problem, unchecked

_COUNTED: Final = ("active", "disabled")
"""Jobs in these states count; completed ones do not."""
_NEARLY: Final = 0.8
_MORE: Final = "ask for more in the portal: the Batch account, Quotas, Request quota increase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """
    What is used of each quota.

    Attributes:
        jobs: Active and disabled jobs.
        dedicated: Cores of dedicated nodes.
        spot: Cores of Spot nodes.
        families: Cores of dedicated nodes by family, in lower case.
    """

    jobs: int = 0
    dedicated: int = 0
    spot: int = 0
    families: Mapping[str, int] = field(default_factory=dict[str, int])


def read_usage(batch: BatchClient) -> Usage:
    """Count the jobs of an account, and the cores of the nodes of all its pools."""
    jobs = sum(
        1
        for state in _COUNTED
        for _ in batch.list_jobs(filter=f"state eq '{state}'", select=["id"])
    )
    dedicated, spot = 0, 0
    families: Counter[str] = Counter()
    for pool in batch.list_pools():
        cores = cores_of(pool.vm_size)
        there = cores * (pool.current_dedicated_nodes or 0)
        dedicated += there
        families[family_of(pool.vm_size).lower()] += there
        spot += cores * (pool.current_low_priority_nodes or 0)
    return Usage(jobs=jobs, dedicated=dedicated, spot=spot, families=families)


def check_quotas(
    account: BatchAccountProperties, pool: BatchPool | None, used: Usage
) -> Iterator[Finding]:
    """Compare what the account may have with what it uses, and with one node of the pool."""
    yield _of_jobs(account.active_job_and_job_schedule_quota, used.jobs)
    if pool is None:
        yield unchecked("quota of cores", "without a pool, the kind of cores is not known")
        return
    spot = wants_spot(pool.auto_scale_formula or "", pool.target_low_priority_nodes or 0)
    kind, total, cores = (
        ("Spot", account.low_priority_core_quota, used.spot)
        if spot
        else ("dedicated", account.dedicated_core_quota, used.dedicated)
    )
    yield _of_cores(f"quota of {kind} cores", total, cores, pool.vm_size)
    if not spot and account.dedicated_core_quota_per_vm_family_enforced:
        families = {
            str(one.name).lower(): one.core_quota
            for one in account.dedicated_core_quota_per_vm_family or ()
        }
        family = family_of(pool.vm_size)
        if family.lower() in families:
            cores = used.families.get(family.lower(), 0)
            yield _of_cores(f"quota of {family}", families[family.lower()], cores, pool.vm_size)
        else:
            yield unchecked(f"quota of {family}", f"Azure does not report it for {pool.vm_size}")


def _of_jobs(quota: int | None, used: int) -> Finding:
    check = "quota of active jobs"
    if quota is None:
        return unchecked(check, f"the account does not report it; {used} are active")
    what = f"{used} of {quota} are active"
    if used < _NEARLY * quota:
        return good(check, what)
    why = "at the quota, Batch creates no job: runs wait as blocked (quota)"
    fix = f"end runs that hang (recur runs --open; recur stop RUN), or {_MORE}"
    return (problem if used >= quota else note)(check, what, why, fix)


def _of_cores(check: str, quota: int | None, used: int, size: str) -> Finding:
    cores = cores_of(size)
    if quota is None:
        return unchecked(check, "the account does not report it")
    if quota < cores:
        return problem(
            check,
            f"{quota}, but one node of {size} needs {cores}",
            "the pool gets no nodes: new accounts often have a quota of 0",
            _MORE,
        )
    what = f"{used} of {quota} are used; one node needs {cores}"
    if used + cores > quota:
        why = "the quota has no room for another node: if the pool needs one, runs wait"
        return note(check, what, why, f"let the pool shrink, or {_MORE}")
    return good(check, what)


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
