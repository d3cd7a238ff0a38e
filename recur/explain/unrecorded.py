"""The explanation of an instant that the ledger has no record of."""

from orchestrator import ids
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Occurrence
from orchestrator.timing.occurrences import in_force
from recur.about import about_sentence
from recur.causes.not_run import CORRECT, undecided_cause, undecided_step
from recur.explain.case import (
    DUE,
    Background,
    Case,
    Explanation,
    Fact,
    Verdict,
    subject,
    timing_facts,
)
from recur.formats import local, short_duration, utc
from recur.ledger_reader.record_blobs import KEPT
from recur.timing_lookup import occurrence_after


def unrecorded(case: Case, background: Background) -> Explanation:
    """Explain an instant without a record: not due, not yet due, or not decided."""
    state = background.state
    if state is None:
        trouble = f" {background.trouble}." if background.trouble else ""
        return _answer(
            case,
            background,
            Verdict.UNKNOWN,
            f"{background.schedule} has no record at {local(case.nominal, background.zone)}, and "
            f"nothing tells when it is or was due.{trouble}",
            f"recur runs {background.schedule} lists what there is",
        )
    if case.occurrence is None:
        return _not_due(case, background, state)
    if case.nominal > background.now:
        return _future(case, case.occurrence, background, state)
    if case.nominal <= state.decided_until and background.taken_over:
        return _lost_record(case, background)
    return _undecided(case, background, state)


def _not_due(case: Case, background: Background, state: ScheduleState) -> Explanation:
    """Say why there is no occurrence, and which are the nearest."""
    timing = in_force(state.timings, case.nominal)
    shown = f"on {case.day}" if case.day else f"at {local(case.nominal, background.zone)}"
    if case.nominal <= state.timings[0].since:
        sentence = (
            f"{background.schedule} has no occurrence {shown}: what is known of it begins "
            f"after {local(state.timings[0].since, background.zone)}."
        )
        return _answer(case, background, Verdict.NOT_BEGUN, sentence + _nearest(case, background))
    if timing.removed:
        sentence = (
            f"{background.schedule} has no occurrence {shown}: it was removed from the "
            f"document at {local(timing.since, background.zone)}."
        )
        return _answer(case, background, Verdict.REMOVED, sentence + _nearest(case, background))
    why = f" {case.notes[-1]}" if case.notes else ""
    sentence = f"{background.schedule} has no occurrence {shown}.{why}"
    return _answer(case, background, Verdict.NOT_DUE, sentence + _nearest(case, background))


def _nearest(case: Case, background: Background) -> str:
    parts = []
    if case.before:
        parts.append(f"the one before is {local(case.before, background.zone)}")
    if case.after:
        parts.append(f"the next is {local(case.after, background.zone)}")
    text = ", ".join(parts)
    return f" {text[0].upper()}{text[1:]}." if text else ""


def _future(
    case: Case, occurrence: Occurrence, background: Background, state: ScheduleState
) -> Explanation:
    left = short_duration(case.nominal - background.now)
    sentence = f"{subject(case, background)} lies in the future: it is due in {left}."
    facts: list[Fact] = []
    held = [pause for pause in state.pauses if pause.holds(case.nominal)]
    if not occurrence.exists:
        sentence += " It will be skipped (nonexistent): its wall time never comes."
    elif occurrence.excluded:
        sentence += " It will be skipped (excluded): `except` leaves it out."
    elif occurrence.holiday:
        sentence += " It will be skipped (holiday)."
    elif held:
        sentence += f" It will be skipped (paused), as long as the pause by {held[0].by} holds."
        note = f": {held[0].note}" if held[0].note else ""
        says = f"paused by {held[0].by} from {utc(held[0].since)}{note}"
        facts.append(Fact(source=ids.SUBMIT_STATE, says=says))
    elif occurrence.paused:
        sentence += " It will be skipped (paused), as long as the document says paused = true."
    if background.trouble:
        sentence += " It will not be decided until the document is mended."
        facts.append(Fact(source=ids.DOCUMENT, says=background.trouble))
    step = CORRECT if background.trouble else None
    return _answer(case, background, Verdict.FUTURE, sentence, step, facts)


def _lost_record(case: Case, background: Background) -> Explanation:
    """Explain what cannot be: decided, and without a record."""
    if background.now - case.nominal > KEPT:
        sentence = (
            f"{subject(case, background)} has no record any more: they are kept {KEPT.days} days."
        )
        return _answer(case, background, Verdict.UNKNOWN, sentence)
    return _answer(
        case,
        background,
        Verdict.UNRECORDED,
        f"{subject(case, background)} has been decided, and its record is gone from the ledger.",
        f"recur gaps {background.schedule} lists all such; look who removed blobs below runs/ or "
        "open/",
    )


def _undecided(case: Case, background: Background, state: ScheduleState) -> Explanation:
    oldest = occurrence_after(state.timings, state.decided_until) or case.nominal
    late = background.now - min(oldest, case.nominal)
    if background.trouble:
        return _answer(
            case,
            background,
            Verdict.UNDECIDED,
            f"{subject(case, background)} is undecided: the document holds it up. "
            f"{background.trouble}.",
            f"{CORRECT}; what is late then is caught up, as catch_up says",
        )
    if late <= DUE:
        sentence = f"{subject(case, background)} is due right now: the next tick decides it."
        return _answer(case, background, Verdict.DUE, sentence)
    written = ""
    if background.written:
        written = f", submit.json was last written {utc(background.written)}"
    return _answer(
        case,
        background,
        Verdict.UNDECIDED,
        f"{subject(case, background)} is undecided: {undecided_cause(late)}. The submit tick is silent, "
        f"or Batch does not answer it. It is decided up to {utc(state.decided_until)}{written}.",
        undecided_step(on_laptop=background.around.on_laptop),
    )


def _answer(  # noqa: PLR0913, PLR0917 - the parts of an answer
    case: Case,
    background: Background,
    verdict: Verdict,
    sentence: str,
    next_step: str | None = None,
    facts: list[Fact] | None = None,
) -> Explanation:
    documented = []
    if said := about_sentence(background.about):
        documented.append(Fact(source=ids.DOCUMENT, says=said))
    if background.changed:
        says = f"changed {utc(background.changed)}; no tick has taken that over yet"
        documented.append(Fact(source=ids.DOCUMENT, says=says))
    return Explanation(
        verdict=verdict,
        nominal=case.nominal,
        sentence=sentence,
        facts=(*timing_facts(case, background), *documented, *(facts or [])),
        next_step=next_step,
    )
