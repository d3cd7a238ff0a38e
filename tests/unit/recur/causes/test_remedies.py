"""Each remedy leads on by a command that is there, on a laptop as well as in Azure."""

import re
from datetime import timedelta

import pytest

from orchestrator.enums import BlockedReason, MissReason, Outcome, Reason, SkipReason
from orchestrator.ids import RunId
from orchestrator.ledger.record import Action, Range
from recur.causes.not_run import CORRECT, not_run_cause, undecided_step
from recur.causes.remedies import ended_remedy, pool_remedy, remedy_for, why_blocked
from recur.causes.surroundings import Subject
from recur.commands import NAMES
from tests.support.records import NIGHTLY, decided, ran, replaced
from tests.support.status_readings import TWO

COMMAND = re.compile(r"\brecur ([a-z]+)")
TARGETS = {"up", "start", "infra-write"}
OF_POOLS = [*Reason][[*Reason].index(Reason.POOL_MISSING) : [*Reason].index(Reason.BLOCKED)]
SUBJECT = Subject(
    schedule=NIGHTLY, run_id=RunId("nightly-20260602T020000Z"), nominal=TWO, on_laptop=True
)
AGAIN = (
    "recur backfill nightly --from 2026-06-02T01:59:59Z --to 2026-06-02T02:00:00Z --rerun-failed"
)


def check(text: str | None, *, on_laptop: bool) -> None:
    assert text
    assert "{" not in text
    named = COMMAND.findall(text)
    made = re.findall(r"`make ([a-z-]+)`", text)
    assert named or made or (text.startswith("az ") and not on_laptop), text
    assert {*named} <= {*NAMES}, text
    assert {*made} <= TARGETS, text
    if on_laptop:
        assert not re.search(r"\baz\b|docs/deploy", text), text


@pytest.mark.parametrize("on_laptop", [False, True])
@pytest.mark.parametrize("reason", Reason)
def test_each_end_leads_to_a_command(reason: Reason, *, on_laptop: bool) -> None:
    """With output and without."""
    for outputs in ((), ran(TWO).outputs):
        record = replaced(ran(TWO, Outcome.FAILED, reason), outputs=outputs)
        check(ended_remedy(record, on_laptop=on_laptop), on_laptop=on_laptop)


@pytest.mark.parametrize("on_laptop", [False, True])
@pytest.mark.parametrize("reason", OF_POOLS)
def test_each_fault_of_a_pool_leads_to_a_command(reason: Reason, *, on_laptop: bool) -> None:
    """Whatever `diagnose` says."""
    check(pool_remedy(reason, on_laptop=on_laptop), on_laptop=on_laptop)


@pytest.mark.parametrize("on_laptop", [False, True])
@pytest.mark.parametrize("reason", [*BlockedReason, "a_later_one"])
def test_each_block_leads_to_a_command(reason: str, *, on_laptop: bool) -> None:
    """And has a cause, with its word."""
    cause, step = why_blocked(reason, on_laptop=on_laptop)

    assert cause.endswith(f"({reason})")
    if reason != BlockedReason.ID_TAKEN or on_laptop:
        check(step, on_laptop=on_laptop)


@pytest.mark.parametrize("reason", [*SkipReason, *MissReason, "a_later_one"])
def test_each_occurrence_that_did_not_run_leads_to_a_command(reason: str) -> None:
    """Also one that shares its record with others."""
    action = Action.MISSED if reason in {*MissReason} else Action.SKIPPED
    record = decided(TWO, action, reason=reason)

    cause, step = not_run_cause(record)
    check(step, on_laptop=True)
    assert reason in cause

    last = TWO + timedelta(hours=2)
    ranged = replaced(record, range=Range(first=TWO, last=last, count=3))
    if action is Action.MISSED:
        assert "--from 2026-06-02T01:59:59Z --to 2026-06-02T04:00:00Z" in not_run_cause(ranged)[1]


@pytest.mark.parametrize("on_laptop", [False, True])
def test_what_is_not_decided_leads_to_a_command(*, on_laptop: bool) -> None:
    """By a silent timer, or by the document."""
    check(undecided_step(on_laptop=on_laptop), on_laptop=on_laptop)
    check(CORRECT, on_laptop=on_laptop)


def test_a_run_is_run_again_by_a_command_that_means_it_alone() -> None:
    """A triggered one has no time: it is triggered."""
    assert AGAIN in (remedy_for(Reason.JOB_MISSING, SUBJECT) or "")
    triggered = Subject(
        schedule=NIGHTLY, run_id=RunId("nightly-m0123456789abcdef"), nominal=TWO, on_laptop=True
    )
    assert "again with recur trigger nightly" in (remedy_for(Reason.JOB_MISSING, triggered) or "")


@pytest.mark.parametrize("code", [-9, 137])
def test_a_run_that_ran_out_of_memory_uses_less(code: int) -> None:
    """As far as SIGKILL tells."""
    record = ran(TWO, Outcome.FAILED, Reason.EXIT_CODE)
    record = record.with_attempt(replaced(record.attempt, exit_code=code))

    assert "less memory" in ended_remedy(record, on_laptop=True)


def test_a_success_leads_to_its_output_alone() -> None:
    """Its runbook is for failures."""
    assert ended_remedy(ran(TWO), on_laptop=False) == "recur logs nightly-20260602T020000Z"
