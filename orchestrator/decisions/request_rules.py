"""
What a request may say: the same rules for `recur`, which makes it, and for the tick, which reads it.

Whoever may write the ledger can put any blob in the place of a request.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from orchestrator import ids
from orchestrator.ledger.request import Request, RequestKind

LONGEST: Final[Mapping[str, int]] = {"by": 200, "key": 1000, "note": 1000}
"""Characters of the texts: mails, tables and records repeat them."""

_FIELDS: Final[Mapping[RequestKind, frozenset[str]]] = {
    RequestKind.TRIGGER: frozenset({"key", "force", "environment", "nominal"}),
    RequestKind.BACKFILL: frozenset({"after", "until", "rerun", "rerun_failed"}),
    RequestKind.STOP: frozenset({"run_id"}),
    RequestKind.PAUSE: frozenset({"until"}),
    RequestKind.RESUME: frozenset(),
}
"""The fields of each kind, besides those that all of them have."""

_ALL: Final = frozenset[str]().union(*_FIELDS.values())


def broken_rule(request: Request, id_: str) -> str | None:
    """
    Return the first thing that a request may not say, with its field; None if it is as it should be.

    Whether it can be carried out is another question: it depends on schedules, runs and variables.

    Args:
        request: Read from JSON, or about to be written.
        id_: The id that its blob's name has.
    """
    return next(_broken_rules(request, id_), None)


def _broken_rules(request: Request, id_: str) -> Iterator[str]:
    if request.id != id_ or not ids.REQUEST_ID.fullmatch(request.id):
        yield f"id is {request.id[:80]!r}, but the name of its blob gives {id_!r}"
    if not ids.SCHEDULE_ID.fullmatch(request.schedule):
        yield f"schedule is {request.schedule[:80]!r}, which is not a valid schedule id"
    for name, most in LONGEST.items():
        text = getattr(request, name)
        if text is not None and not one_line(text, most):
            yield f"{name} must be one line of 1 to {most:,} visible characters"
    yield from _broken_rules_of_kind(request)


def _broken_rules_of_kind(request: Request) -> Iterator[str]:
    """Yield what the kind of a request, or another of its fields, rules out."""
    for name in sorted(_ALL - _FIELDS[request.kind]):
        if getattr(request, name):
            yield f"{name} is not a field of the request {request.kind}"
    if request.rerun and request.rerun_failed:
        yield "rerun and rerun_failed exclude each other"
    if request.run_id is not None:
        run = ids.parse_run_id(request.run_id)
        if run and run[0] != request.schedule:
            yield f"run_id belongs to schedule {run[0]}, but schedule is {request.schedule}"
    if request.nominal and request.nominal.microsecond:
        yield "nominal must be a whole second"


def one_line(text: str, most: int) -> bool:
    """Tell whether a text is one line: not empty, not endless, without control characters."""
    return bool(text.strip()) and text.isprintable() and len(text) <= most
