"""Roles, judged from what Resource Manager lists."""

import pytest

from cli.checks.roles import NEEDS, Assignment, judge
from cli.findings import Grade
from cli.target import Target

GROUP = "/subscriptions/1/resourceGroups/g"
ACCOUNT = f"{GROUP}/providers/Microsoft.Batch/batchAccounts/b"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/s"
CONTAINER = f"{STORAGE}/blobServices/default/containers"
TARGET = Target(
    source="a test",
    values={
        "BATCH_ACCOUNT_ID": ACCOUNT,
        "LEDGER_CONTAINER": "ledger",
        "OUTPUTS_CONTAINER": "outputs",
        "FUNCTION_PRINCIPAL_ID": "f",
        "NODE_PRINCIPAL_ID": "n",
    },
)
SUBMITTER, LEDGER, _, _ = NEEDS


def definition(guid: str) -> str:
    return f"/subscriptions/1/providers/Microsoft.Authorization/roleDefinitions/{guid}"


@pytest.mark.parametrize(
    ("scope", "grade"),
    [
        (ACCOUNT, Grade.GOOD),
        (ACCOUNT.upper(), Grade.GOOD),
        (GROUP, Grade.GOOD),
        ("/subscriptions/1", Grade.GOOD),
        (f"{ACCOUNT}2", Grade.PROBLEM),
        (STORAGE, Grade.PROBLEM),
        ("/subscriptions/1/resourceGroups/other", Grade.PROBLEM),
    ],
)
def test_a_role_holds_at_its_scope_and_below(scope: str, grade: Grade) -> None:
    """Whatever the case of the id."""
    held = [Assignment(definition=definition(SUBMITTER.definition), scope=scope)]

    assert judge(SUBMITTER, held, TARGET).grade is grade


@pytest.mark.parametrize(
    ("scope", "grade"),
    [
        (f"{CONTAINER}/ledger", Grade.GOOD),
        (STORAGE, Grade.GOOD),
        (f"{CONTAINER}/outputs", Grade.PROBLEM),
    ],
)
def test_a_container_is_told_by_its_name(scope: str, grade: Grade) -> None:
    """A role on the account holds for its containers."""
    held = [Assignment(definition=definition(LEDGER.definition), scope=scope)]

    assert judge(LEDGER, held, TARGET).grade is grade


def test_another_role_is_not_enough() -> None:
    """The remedy names the role and who is to have it."""
    held = [Assignment(definition=definition(LEDGER.definition), scope=ACCOUNT)]

    finding = judge(SUBMITTER, held, TARGET)

    assert finding.grade is Grade.PROBLEM
    assert "Azure Batch Job Submitter" in finding.fix
    assert "--assignee-object-id f" in finding.fix
