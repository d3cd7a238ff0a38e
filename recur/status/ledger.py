"""How the ledger and the schedule document stand: pure functions of their blobs."""

from typing import Final

from orchestrator.ledger.summaries import Recent
from recur.causes.not_run import CORRECT
from recur.causes.surroundings import Unreadable
from recur.causes.trouble import Health
from recur.status.readings import Blob, InForce, Readings, Work
from recur.status.value import DocumentStatus, Finding, LedgerStatus

_RESTORE: Final = (
    "restore it (docs/operations.md), or recur adopt --new: it begins anew, from now on"
)
_APPLY: Final = "recur apply FILE"


def judge_ledger(readings: Readings) -> LedgerStatus:
    """Return whether ticks can work on the ledger, and whose it is."""
    submit = readings.submit
    if isinstance(submit, Unreadable):
        health = Health.PROBLEM if submit.damaged else Health.UNKNOWN
        step = _RESTORE if submit.damaged else submit.next_step
        return LedgerStatus(owner=None, finding=_finding(health, submit.why, step))
    if submit is None:
        return LedgerStatus(owner=None, finding=_without_state(readings))
    owner = submit.content.owner
    if owner not in {"", readings.surroundings.account}:
        what = f"it belongs to {owner}, and these settings name {readings.surroundings.account}"
        step = "correct BATCH_ACCOUNT_URL, or move the ledger: recur adopt"
        return LedgerStatus(owner=owner, finding=_finding(Health.PROBLEM, what, step))
    for one in (readings.work, readings.collect, readings.recent):
        if isinstance(one, Unreadable):
            health = Health.NOTE if one.damaged else Health.UNKNOWN
            step = "the collector makes it anew" if one.damaged else one.next_step
            return LedgerStatus(owner=owner or None, finding=_finding(health, one.why, step))
    what = f"it belongs to {owner}" if owner else "it belongs to nobody yet"
    return LedgerStatus(owner=owner or None, finding=_finding(Health.GOOD, what))


def _without_state(readings: Readings) -> Finding:
    """Tell a ledger that no tick has begun from one that has lost its state."""
    if _has_records(readings):
        what = "submit.json is missing beside records: the submit function stands still over it"
        return _finding(Health.PROBLEM, what, _RESTORE)
    for one in (readings.work, readings.collect, readings.recent):
        if isinstance(one, Unreadable):
            what = f"submit.json is missing; whether there are records is not known: {one.why}"
            return _finding(Health.UNKNOWN, what, one.next_step)
    return _finding(Health.NOTE, "no tick has begun it yet")


def _has_records(readings: Readings) -> bool:
    """Whether records are known of. A collect tick leaves an empty collect.json in a new ledger."""
    work, collect, recent = readings.work, readings.collect, readings.recent
    return bool(
        (isinstance(work, Work) and work.lines)
        or (isinstance(collect, Blob) and collect.content.schedules)
        or (isinstance(recent, Recent) and recent.schedules)
    )


def judge_document(readings: Readings) -> DocumentStatus:
    """Return whether the document in force decides anything, and which version it is."""
    document = readings.document
    if isinstance(document, Unreadable):
        finding = _finding(Health.UNKNOWN, document.why, document.next_step)
        return DocumentStatus(version=None, since=None, finding=finding)
    if document is None:
        finding = _finding(Health.PROBLEM, "there is none: nothing is ever due", _APPLY)
        return DocumentStatus(version=None, since=None, finding=finding)
    number, since = document.content.number, document.modified
    return DocumentStatus(version=number, since=since, finding=_of_document(document))


def _of_document(document: Blob[InForce]) -> Finding:
    said = document.content.document
    if isinstance(said, Unreadable):
        what = f"it decides nothing, and every schedule stands still: {said.why}"
        return _finding(Health.PROBLEM, what, CORRECT)
    count = f"{len(said.schedules)} schedule{'s' * (len(said.schedules) != 1)}"
    others = [one for one in said.problems if one.schedule not in said.invalid]
    if others:
        return _finding(Health.PROBLEM, f"{count}; {others[0]}", CORRECT)
    if said.invalid:
        return _finding(Health.NOTE, f"{count}; {len(said.invalid)} more stand still")
    return _finding(Health.GOOD, count)


def _finding(health: Health, what: str, next_step: str | None = None) -> Finding:
    return Finding(health=health, what=what, next_step=next_step)
