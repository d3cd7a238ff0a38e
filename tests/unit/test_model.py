"""What the values say of themselves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.model import Occurrence, Pause

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("nominal", "endless", "ending"),
    [
        (NOON - SECOND, False, False),
        (NOON, False, False),
        (NOON + SECOND, True, True),
        (NOON + 59 * SECOND, True, True),
        (NOON + 60 * SECOND, True, False),
        (NOON + 61 * SECOND, True, False),
    ],
)
def test_a_pause_holds_between_its_begin_and_its_end(
    nominal: datetime, *, endless: bool, ending: bool
) -> None:
    """Neither of them is part of it."""
    pause = Pause(since=NOON, by="me")
    assert pause.holds(nominal) is endless
    assert replace(pause, until=NOON + 60 * SECOND).holds(nominal) is ending


def test_an_occurrence_can_run_unless_something_about_it_says_otherwise() -> None:
    """One reason is enough."""
    plain = Occurrence(nominal=NOON)
    assert plain.can_run
    for other in (
        replace(plain, exists=False),
        replace(plain, excluded=True),
        replace(plain, holiday=True),
        replace(plain, paused=True),
        replace(plain, removed=True),
    ):
        assert not other.can_run
