"""
Why an occurrence is as it is: a pure function from what the ledger holds to one sentence.

The sentence comes first, then the evidence for it, each with its source.
"""

from dataclasses import replace

from recur.explain.case import Background, Case, Explanation
from recur.explain.recorded import final, opened, planned, unreadable
from recur.explain.unrecorded import unrecorded


def explain(case: Case, background: Background) -> Explanation:
    """Explain one instant of one schedule, with the triggered runs at it as evidence."""
    found = _explain_case(case, background)
    return replace(found, facts=(*found.facts, *case.triggered), run_id=case.run_id)


def _explain_case(case: Case, background: Background) -> Explanation:
    if case.open:
        return opened(case, case.open, background)
    if case.unreadable:
        return unreadable(case, background)
    if case.final:
        return final(case, case.final, background)
    if case.planned:
        return planned(case, case.planned, background)
    return unrecorded(case, background)
