"""How explanations are told: one or two with their evidence, a whole day by what matters in it."""

from collections.abc import Sequence
from typing import Final

from orchestrator.enums import Outcome
from recur.explain.case import CLOCK, WRONG, Background, Explanation, Verdict
from recur.formats import local, utc
from recur.output import Printer

_IN_FULL: Final = 3
"""So many explanations are shown with their evidence."""

_AT_MOST: Final = 20
"""So many are shown at all; the others are counted."""

_REST: Final = {
    Verdict.ENDED: "did not succeed",
    Verdict.OPEN: "not ended",
    Verdict.SKIPPED: "skipped",
    Verdict.MISSED: "missed",
    Verdict.PLANNED: "decided, and about to be carried out",
    Verdict.DUE: "due right now",
    Verdict.UNDECIDED: "undecided",
    Verdict.UNRECORDED: "decided and without a record",
    Verdict.UNREADABLE: "with a record that cannot be read",
    Verdict.UNKNOWN: "without a record any more",
}
_LISTED: Final = {
    Verdict.OPEN: "--open",
    Verdict.SKIPPED: "--decision skipped",
    Verdict.MISSED: "--decision missed",
}


def show_explanations(
    output: Printer, found: Sequence[Explanation], background: Background
) -> None:
    """Tell people what was found: what did not plainly succeed first, then the newest."""
    if len(found) <= _IN_FULL:
        for one in found:
            _in_full(output, one)
        return
    for note in _shared_notes(found):
        output.say(note)
    shown = _chosen(found)
    for one in shown:
        output.say(one.sentence)
    rest = [one for one in found if one not in shown]
    for line in _verdict_counts(rest, background, " more" if shown else ""):
        output.say(line)
    last = shown[-1] if shown else found[0]
    one = next((one for one in shown if one.verdict in WRONG), last)
    output.say(
        f"the evidence of one of them: recur explain {background.schedule} {utc(one.nominal)}"
    )


def _in_full(output: Printer, one: Explanation) -> None:
    output.say(one.sentence)
    for fact in one.facts:
        output.say(f"  {fact.source}: {fact.says}")
    for line in one.last_lines:
        output.say(f"  | {line}")
    if one.next_step:
        output.say(f"  next: {one.next_step}")


def _shared_notes(found: Sequence[Explanation]) -> list[str]:
    """Return what the clock did to all of them: it changes on the day that was asked for."""
    shared = set.intersection(
        *({fact for fact in one.facts if fact.source == CLOCK} for one in found)
    )
    return sorted(fact.says for fact in shared)


def _chosen(found: Sequence[Explanation]) -> list[Explanation]:
    """Return those that are shown, oldest first: of many none that lies in the future."""
    if len(found) <= _AT_MOST:
        return list(found)
    past = [one for one in found if one.verdict is not Verdict.FUTURE]
    newest = sorted(past, key=lambda one: one.nominal, reverse=True)
    ranked = sorted(newest, key=_rank)
    return sorted(ranked[:_AT_MOST], key=lambda one: one.nominal)


def _rank(one: Explanation) -> int:
    if one.verdict in WRONG:
        return 0
    return 2 if _succeeded(one) else 1


def _succeeded(one: Explanation) -> bool:
    return one.outcome is Outcome.SUCCEEDED


def _verdict_counts(rest: Sequence[Explanation], background: Background, more: str) -> list[str]:
    """Say in a line for each verdict how many there are, and what lists them."""
    runs = f"recur runs {background.schedule}"
    lines = []
    if good := [one for one in rest if _succeeded(one)]:
        lists = f"{runs} --outcome succeeded {_bounds(good)}"
        lines.append(f"{len(good)}{more} ran and succeeded: {lists}")
    for verdict, words in _REST.items():
        some = [one for one in rest if one.verdict is verdict and not _succeeded(one)]
        if some:
            outcomes = sorted({f"--outcome {one.outcome}" for one in some if one.outcome})
            listed = " ".join(outcomes) if outcomes else _LISTED.get(verdict)
            lists = f": {runs} {listed} {_bounds(some)}" if listed else ""
            lines.append(f"{len(some)}{more} {words}{lists}")
    if coming := [one for one in rest if one.verdict is Verdict.FUTURE]:
        first = local(coming[0].nominal, background.zone)
        verb = "lies" if len(coming) == 1 else "lie"
        lines.append(
            f"{len(coming)}{more} {verb} in the future, the next at {first}: "
            f"recur next {background.schedule}"
        )
    return lines


def _bounds(some: Sequence[Explanation]) -> str:
    return f"--since {utc(some[0].nominal)} --until {utc(some[-1].nominal)} -n {len(some)}"
