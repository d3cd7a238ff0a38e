"""How long data stays, and what protects it: each policy notices what breaks it."""

import pytest

from tests.policies.groups import GROUPS
from tests.support.snapshots import BLOBS, LIFECYCLE, Break, broken, drop, put, rename, sku

BROKEN: list[tuple[str, str, Break]] = [
    (
        "kept_long_enough",
        "open runs are deleted",
        put(
            "Storage/storageAccounts/managementPolicies",
            "policy.rules.0.definition.filters.prefixMatch",
            ["ledger/"],
        ),
    ),
    (
        "kept_long_enough",
        "records go too early",
        put(
            "Storage/storageAccounts/managementPolicies",
            "policy.rules.0.definition.actions.baseBlob.delete.daysAfterModificationGreaterThan",
            30,
        ),
    ),
    (
        "kept_long_enough",
        "a lifecycle rule is off",
        put(LIFECYCLE, "policy.rules.1.enabled", value=False),
    ),
    (
        "kept_long_enough",
        "old versions stay for good",
        put(LIFECYCLE, "policy.rules.3.enabled", value=False),
    ),
    (
        "kept_long_enough",
        "old versions of the ledger stay for good",
        put(LIFECYCLE, "policy.rules.3.definition.filters.prefixMatch", ["outputs/"]),
    ),
    (
        "kept_long_enough",
        "old versions of records end at once",
        put(
            LIFECYCLE,
            "policy.rules.0.definition.actions.version",
            {"delete": {"daysAfterCreationGreaterThan": 0}},
        ),
    ),
    (
        "restorable",
        "a deleted container is gone",
        put(BLOBS, "containerDeleteRetentionPolicy.enabled", value=False, only="stdata"),
    ),
    (
        "restorable",
        "a deleted container is gone the next day",
        put(BLOBS, "containerDeleteRetentionPolicy.days", 1, only="sthost"),
    ),
    (
        "restorable",
        "a deleted blob is gone",
        put(BLOBS, "deleteRetentionPolicy", {"enabled": False}, only="stdata"),
    ),
    (
        "restorable",
        "a replaced blob is gone",
        put(BLOBS, "isVersioningEnabled", value=False, only="stdata"),
    ),
    (
        "restorable",
        "versions of the host's leases pile up",
        put(BLOBS, "isVersioningEnabled", value=True, only="sthost"),
    ),
    ("locked", "the ledger goes with its group", drop("Authorization/locks")),
    ("locked", "the ledger cannot be written", put("Authorization/locks", "level", "ReadOnly")),
    ("locked", "a lock by another name than the documents say", rename("Authorization/locks", "x")),
    ("zonal_data", "one data center", sku("Standard_LRS", only="stdata")),
]


@pytest.mark.parametrize(
    ("policy", "change"),
    [(policy, change) for policy, _, change in BROKEN],
    ids=[f"{policy}: {what}" for policy, what, _ in BROKEN],
)
def test_what_breaks_a_policy_is_noticed(policy: str, change: Break) -> None:
    """The same deployment with one thing changed."""
    assert broken(GROUPS["retention"][policy], change) != []


def test_every_policy_has_something_that_breaks_it() -> None:
    """A policy that nothing breaks checks nothing."""
    assert {policy for policy, _, _ in BROKEN} == set(GROUPS["retention"])
