"""
The syntax tree of a filter.

Positions do not take part in comparisons: two filters that differ only in layout have equal trees.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

type Literal = str | Decimal | bool | datetime | None
type Condition = Comparison | StartsWith | Negation | Junction


class Operator(StrEnum):
    """The comparisons."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"


class Conjunction(StrEnum):
    """What joins conditions; ``and`` binds tighter."""

    AND = "and"
    OR = "or"


@dataclass(frozen=True, slots=True)
class Path:
    """A property such as ``state`` or ``executionInfo/exitCode``."""

    name: str
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path operator value``; times are aware and in UTC."""

    path: Path
    operator: Operator
    value: Literal
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class StartsWith:
    """``startswith(path, 'prefix')``."""

    path: Path
    prefix: str
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Negation:
    """``not (condition)``."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Junction:
    """Two or more conditions joined by one conjunction; flat, however many there are."""

    conjunction: Conjunction
    conditions: tuple[Condition, ...]
