"""What a deployment needs, against the templates; and permissions, as Azure computes them."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.exceptions import ClientAuthenticationError
from hypothesis import given
from hypothesis import strategies as st

from recur.arm_reader import PUBLIC, ArmReader, ClosedError
from recur.checks.planned_deployment import Choice, read_planned_deployment
from recur.checks.regions import PRIVATE_PROVIDERS, PROVIDERS
from recur.checks.rights import allows

ROOT = Path(__file__).parents[4]
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
ALWAYS_REGISTERED = {
    "Microsoft.Authorization",
    "Microsoft.Consumption",
    "Microsoft.CostManagement",
    "Microsoft.Resources",
}
"""Those of the deployment that no subscription lacks."""

ROLES = "Microsoft.Authorization/roleAssignments/write"
words = st.text("abc./*", max_size=12)


@pytest.mark.parametrize("template", ["core", "pool"])
def test_every_provider_that_is_deployed_is_looked_at(template: str) -> None:
    """Those of the compiled templates are known; what a subscription always has needs no look."""
    text = (ROOT / f"infra/compiled/{template}.json").read_text()
    deployed = set(re.findall(r'"type": "(Microsoft\.\w+)/', text))

    assert "Microsoft.Batch" in deployed
    assert deployed <= {*PROVIDERS, *PRIVATE_PROVIDERS, *ALWAYS_REGISTERED}


@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        ([], False),
        ([{"actions": ["*"]}], True),
        ([{"actions": ["*"], "notActions": None}], True),
        ([{"actions": [ROLES.upper()]}], True),
        ([{"actions": ["Microsoft.Authorization/*"]}], True),
        ([{"actions": ["*/write"]}], True),
        ([{"actions": ["*/read"]}], False),
        ([{"actions": ["Microsoft.Authorization/roleAssignments"]}], False),
        ([{"actions": ["MicrosoftXAuthorization/*"]}], False),
        ([{"actions": ["Microsoft.Authorization/roleAssignments/wri?e"]}], False),
        ([{"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]}], False),
        ([{"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Delete"]}], True),
        ([{"actions": ["*"], "notActions": ["*"]}, {"actions": [ROLES]}], True),
        ([{"dataActions": ["*"]}], False),
    ],
    ids=str,
)
def test_an_action_is_allowed_by_one_permission(
    permissions: list[dict[str, list[str]]], allowed: bool
) -> None:
    """It names the action and does not take it back; another permission takes nothing from it."""
    assert allows(permissions, ROLES) is allowed


@given(words.filter(lambda text: "*" not in text), words, words)
def test_a_permission_more_allows_no_less(action: str, pattern: str, taken: str) -> None:
    """Permissions add up, and what one names and takes back it does not give."""
    one = {"actions": [pattern], "notActions": [taken]}
    more = [one, {"actions": [action], "notActions": []}]

    assert allows(more, action)
    assert not allows([{"actions": [action], "notActions": [action]}], action)
    assert allows([one, one], action) is allows([one], action)


def test_the_pools_own_size_is_the_default() -> None:
    """The one that infra/pool deploys; a settings file or the command line says otherwise."""
    values = {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION, "AZURE_LOCATION": "West Europe"}
    pool = json.loads((ROOT / "infra/pool/pool.json").read_text())

    default = read_planned_deployment(values, "a test", Choice())
    named = read_planned_deployment(values | {"VM_SIZE": "Standard_D4ds_v5"}, "a test", Choice())
    chosen = read_planned_deployment(
        values | {"VM_SIZE": "Standard_D4ds_v5"}, "a test", Choice(vm_size="Standard_D8ds_v5")
    )

    assert default.vm_size == pool["vmSize"]
    assert default.location == "westeurope"
    assert (default.nodes, default.spot, default.private, default.group) == (1, False, False, None)
    assert named.vm_size == "Standard_D4ds_v5"
    assert chosen.vm_size == "Standard_D8ds_v5"


class Nobody:
    """Somebody who is not signed in."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        raise ClientAuthenticationError(message="no account\nmore about it")

    def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        del options
        raise ClientAuthenticationError(message=f"no account for {scopes[0]}\nmore about it")


def test_who_is_not_signed_in_reads_what_to_do() -> None:
    """Before anything is sent; and a token is asked for Resource Manager alone."""
    reader = ArmReader(PUBLIC, SUBSCRIPTION, Nobody(), limit=timedelta(seconds=5))

    with pytest.raises(ClosedError) as refused:
        reader.get("/providers/Microsoft.Batch", "2025-04-01")

    reader.close()
    assert str(refused.value) == (
        "you are not signed in: no account for https://management.azure.com/.default"
    )
    assert refused.value.next_step == "az login"
