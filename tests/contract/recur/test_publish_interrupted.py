"""`recur publish` that dies between any two of its calls, and is run again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.azurite import Azurite
from recur.publishing.packaging import Package
from tests.support.arm_account import ArmAccount
from tests.support.publishing import (
    CutTransport,
    Killed,
    Knife,
    Run,
    fill,
    is_published,
    packages,
    versions,
)

CALLS = 13
"""A new application, a new version of another, and an old version that goes."""


@pytest.fixture
def account(azurite: Azurite, tmp_path: Path) -> Iterator[ArmAccount]:
    with ArmAccount(azurite, tmp_path / "nodes") as running:
        fill(running, "pythonscript", 1)
        yield running


@pytest.fixture
def given(tmp_path: Path) -> tuple[Package, ...]:
    return packages(tmp_path)


def _cut(account: ArmAccount, knife: Knife) -> Run:
    return Run(account, keep=1, options={"transport": CutTransport(knife)})


def test_every_call_is_cut_below(account: ArmAccount, given: tuple[Package, ...]) -> None:
    """A run makes as many calls as there are tests, and leaves what they expect."""
    knife = Knife(at=None, after=False)

    done = _cut(account, knife).publish(given)

    assert knife.calls == CALLS
    assert done.removed == [("pythonscript", "old0")]
    assert is_published(account, given)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, CALLS + 1))
def test_the_next_run_finishes_what_was_begun(
    account: ArmAccount, given: tuple[Package, ...], at: int, *, after: bool
) -> None:
    """Whether the call was sent or not; then there is nothing more to do."""
    with pytest.raises(Killed):
        _cut(account, Knife(at=at, after=after)).publish(given)

    Run(account, keep=1).publish(given)

    assert is_published(account, given)
    assert [versions(account, package.name) for package in given] == [
        {package.version} for package in given
    ]
    assert not Run(account, keep=1).publish(given).changed
