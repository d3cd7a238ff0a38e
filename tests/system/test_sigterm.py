"""A few trials of ``bench.sigterm``, which makes as many as one likes."""

import asyncio

from bench.sigterm import run_trials, summary

TRIALS = 5


def test_sigterm_ends_an_emulator_in_any_phase() -> None:
    """It is gone within 5 s with everything that its nodes have started."""
    endings = asyncio.run(run_trials(TRIALS, seed=12, at_once=1))

    assert len(endings) == TRIALS
    assert all(ending.good for ending in endings), summary(endings)
