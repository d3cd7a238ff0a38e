"""The limits of a tick: its last call ends before its lease, or the module cannot be imported."""

import runpy
from pathlib import Path

import pytest

from orchestrator.adapters import time_limits
from orchestrator.adapters.time_limits import CALL_SECONDS, LEASE_SECONDS, WORK_SECONDS

LONGEST = LEASE_SECONDS - CALL_SECONDS - 1
"""The most whole seconds of work that fit."""


def imported(folder: Path, *, work: int) -> object:
    """Import a variant of the module that differs in one number; return that number."""
    source = Path(time_limits.__file__).read_text()
    line = "WORK_SECONDS: Final = {}\n"
    assert source.count(line.format(WORK_SECONDS)) == 1
    variant = folder / "variant.py"
    variant.write_text(source.replace(line.format(WORK_SECONDS), line.format(work)))
    return runpy.run_path(str(variant))["WORK_SECONDS"]


def test_work_that_leaves_time_for_a_call_is_taken(tmp_path: Path) -> None:
    """The last call ends a second before the lease."""
    assert imported(tmp_path, work=LONGEST) == LONGEST


def test_work_that_leaves_too_little_time_for_a_call_is_refused(tmp_path: Path) -> None:
    """The last call would end with the lease, and another tick may begin there."""
    with pytest.raises(ValueError, match=f"work of {LONGEST + 1} s and a call of {CALL_SECONDS} s"):
        imported(tmp_path, work=LONGEST + 1)
