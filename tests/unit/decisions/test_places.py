"""Where the job of an attempt is, and what is written before its job is first tried."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.batch_state import JobPlace
from orchestrator.decisions.places import (
    gates_opened,
    is_elsewhere,
    is_noted,
    noted,
    place_of,
    placed,
    placed_if_at_once,
    portless,
)
from orchestrator.enums import After, SkipReason
from orchestrator.ledger.record import Action
from tests.support.records import RECORD, claimed, decided

HERE = JobPlace(
    account="https://a.example",
    pool_id="pool",
    outputs_url="https://s.example/outputs",
    node_identity="node",
)
THERE = JobPlace(
    account="https://b.example",
    pool_id="other",
    outputs_url="https://s.example/elsewhere",
    node_identity="node",
)
NOON = RECORD.nominal
CLAIM = claimed(NOON)
MINUTE = timedelta(minutes=1)


def test_an_attempt_keeps_the_place_where_it_was_first_tried() -> None:
    """Settings that change later do not move it; one that was never tried follows them."""
    assert place_of(placed(CLAIM, THERE).attempt, HERE) == THERE
    assert place_of(CLAIM.attempt, HERE) == HERE


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://A.Example/x", "https://a.example/x"),
        ("https://a.example:8443/X", "https://a.example:8443/X"),
        ("http://127.0.0.1:1234/x", "http://127.0.0.1/x"),
        ("http://localhost:99/x", "http://127.0.0.1/x"),
        ("http://[::1]:99/x", "http://127.0.0.1/x"),
    ],
)
def test_a_port_counts_only_beyond_a_laptop(url: str, kept: str) -> None:
    """There Azurite and the emulator may have another one at each start."""
    assert portless(url) == kept


def test_on_a_laptop_outputs_go_to_the_port_of_today() -> None:
    """The container is the same one."""
    old = replace(HERE, outputs_url="http://127.0.0.1:1/account/outputs")
    new = replace(HERE, outputs_url="http://127.0.0.1:2/account/outputs")
    assert place_of(placed(CLAIM, old).attempt, new) == new


def test_only_another_account_is_elsewhere() -> None:
    """What has none yet is not."""
    assert is_elsewhere(THERE.account, HERE)
    assert not is_elsewhere(HERE.account, HERE)
    assert not is_elsewhere(None, HERE)


def test_a_claim_holds_its_place_where_its_job_is_tried_at_once() -> None:
    """What waits for a time or for other runs does not, nor what submits nothing."""
    later = replace(CLAIM.attempt, not_before=NOON + MINUTE)
    gated = replace(CLAIM.attempt, after=After.QUEUE)
    skipped = decided(NOON, Action.SKIPPED, reason=SkipReason.PAUSED)

    assert placed_if_at_once(CLAIM, HERE).attempt.account == HERE.account
    assert placed_if_at_once(CLAIM, None) == CLAIM
    for waits in (CLAIM.with_attempt(later), CLAIM.with_attempt(gated), skipped):
        assert placed_if_at_once(waits, HERE) == waits


@pytest.mark.parametrize("after", [None, After.RETRY])
def test_everything_is_noted_before_a_job_is_tried(after: After | None) -> None:
    """Its place, and when its gates opened: with a gate now, without one when its time had come."""
    attempt = replace(CLAIM.attempt, not_before=NOON + MINUTE, after=after)
    record = CLAIM.with_attempt(attempt)
    now = NOON + 5 * MINUTE

    ready = noted(record, HERE, now)

    assert not is_noted(attempt)
    assert is_noted(ready.attempt)
    assert ready.attempt.ready == (now if after else NOON + MINUTE)
    assert place_of(ready.attempt, THERE) == HERE
    assert gates_opened(ready.attempt) == ready.attempt.ready


def test_a_claim_with_a_place_needs_no_note_unless_it_has_a_gate() -> None:
    """So that a run that starts at once costs two writes of its open record."""
    assert is_noted(placed(CLAIM, HERE).attempt)
    gated = CLAIM.with_attempt(replace(CLAIM.attempt, after=After.QUEUE))
    assert not is_noted(placed(gated, HERE).attempt)


def test_a_gate_that_has_not_opened_has_no_time() -> None:
    """It opens in the tick that asks."""
    assert gates_opened(replace(CLAIM.attempt, after=After.QUEUE)) is None
    assert gates_opened(CLAIM.attempt) == CLAIM.attempt.claimed
