"""Roles, judged from what Resource Manager lists."""

import json
from pathlib import Path

import pytest

from recur.checks.findings import Grade
from recur.checks.roles import judge_role, needs
from recur.checks.settings import judge_settings
from recur.target import Target
from tests.policies.roles import GRANTS

ROOT = Path(__file__).parents[4]
GROUP = "/subscriptions/1/resourceGroups/g"
ACCOUNT = f"{GROUP}/providers/Microsoft.Batch/batchAccounts/b"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stdata"
CONTAINERS = f"{STORAGE}/blobServices/default/containers"
KEYS = ("ledger", "outputs", "upload", "download")
TARGET = Target(
    source="a test",
    values={
        "BATCH_ACCOUNT_URL": "https://b.example",
        "BATCH_ACCOUNT_ID": ACCOUNT,
        "DATA_STORAGE_URL": "https://stdata.blob.example/",
        "CODE_STORAGE_URL": "https://stcode.blob.example/",
        "STORAGE_ROLES": json.dumps({key: f"{key}-ID" for key in KEYS}),
        "HOST_STORAGE_URL": "https://sthost.blob.example/",
        "LEDGER_CONTAINER": "ledger",
        "OUTPUTS_CONTAINER": "outputs",
        "APPLICATIONINSIGHTS_NAME": "appi",
    },
)
NEEDS = needs(TARGET, GROUP)
(SUBMITTER,) = [need for need in NEEDS if need.role[0] == "Azure Batch Job Submitter"]
(LEDGER,) = [need for need in NEEDS if need.scope.endswith("/ledger")]


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
    held = [(definition(SUBMITTER.role[1]), scope)]

    assert judge_role(SUBMITTER, held, "f").grade is grade


@pytest.mark.parametrize(
    ("scope", "grade"),
    [
        (f"{CONTAINERS}/ledger", Grade.GOOD),
        (STORAGE, Grade.GOOD),
        (f"{CONTAINERS}/outputs", Grade.PROBLEM),
        (f"{CONTAINERS}/ledger".replace("stdata", "another"), Grade.PROBLEM),
        (STORAGE.replace("/g/", "/other/"), Grade.PROBLEM),
    ],
)
def test_a_container_is_told_by_its_whole_id(scope: str, grade: Grade) -> None:
    """One of the same name in another account is another."""
    held = [(definition(LEDGER.role[1]), scope)]

    assert judge_role(LEDGER, held, "f").grade is grade


def test_another_role_is_not_enough() -> None:
    """The remedy is a whole command."""
    finding = judge_role(SUBMITTER, [(definition(LEDGER.role[1]), ACCOUNT)], "f")

    assert finding.grade is Grade.PROBLEM
    assert "'Azure Batch Job Submitter' --assignee-object-id f" in finding.fix
    assert finding.fix.endswith(f"--scope {ACCOUNT}")


def test_every_role_that_is_deployed_is_looked_at() -> None:
    """All that infra/core gives to the deployment's own identities."""
    deployed = [(who, role) for who, role, _ in GRANTS if who != "publisher"]

    looked_at = {(need.who, need.role[0]) for need in NEEDS}

    assert looked_at == set(deployed)
    assert len(NEEDS) == len(deployed)


def test_the_outputs_of_the_deployment_are_all_that_is_needed() -> None:
    """An operator has nothing but these."""
    outputs = json.loads((ROOT / "infra/compiled/core.json").read_text())["outputs"]

    assert set(TARGET.values) <= set(outputs)
    assert {"FUNCTION_PRINCIPAL_ID", "NODE_PRINCIPAL_ID", "FUNCTION_APP_NAME"} <= set(outputs)


def test_the_settings_that_are_deployed_have_no_problem() -> None:
    """Read as the function app reads them."""
    snapshot = json.loads((ROOT / "infra/snapshots/core.defaults.json").read_text())
    (settings,) = [
        resource["properties"]
        for resource in snapshot["predictedResources"]
        if resource["type"] == "Microsoft.Web/sites/config"
        and resource["name"].endswith("/appsettings")
    ]
    known = {
        "AZURE_CLIENT_ID": "00000000-0000-0000-0000-000000000000",
        "BATCH_ACCOUNT_URL": "https://b.example",
        "DATA_STORAGE_URL": "https://stdata.blob.example",
    }
    computed = {name: known.get(name, value) for name, value in settings.items()}

    assert [one.grade for one in judge_settings(computed, "fix")] == [Grade.GOOD]
