"""Quotas, compared with what one node of the pool takes."""

import pytest
from azure.batch.models import BatchPool
from azure.mgmt.batch.models import BatchAccountProperties, VirtualMachineFamilyCoreQuota

from recur.checks.account import _quotas, cores_of, family_of, wants_spot
from recur.checks.findings import Grade

FORMULA = "maxNodes = 1;\nspot = {};\n$TargetDedicatedNodes = 0;"


def pool(*, spot: int, size: str = "Standard_D2ds_v5") -> BatchPool:
    return BatchPool({"id": "recur", "vmSize": size, "autoScaleFormula": FORMULA.format(spot)})


def account(dedicated: int, spot: int, family: int | None = None) -> BatchAccountProperties:
    families = [VirtualMachineFamilyCoreQuota({"name": "standardDDSv5Family", "coreQuota": family})]
    return BatchAccountProperties(
        {
            "dedicatedCoreQuota": dedicated,
            "lowPriorityCoreQuota": spot,
            "activeJobAndJobScheduleQuota": 100,
            "dedicatedCoreQuotaPerVMFamilyEnforced": family is not None,
            "dedicatedCoreQuotaPerVMFamily": families if family is not None else [],
        }
    )


@pytest.mark.parametrize(
    ("has", "wants", "enough"),
    [
        (account(20, 0), pool(spot=0), True),
        (account(0, 20), pool(spot=0), False),
        (account(0, 20), pool(spot=1), True),
        (account(20, 0), pool(spot=1), False),
        (account(1, 0), pool(spot=0), False),
        (account(20, 0, family=0), pool(spot=0), False),
        (account(20, 0, family=8), pool(spot=0), True),
        (account(8, 0), pool(spot=0, size="Standard_D16ds_v5"), False),
    ],
)
def test_a_quota_is_enough_for_one_node_or_a_problem(
    has: BatchAccountProperties, wants: BatchPool, enough: bool
) -> None:
    """Of the kind that the formula asks for, also while there is no node."""
    grades = {finding.grade for finding in _quotas(has, wants)}

    assert (Grade.PROBLEM not in grades) is enough


def test_sizes_and_formulas_are_read() -> None:
    """By Azure's rule for the names of sizes, and by the formula's own line."""
    assert [cores_of(size) for size in ("Standard_D2ds_v5", "STANDARD_D96ads_v6", "odd")] == [
        2,
        96,
        1,
    ]
    assert family_of("Standard_D2ds_v5") == "standardDDSv5Family"
    assert wants_spot("no such line", 3)
    assert not wants_spot("spot = 0;", 3)
