"""Turn a filter into a function that tells whether a thing matches it."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from batch_emulator.dataplane.filters.errors import FilterError
from batch_emulator.dataplane.filters.fields import EQUALITY, Field
from batch_emulator.dataplane.filters.syntax import (
    Comparison,
    Condition,
    Conjunction,
    Junction,
    Negation,
    Operator,
    Path,
    StartsWith,
)

type Fields[T] = Mapping[str, Field[T]]

_COMPARE: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
}


def predicate[T](condition: Condition, fields: Fields[T]) -> Callable[[T], bool]:
    """
    Return a function that tells whether a thing matches the filter; it raises nothing.

    Args:
        condition: The filter.
        fields: What the list can be filtered by.

    Raises:
        FilterError: It names another property, or compares a property in a way that it does not
            allow.
    """
    match condition:
        case Comparison():
            return _comparison(condition, fields)
        case StartsWith():
            return _starts_with(condition, fields)
        case Negation(inner):
            holds = predicate(inner, fields)
            return lambda thing: not holds(thing)
        case Junction(conjunction, conditions):
            parts = tuple(predicate(part, fields) for part in conditions)
            if conjunction is Conjunction.AND:
                return lambda thing: all(part(thing) for part in parts)
            return lambda thing: any(part(thing) for part in parts)


def _field[T](path: Path, fields: Fields[T]) -> Field[T]:
    if (field := fields.get(path.name)) is None:
        raise FilterError(f"The list cannot be filtered by the property {path.name}", path.at)
    return field


def _comparison[T](condition: Comparison, fields: Fields[T]) -> Callable[[T], bool]:
    field, value = _field(condition.path, fields), condition.value
    if condition.operator not in field.operators:
        message = f"{condition.path.name} takes {field.documented()}, not {condition.operator}"
        raise FilterError(message, condition.at)
    if value is None and condition.operator not in EQUALITY:
        raise FilterError(f"null cannot be compared by {condition.operator}", condition.at)
    if value is not None and not field.type.holds(value):
        raise FilterError(f"{condition.path.name} is of type {field.type}", condition.at)
    read, compare = field.read, _COMPARE[condition.operator]
    wanted = value.lower() if isinstance(value, str) else value

    def holds(thing: T) -> bool:
        found = read(thing)
        if found is None or wanted is None:
            return condition.operator in EQUALITY and compare(found, wanted)
        return compare(found.lower() if isinstance(found, str) else found, wanted)

    return holds


def _starts_with[T](condition: StartsWith, fields: Fields[T]) -> Callable[[T], bool]:
    field, prefix = _field(condition.path, fields), condition.prefix.lower()
    if not field.prefix:
        message = f"{condition.path.name} takes {field.documented()}, not startswith"
        raise FilterError(message, condition.at)
    read = field.read

    def holds(thing: T) -> bool:
        found = read(thing)
        return isinstance(found, str) and found.lower().startswith(prefix)

    return holds
