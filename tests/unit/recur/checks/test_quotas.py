"""Quotas, compared with what one node of the pool takes, and with what is used of them."""

import pytest
from azure.batch.models import BatchPool
from azure.mgmt.batch.models import BatchAccountProperties, VirtualMachineFamilyCoreQuota

from recur.checks.findings import Grade
from recur.checks.quotas import Usage, check_quotas, cores_of, family_of, wants_spot

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
    grades = {finding.grade for finding in check_quotas(has, wants, Usage())}

    assert (Grade.PROBLEM not in grades) is enough


@pytest.mark.parametrize(
    ("used", "grade"),
    [
        (Usage(jobs=79, dedicated=18), Grade.GOOD),
        (Usage(jobs=80), Grade.NOTE),
        (Usage(jobs=99), Grade.NOTE),
        (Usage(jobs=100), Grade.PROBLEM),
        (Usage(dedicated=19), Grade.NOTE),
        (Usage(dedicated=20), Grade.NOTE),
        (Usage(spot=20), Grade.GOOD),
        (Usage(families={"standardddsv5family": 6}), Grade.GOOD),
        (Usage(families={"standardddsv5family": 7}), Grade.NOTE),
    ],
)
def test_a_quota_that_is_nearly_used_is_told(used: Usage, grade: Grade) -> None:
    """From four fifths of the jobs on, and where there is no room for another node."""
    found = [*check_quotas(account(20, 20, family=8), pool(spot=0), used)]

    assert max((one.grade for one in found), key=list(Grade).index) is grade
    for one in found:
        assert bool(one.why and one.fix) is (one.grade is not Grade.GOOD)


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
