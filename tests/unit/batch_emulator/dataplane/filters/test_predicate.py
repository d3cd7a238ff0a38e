"""Filters as they are answered: what holds of a thing, and what a list cannot answer."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_emulator.dataplane.filters import (
    Field,
    FilterError,
    flag_field,
    number_field,
    parse_filter,
    predicate,
    text_field,
    time_field,
)
from batch_emulator.dataplane.filters.fields import ORDER
from batch_emulator.dataplane.filters.syntax import Condition
from tests.support.filter_trees import CONDITIONS

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Thing:
    id: str = "Job-1"
    state: str = "active"
    exit_code: int | None = None
    ended: datetime | None = None
    noted: bool | None = None


FIELDS: dict[str, Field[Thing]] = {
    "id": text_field(lambda thing: thing.id, ORDER, prefix=True),
    "state": text_field(lambda thing: thing.state),
    "executionInfo/exitCode": number_field(lambda thing: thing.exit_code),
    "executionInfo/endTime": time_field(lambda thing: thing.ended),
    "noted": flag_field(lambda thing: thing.noted),
}
THINGS = st.builds(
    Thing,
    id=st.text(max_size=4),
    state=st.sampled_from(["active", "Completed"]),
    exit_code=st.none() | st.integers(-2, 2),
    ended=st.none() | st.datetimes(timezones=st.just(UTC)),
    noted=st.none() | st.booleans(),
)


def holds(text: str, thing: Thing) -> bool:
    return predicate(parse_filter(text), FIELDS)(thing)


@given(CONDITIONS, THINGS)
@settings(max_examples=300)
def test_every_filter_is_refused_or_answered(condition: Condition, thing: Thing) -> None:
    """A filter that is not refused before it sees a thing is true or false of every thing."""
    try:
        answer = predicate(condition, FIELDS)
    except FilterError:
        return

    assert answer(thing) in {True, False}


@given(THINGS, st.sampled_from(["'b'", "'Job-1'", "''"]))
def test_laws_of_comparisons(thing: Thing, value: str) -> None:
    """Of less, equal and greater exactly one is true of what is there; ``not`` turns each around."""
    answers = {op: holds(f"id {op} {value}", thing) for op in ("lt", "eq", "gt", "le", "ge", "ne")}

    assert answers["lt"] + answers["eq"] + answers["gt"] == 1
    assert answers["le"] == (answers["lt"] or answers["eq"])
    assert answers["ge"] == (answers["gt"] or answers["eq"])
    assert answers["ne"] is not answers["eq"]
    assert holds(f"not (id eq {value})", thing) is answers["ne"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("id eq 'JOB-1'", True),
        ("startswith(id, 'jOB')", True),
        ("startswith(id, '')", True),
        ("startswith(id, 'ob')", False),
        ("id lt 'job-10'", True),
        ("id gt 'JOB'", True),
        ("state ne 'Active'", False),
        ("state eq 'Active' and id eq 'other'", False),
        ("state eq 'Active' or id eq 'other'", True),
        ("not startswith(id, 'a') and state eq 'active'", True),
        ("executionInfo/exitCode eq 3", True),
        ("executionInfo/exitCode eq 3.0", True),
        ("executionInfo/exitCode gt 2.5", True),
        ("(executionInfo/exitCode lt 0) or (executionInfo/exitCode gt 0)", True),
        ("executionInfo/exitCode ne null", True),
        ("executionInfo/endTime le DateTime'2026-01-02T03:04:05Z'", True),
        ("executionInfo/endTime lt DateTime'2026-01-02T03:04:05Z'", False),
        ("executionInfo/endTime gt DateTime'2026-01-02T03:04:05+01:00'", True),
        ("noted eq true", True),
        ("noted ne true", False),
    ],
)
def test_answers(text: str, answer: bool) -> None:
    """The case of values does not count."""
    thing = Thing(exit_code=3, ended=MOMENT, noted=True)

    assert holds(text, thing) is answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("executionInfo/exitCode eq null", True),
        ("executionInfo/exitCode ne null", False),
        ("executionInfo/exitCode eq 0", False),
        ("executionInfo/exitCode ne 0", True),
        ("executionInfo/exitCode lt 0 or executionInfo/exitCode ge 0", False),
        ("not (executionInfo/exitCode lt 0)", True),
        ("executionInfo/endTime lt DateTime'2199-01-01'", False),
        ("noted eq false", False),
        ("id eq null", False),
    ],
)
def test_what_a_thing_lacks(text: str, answer: bool) -> None:
    """It differs from every value, and has no place in their order."""
    assert holds(text, Thing()) is answer


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("colour eq 'red'", 0, "The list cannot be filtered by the property colour"),
        ("State eq 'active'", 0, "The list cannot be filtered by the property State"),
        ("executionInfo eq null", 0, "The list cannot be filtered by the property executionInfo"),
        ("id eq 'a' and startswith(colour, 'r')", 25, "The list cannot be filtered by the prop"),
        ("state lt 'b'", 6, "state takes eq, ne, not lt"),
        ("startswith(state, 'a')", 0, "state takes eq, ne, not startswith"),
        ("noted gt false", 6, "noted takes eq, ne, not gt"),
        ("id lt null", 3, "null cannot be compared by lt"),
        ("id eq 5", 3, "id is of type String"),
        ("executionInfo/exitCode eq '5'", 23, "executionInfo/exitCode is of type Int"),
        ("executionInfo/exitCode eq true", 23, "executionInfo/exitCode is of type Int"),
        ("noted eq 1", 6, "noted is of type Boolean"),
        ("executionInfo/endTime lt '2026-01-01'", 22, "executionInfo/endTime is of type DateTime"),
    ],
)
def test_refusals(text: str, position: int, message: str) -> None:
    """Before any thing is looked at: an unknown property, an operator or a type that is not its."""
    with pytest.raises(FilterError) as caught:
        predicate(parse_filter(text), FIELDS)

    assert caught.value.message.startswith(message)
    assert caught.value.position == position
