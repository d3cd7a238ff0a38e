"""Filters that nobody thought of, as trees."""

from datetime import UTC
from decimal import Decimal

from hypothesis import strategies as st

from batch_emulator.dataplane.filters.syntax import (
    Comparison,
    Condition,
    Conjunction,
    Junction,
    Literal,
    Negation,
    Operator,
    Path,
    StartsWith,
)

NAMES = ["id", "state", "executionInfo/exitCode", "executionInfo/endTime", "noted", "nothing"]


def path(name: str) -> Path:
    return Path(name, 0)


def comparison(name: str, operator: Operator, value: Literal) -> Comparison:
    return Comparison(path(name), operator, value, 0)


def deeper(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    joined = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Negation, inner),
        st.builds(Junction, st.sampled_from(Conjunction), joined),
    )


TIMES = st.datetimes(timezones=st.just(UTC))
LITERALS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["it's", "''", "and", "not (", "DateTime'2020-01-01'"]),
    st.integers().map(Decimal),
    st.decimals(allow_nan=False, allow_infinity=False, places=3),
    st.booleans(),
    st.none(),
    TIMES,
)
CONDITIONS = st.recursive(
    st.one_of(
        st.builds(comparison, st.sampled_from(NAMES), st.sampled_from(Operator), LITERALS),
        st.builds(StartsWith, st.sampled_from(NAMES).map(path), st.text(max_size=8), st.just(0)),
    ),
    deeper,
    max_leaves=10,
)
