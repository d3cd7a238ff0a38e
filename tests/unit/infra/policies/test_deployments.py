"""What is deployed keeps every policy, whatever an operator chooses."""

from pathlib import Path

import pytest

from tests.policies.groups import GROUPS, POLICIES, PRIVATE, Policy
from tests.support.snapshots import deployed, load


@pytest.mark.parametrize("name", ["core.defaults", "core.article", "core.mail"])
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_what_is_deployed_keeps_every_policy(policy: Policy, name: str) -> None:
    """Whatever an operator chooses among the parameters."""
    assert policy(deployed(load(name))) == []


@pytest.mark.parametrize("name", ["core.private", "core.firewall"])
@pytest.mark.parametrize("policy", [*sorted(POLICIES.keys() - {"reachable"}), *PRIVATE])
def test_the_private_profile_keeps_every_policy(policy: str, name: str) -> None:
    """Its own, and those of the default profile but that everything is reached in public."""
    assert {**POLICIES, **PRIVATE}[policy](deployed(load(name))) == []


def test_lock_budget_and_zones_can_be_left_out() -> None:
    """Each by its parameter, and nothing else goes with them."""
    bare = deployed(load("core.bare"))
    unkept = {name for name, policy in POLICIES.items() if policy(bare)}

    assert unkept == {"locked", "budgeted", "zonal_data"}


def test_each_group_has_a_test_file() -> None:
    """There, something breaks each policy of the group."""
    files = {path.name for path in Path(__file__).parent.glob("test_*.py")}
    assert files == {Path(__file__).name, *(f"test_{group}.py" for group in GROUPS)}
