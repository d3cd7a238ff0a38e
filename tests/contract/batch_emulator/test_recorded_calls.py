"""The emulator answers recorded calls as the real service did, but for those that are listed."""

import os
from pathlib import Path

import pytest

from local.azurite import Azurite
from tests.recordings.reasons import Reason, read_list
from tests.recordings.recorded_calls import ADDED, RecordedCall, read_calls
from tests.recordings.replay import totals
from tests.recordings.stage import replay

AT_LEAST = 280
"""Calls whose replies are equal in status, header names and keys."""


@pytest.fixture
def oracles() -> Path:
    """Return the folder of recorded and derived facts about the service."""
    if not (folder := os.environ.get("RECUR_ORACLES")):
        pytest.skip("RECUR_ORACLES names no folder of facts about the real service")
    return Path(folder)


@pytest.fixture
def calls(oracles: Path) -> list[RecordedCall]:
    return read_calls(oracles)


@pytest.mark.timeout(900)
async def test_recorded_calls_are_answered_alike(
    oracles: Path, azurite: Azurite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A call that differs is listed with its reason; one that has become equal is listed no more.

    What is listed is not waited for. `python -m tests.recordings` waits for all, and writes the list.
    """
    listed = read_list()

    outcomes = await replay(oracles, tmp_path, azurite.connection_string, hopeless=listed)

    with capsys.disabled():
        print(f"\n{totals(outcomes)}")  # noqa: T201 - a number that people ask for
    differing = {one.call.number: one for one in outcomes if one.difference}
    assert [
        f"{number} {one.call.operation}: {one.difference}"
        for number, one in differing.items()
        if number not in listed
    ] == []
    assert [f"{number} {listed[number][0]}" for number in listed if number not in differing] == []
    assert {number: listed[number][0] for number in differing} == {
        number: one.call.operation for number, one in differing.items()
    }
    assert sum(not one.difference for one in outcomes) >= AT_LEAST


def test_each_reason_is_of_the_closed_list() -> None:
    """Nobody invents one; a fault of the emulator has none."""
    assert {reason for _, reason in read_list().values()} <= {*Reason}


def test_a_key_that_is_newer_than_a_version_is_in_none_of_its_replies(
    calls: list[RecordedCall],
) -> None:
    """The table of keys and versions, held against the recordings."""
    found = {
        (name, call.version)
        for call in calls
        for key in call.reply.keys
        for name in key.replace("[]", "").split(".")
        if name in ADDED
    }

    assert {(name, version) for name, version in found if version < ADDED[name]} == set()
