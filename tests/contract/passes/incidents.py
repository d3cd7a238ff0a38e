"""The mark of a test that provokes an incident that was reported of the real service."""

from typing import Final

import pytest

from batch_emulator.faults.incidents import INCIDENTS

_MARK: Final = "incident"


def incident(number: int) -> pytest.MarkDecorator:
    """Mark a test that provokes an incident."""
    assert number in INCIDENTS, f"there is no incident {number}"
    return getattr(pytest.mark, _MARK)(number)  # type: ignore[no-any-return] # of pytest.mark
