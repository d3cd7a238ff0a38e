"""Filters as they are written: what is read, what is refused, and where."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_emulator.dataplane.filters import FilterError, parse_filter, print_filter
from batch_emulator.dataplane.filters.syntax import (
    Comparison,
    Condition,
    Conjunction,
    Junction,
    Negation,
    Operator,
    StartsWith,
)
from tests.support.filter_trees import CONDITIONS, comparison, path


def types(condition: Condition) -> list[type]:
    """Return the types of the values: True equals 1, and they are not the same."""
    match condition:
        case Comparison():
            return [type(condition.value)]
        case StartsWith():
            return [str]
        case Negation(inner):
            return types(inner)
        case Junction(_, conditions):
            return [one for part in conditions for one in types(part)]


@given(CONDITIONS)
@settings(max_examples=300)
def test_what_is_printed_is_read_back(condition: Condition) -> None:
    """Printing a filter and parsing it gives the same filter."""
    read = parse_filter(print_filter(condition))

    assert read == condition
    assert types(read) == types(condition)


@given(CONDITIONS, st.text(" \t\n", max_size=3))
def test_layout_does_not_count(condition: Condition, space: str) -> None:
    """Blanks around a filter and parentheses around all of it change nothing."""
    text = print_filter(condition)

    assert parse_filter(f"{space}({space}{text}{space}){space}") == condition


EXIT_CODE = "executionInfo/exitCode"
PIECES = ["id", "state", "eq", "ne", "lt", "and", "or", "not", "startswith", "(", ")", ",", "'a'",
          "'", "''", "1", "-1.5", "1.", "true", "null", "DateTime'2020-01-01T00:00:00Z'", "/",
          "DateTime'x'", "datetime", "é", "\0", "a/b"]  # fmt: skip


@given(
    st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join))
)
@settings(max_examples=500)
def test_every_text_is_a_filter_or_an_error(text: str) -> None:
    """Nothing else comes out of parsing, and the place lies within the text."""
    try:
        condition = parse_filter(text)
    except FilterError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017  # most texts are wrong
    else:
        assert parse_filter(print_filter(condition)) == condition


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("state eq 'active'", comparison("state", Operator.EQ, "active")),
        ("id ne 'it''s'", comparison("id", Operator.NE, "it's")),
        ("id eq ''", comparison("id", Operator.EQ, "")),
        (
            "executionInfo/exitCode ge -1",
            comparison("executionInfo/exitCode", Operator.GE, Decimal(-1)),
        ),
        ("executionInfo/exitCode lt 1.5", comparison(EXIT_CODE, Operator.LT, Decimal("1.5"))),
        ("enableAutoScale eq true", comparison("enableAutoScale", Operator.EQ, value=True)),
        ("executionInfo/exitCode eq null", comparison(EXIT_CODE, Operator.EQ, None)),
        ("startswith(id,'render')", StartsWith(path("id"), "render", 0)),
        ("startswith ( id , 'render' )", StartsWith(path("id"), "render", 0)),
    ],
)
def test_simple_conditions(text: str, condition: Condition) -> None:
    """Each kind of value, and the one function."""
    assert parse_filter(text) == condition


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("DateTime'2011-05-08T08:49:37Z'", datetime(2011, 5, 8, 8, 49, 37, tzinfo=UTC)),
        ("datetime'2011-05-08T08:49:37.1234567Z'", datetime(2011, 5, 8, 8, 49, 37, 123456, UTC)),
        ("DateTime'2011-05-08T08:49:37+02:00'", datetime(2011, 5, 8, 6, 49, 37, tzinfo=UTC)),
        ("DateTime'2011-05-08T08:49'", datetime(2011, 5, 8, 8, 49, tzinfo=UTC)),
        ("DateTime'2011-05-08'", datetime(2011, 5, 8, tzinfo=UTC)),
        ("DateTime'Sun, 08 May 2011 08:49:37 GMT'", datetime(2011, 5, 8, 8, 49, 37, tzinfo=UTC)),
    ],
)
def test_times(text: str, moment: datetime) -> None:
    """Both documented formats, with and without a zone."""
    assert parse_filter(f"a eq {text}") == comparison("a", Operator.EQ, moment)


def test_precedence() -> None:
    """``not`` binds tightest, then ``and``, then ``or``; parentheses change that."""
    a, b, c = (comparison(name, Operator.EQ, None) for name in "abc")
    texts = ("a eq null", "b eq null", "c eq null")
    either = Junction(Conjunction.OR, (a, Junction(Conjunction.AND, (b, c))))
    assert parse_filter(f"{texts[0]} or {texts[1]} and {texts[2]}") == either
    assert parse_filter(f"{texts[0]} or ({texts[1]} and {texts[2]})") == either
    both = Junction(Conjunction.AND, (Junction(Conjunction.OR, (a, b)), c))
    assert parse_filter(f"({texts[0]} or {texts[1]}) and {texts[2]}") == both
    denied = Junction(Conjunction.AND, (Negation(a), b))
    assert parse_filter(f"not ({texts[0]}) and {texts[1]}") == denied


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "A property expected, the end found"),
        ("state", 5, "A comparison expected, the end found"),
        ("state EQ 'active'", 6, "A comparison expected, EQ found"),
        ("state = 'active'", 6, "Unexpected character: ="),
        ("state eq active", 9, "A value expected, active found"),
        ('state eq "active"', 9, 'Unexpected character: "'),
        ("state eq 'active", 9, "Unterminated string"),
        ("'active' eq state", 0, "A property expected, 'active' found"),
        ("state eq 'a' state", 13, "'and', 'or' or the end expected, state found"),
        ("state eq 'a' and", 16, "A property expected, the end found"),
        ("state eq 'a' or or", 16, "A property expected, or found"),
        ("(state eq 'a'", 13, "')' expected, the end found"),
        ("state eq 'a')", 12, "'and', 'or' or the end expected, ) found"),
        ("not state eq 'a'", 4, "'(' after 'not' expected, state found"),
        ("endswith(id, 'a')", 0, "Unknown function: endswith"),
        ("startswith(id, 5)", 15, "A string expected, 5 found"),
        ("startswith(id 'a')", 14, "',' expected, 'a' found"),
        ("startswith('a', id)", 11, "A property expected, 'a' found"),
        ("id startswith 'dev'", 3, "A comparison expected, startswith found"),
        ("a/ eq 1", 0, "Unexpected character: a"),
        ("a eq 1x", 5, "Unexpected character: 1"),
        ("a eq guid'1'", 5, "Unexpected character: g"),
        ("a eq DateTime'soon'", 5, "'soon' is neither a W3C-DTF nor an RFC 1123 time"),
        ("a eq DateTime'2011-05-08T08:49:37 00:00'", 5, "'2011-05-08T08:49:37 00:00' is neither"),
        ("a eq DateTime'2011-13-08'", 5, "'2011-13-08' is neither"),
        ("a eq DateTime'0001-01-01T00:00+01:00'", 5, "'0001-01-01T00:00+01:00' is neither"),
        ("a eq DateTime'Sun, 98 May 2011 08:49:37 GMT'", 5, "'Sun, 98 May 2011 08:49:37 GMT' is"),
        ("(" * 31 + "a eq 1" + ")" * 31, 30, "Nested more than 30 deep"),
    ],
)
def test_refusals(text: str, position: int, message: str) -> None:
    """They say what is wrong and where; ``id startswith`` is a report of a user."""
    with pytest.raises(FilterError) as caught:
        parse_filter(text)

    assert caught.value.message.startswith(message)
    assert caught.value.position == position
    assert str(caught.value) == f"{caught.value.message} (at position {position})"


def test_long_filters_are_no_deep_ones() -> None:
    """Thousands of conditions, and the deepest nesting that is allowed."""
    many = parse_filter(" or ".join(["a eq 1"] * 5000))
    parse_filter("(" * 29 + "a eq 1" + ")" * 29)

    assert isinstance(many, Junction)
    assert len(many.conditions) == 5000
    with pytest.raises(FilterError, match="30 deep"):
        parse_filter("not " * 31 + "(a eq 1)")
    with pytest.raises(FilterError, match="30 deep"):
        parse_filter("(" * 100_000)
