"""Runs whose job is in a Batch account that the ledger has left."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.decisions.elsewhere import given_up, giving_up
from orchestrator.decisions.retry import again
from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.ledger.attempt import Stop
from orchestrator.model import Retries
from tests.support.records import RECORD

NOW = RECORD.nominal + timedelta(hours=1)
AWAY = RECORD.with_attempt(replace(RECORD.attempt, account="https://old.example"))


@pytest.mark.parametrize("reason", [None, Reason.STOPPED, Reason.START_TIMEOUT])
def test_a_run_waits_for_its_account_until_it_is_given_up(reason: Reason | None) -> None:
    """A stop alone ends nothing: its job may go on in the account that nobody asks."""
    stop = Stop(cause=reason, reason=reason, sentence="", at=NOW) if reason else None
    assert given_up(replace(AWAY, stop=stop)) is None


def test_what_is_given_up_is_lost_and_not_tried_again() -> None:
    """Nobody knows what its job does; the sentence names the account."""
    record = giving_up(AWAY, NOW)
    attempt = given_up(record)

    assert attempt is not None
    assert attempt.state is AttemptState.ENDED
    assert (attempt.outcome, attempt.reason) == (Outcome.LOST, Reason.ACCOUNT_LEFT)
    assert "https://old.example" in (attempt.sentence or "")
    assert record.task is not None
    keen = replace(record.task, retries=Retries(max=9, on=(Outcome.LOST,)))
    assert again(replace(record, task=keen).with_attempt(attempt), NOW) is None
