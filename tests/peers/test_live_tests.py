"""Microsoft's own live tests of azure-batch 15.1 pass, but for those of what is not supported."""

import os
from pathlib import Path

import pytest

from local.azurite import Azurite
from tests.peers.live_tests import ENVIRONMENT, NOT_YET, run, totals

AT_LEAST = 32
"""Cases that pass."""


@pytest.mark.timeout(1800)
def test_microsofts_live_tests(azurite: Azurite, tmp_path: Path) -> None:
    """Each that fails is one of those that cannot pass; each that passes is none of them."""
    if not (oracles := os.environ.get("RECUR_ORACLES")):
        pytest.skip("RECUR_ORACLES names no folder that has live-tests-shim")
    if not (ENVIRONMENT / "bin/python").exists():
        pytest.skip("what the tests need is not installed; `make peers` does it")

    results = run(Path(oracles) / "live-tests-shim", tmp_path, azurite.connection_string)

    print(f"\n{totals(results)}")  # noqa: T201 - a number that people ask for
    assert {
        one.case: one.failure for one in results if one.failure and one.test not in NOT_YET
    } == {}
    assert [one.case for one in results if not one.failure and one.test in NOT_YET] == []
    assert sum(not one.failure for one in results) >= AT_LEAST
