"""Which runs are told as slow."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.decisions.slow import TIMES, slow_seconds
from orchestrator.enums import Outcome
from tests.support.hourly import NOON, SECOND
from tests.support.records import SUBMITTED

USUAL = 60.0
LIMIT = timedelta(seconds=TIMES * USUAL)
RUNNING = replace(SUBMITTED, started=NOON)


@pytest.mark.parametrize("more", [0, 1])
def test_a_run_is_slow_beyond_twice_the_usual_time(more: int) -> None:
    """While it runs and when it ends; exactly twice is not slow."""
    elapsed = LIMIT + more * SECOND
    ended = replace(RUNNING, outcome=Outcome.FAILED, finished=NOON + elapsed)
    expected = elapsed.total_seconds() if more else None

    assert slow_seconds(RUNNING, USUAL, NOON + elapsed) == expected
    assert slow_seconds(ended, USUAL, NOON + 10 * elapsed) == expected


def test_nothing_is_told_twice_or_without_a_measure() -> None:
    """Too few runs before it; a task that never began; one that was told."""
    late = NOON + 10 * LIMIT
    never = replace(SUBMITTED, outcome=Outcome.NEVER_STARTED, finished=late)

    assert slow_seconds(RUNNING, USUAL, late) is not None
    assert slow_seconds(RUNNING, None, late) is None
    assert slow_seconds(replace(RUNNING, slow=True), USUAL, late) is None
    assert slow_seconds(SUBMITTED, USUAL, late) is None
    assert slow_seconds(never, USUAL, late) is None
