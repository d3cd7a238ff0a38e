"""Which past occurrences a backfill runs, and the claims they become."""

import pytest

from orchestrator.decisions.backfill import eligible
from orchestrator.enums import SkipReason
from orchestrator.ids import RunId
from orchestrator.ledger.record import Action, Decided, Record, Versions
from orchestrator.model import Occurrence
from tests.support.hourly import NOON
from tests.support.schedules import ID


@pytest.mark.parametrize(
    ("action", "reason", "excluded", "plain", "rerun"),
    [
        (None, None, False, True, True),
        (None, None, True, False, True),
        (Action.SKIPPED, SkipReason.PAUSED, False, True, True),
        (Action.SKIPPED, SkipReason.EXCLUDED, True, False, True),
        (Action.MISSED, "window", False, True, True),
        (Action.SUBMIT, None, False, False, True),
    ],
)
def test_a_backfill_runs_what_did_not_run(
    action: Action | None, reason: str | None, excluded: bool, plain: bool, rerun: bool
) -> None:
    """A rerun also what ran, and what `except` leaves out."""
    final = action and Record(
        run_id=RunId("nightly-20260601T120000Z"),
        schedule=ID,
        nominal=NOON,
        decision=Decided(action=action, reason=reason, at=NOON),
        versions=Versions(product="", tzdata=""),
    )
    occurrence = Occurrence(nominal=NOON, excluded=excluded)
    assert eligible(occurrence, final or None, rerun=False) is plain
    assert eligible(occurrence, final or None, rerun=True) is rerun
