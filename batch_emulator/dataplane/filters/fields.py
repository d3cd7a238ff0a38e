"""What a list can be filtered by."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from batch_emulator.dataplane.filters.syntax import Literal, Operator

EQUALITY: Final = frozenset({Operator.EQ, Operator.NE})
ORDER: Final = frozenset(Operator)


class FieldType(StrEnum):
    """The types of properties, as the documentation names them."""

    STRING = "String"
    TIME = "DateTime"
    NUMBER = "Int"
    BOOLEAN = "Boolean"

    def holds(self, value: Literal) -> bool:
        """Whether a value other than null is of this type."""
        match self:
            case FieldType.STRING:
                return isinstance(value, str)
            case FieldType.TIME:
                return isinstance(value, datetime)
            case FieldType.NUMBER:
                return isinstance(value, Decimal)
            case FieldType.BOOLEAN:
                return isinstance(value, bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field[T]:
    """
    One property of the things of a list.

    Attributes:
        type: The type of its values.
        operators: The comparisons that it allows.
        prefix: Whether it allows ``startswith``.
        read: Returns its value in a thing, None if the thing lacks it; numbers are int, times
            aware.
    """

    type: FieldType
    operators: frozenset[Operator]
    read: Callable[[T], str | int | bool | datetime | None]
    prefix: bool = False

    def documented(self) -> str:
        """Return the operators as the documentation lists them."""
        named = [operator.value for operator in Operator if operator in self.operators]
        return ", ".join(["startswith", *named] if self.prefix else named)


def text_field[T](
    read: Callable[[T], str | None],
    operators: frozenset[Operator] = EQUALITY,
    *,
    prefix: bool = False,
) -> Field[T]:
    """Make a field of strings."""
    return Field(type=FieldType.STRING, operators=operators, read=read, prefix=prefix)


def time_field[T](read: Callable[[T], datetime | None]) -> Field[T]:
    """Make a field of times."""
    return Field(type=FieldType.TIME, operators=ORDER, read=read)


def number_field[T](read: Callable[[T], int | None]) -> Field[T]:
    """Make a field of whole numbers."""
    return Field(type=FieldType.NUMBER, operators=ORDER, read=read)


def flag_field[T](read: Callable[[T], bool | None]) -> Field[T]:
    """Make a field that is true or false."""
    return Field(type=FieldType.BOOLEAN, operators=EQUALITY, read=read)
