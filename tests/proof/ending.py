"""How runs have ended, in a few words: what the stories are judged by."""

from collections.abc import Mapping

from orchestrator.ids import HOUSEKEEPING
from orchestrator.ledger.record import Action, load


def sentence(data: bytes) -> str:
    """Return what a record says, in a few words."""
    record = load(data)
    number = record.attempt.number if record.attempts else 1
    again = f" at attempt {number}" if number > 1 else ""
    if record.outcome:
        return f"{record.outcome}({record.reason}){again}"
    if record.decision.action is Action.SUBMIT:
        return f"{record.attempt.state}{again}"
    count = f"{record.range.count} " if record.range else ""
    return f"{count}{record.decision.action}({record.decision.reason})"


def end(blobs: Mapping[str, bytes]) -> dict[str, str]:
    """Return what a ledger says of each run; what is open says it more newly."""
    told: dict[str, str] = {}
    for name, data in sorted(blobs.items(), reverse=True):
        if name.startswith(("runs/", "open/")) and name != HOUSEKEEPING:
            unfinished = name.startswith("open/") and load(data).outcome
            told[load(data).run_id] = f"{'open: ' if unfinished else ''}{sentence(data)}"
    return told
