"""`recur show` says of a run without a job whether it ever had one."""

from dataclasses import replace

import pytest

from orchestrator.enums import AttemptState
from orchestrator.ledger.attempt import Attempt
from recur.commands.show import Live, live_sentence
from tests.support.records import SUBMITTED

CLAIMED = replace(SUBMITTED, state=AttemptState.CLAIMED, submitted=None)


@pytest.mark.parametrize(
    ("live", "attempt", "said"),
    [
        (Live(job="active", task="running"), SUBMITTED, "job active, task running"),
        (Live(), SUBMITTED, "the job no longer exists (jobs are removed some days after"),
        (Live(), CLAIMED, "there is no job yet: it was not submitted"),
        (Live(), replace(CLAIMED, state=AttemptState.ENDED), "it never had a job"),
        (Live(trouble="no answer"), CLAIMED, "not asked: no answer"),
    ],
)
def test_what_batch_says_fits_the_attempt(live: Live, attempt: Attempt, said: str) -> None:
    """Only a job that was made can be removed."""
    assert live_sentence(live, attempt).startswith(said)
