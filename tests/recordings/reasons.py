"""Why a recorded call is answered otherwise, from a closed list; kept in ``differences.csv``."""

import csv
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

from tests.recordings.recorded_calls import RecordedCall
from tests.recordings.replay import Outcome

LIST: Final = Path(__file__).with_name("differences.csv")
UNEXPLAINED: Final = "unexplained"
"""What the program writes where a person has to find the reason; no reason of the list."""


class Reason(StrEnum):
    """Why a recorded call is answered otherwise."""

    NOT_SUPPORTED = "operation_not_supported"
    """The operation, or something that its request or its reply names, is not supported."""
    GONE = "gone_from_the_api"
    """The API of today has it no more: the operation, or what the request or the reply holds."""
    NEEDS_AZURE = "needs_arm_or_virtual_network"
    """It takes what other services of Azure hold: a network, an image of one's own."""
    FOLLOWS = "follows_from_another"
    """An earlier call of the same test run left another state."""


def read_list() -> dict[int, tuple[str, str]]:
    """Return operation and reason of each call that is listed, by its number."""
    with LIST.open(newline="") as lines:
        return {
            int(row["number"]): (row["operation"], row["reason"]) for row in csv.DictReader(lines)
        }


def write_list(outcomes: Iterable[Outcome]) -> None:
    """Write the list anew; a reason that is in it stays."""
    known = read_list() if LIST.exists() else {}
    with LIST.open("w", newline="") as lines:
        rows = csv.writer(lines, lineterminator="\n")
        rows.writerow(["number", "operation", "reason"])
        for outcome, reason in _explained(outcomes):
            number, operation = outcome.call.number, outcome.call.operation
            listed = known.get(number)
            if listed and listed[0] == operation and listed[1] != UNEXPLAINED:
                reason = listed[1]  # noqa: PLW2901 - what a person wrote counts
            rows.writerow([number, operation, reason])


def _explained(outcomes: Iterable[Outcome]) -> Iterator[tuple[Outcome, str]]:
    """Yield the outcomes that differ, each with the reason that it seems to have."""
    trace, changed = "", set[tuple[str, ...]]()
    for outcome in outcomes:
        call = outcome.call
        if call.trace != trace:
            trace = call.trace
            changed.clear()
        if not outcome.difference:
            continue
        yield outcome, _reason(outcome, changed)
        if call.method != "GET":
            changed |= _resources(call)


def _reason(outcome: Outcome, changed: set[tuple[str, ...]]) -> str:
    call = outcome.call
    if (
        call.uses_removed
        or " " in call.operation
        or "cloudServiceConfiguration" in outcome.difference
    ):
        return Reason.GONE
    if outcome.code == "NotSupportedByEmulator":
        return Reason.NOT_SUPPORTED
    if _resources(call) & changed:
        return Reason.FOLLOWS
    return UNEXPLAINED


def _resources(call: RecordedCall) -> set[tuple[str, ...]]:
    """Return what a call is about: the kind of resource, and the resource where it is named."""
    kind = call.parts[0]
    name = (call.request or {}).get("id") if len(call.parts) == 1 else call.parts[1]
    return {(kind, name)} if name else {(kind,)}
