"""
The syntax tree of a formula.

Positions do not take part in comparisons: two formulas that differ only in layout have equal trees.
"""

from dataclasses import dataclass, field

from batch_emulator.formula.errors import Position

type Expression = Number | TextLiteral | Name | Unary | Chain | Conditional | Call | Member | Method


@dataclass(frozen=True, slots=True)
class Number:
    """A literal such as ``180`` or ``0.7``."""

    value: float
    at: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class TextLiteral:
    """A literal such as ``"Mon, 06 Oct 2014 10:20:00 GMT"``."""

    value: str
    at: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a constant or a bare word such as ``taskcompletion``."""

    name: str
    at: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """``-x`` or ``!x``."""

    operator: str
    operand: Expression
    at: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One operator with its right operand in a Chain."""

    operator: str
    operand: Expression
    at: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """
    Operands joined by operators of one precedence, evaluated from left to right.

    Flat, so that a sum of a thousand terms is no deeper than a sum of two.
    """

    first: Expression
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    """``condition ? then : otherwise``; only one branch is evaluated."""

    condition: Expression
    then: Expression
    otherwise: Expression
    at: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """``function(argument, ...)``; ``paren`` is where the service points when the call fails."""

    function: str
    arguments: tuple[Expression, ...]
    at: Position = field(compare=False)
    paren: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """``timestamp.member``."""

    target: Expression
    member: str
    at: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Method:
    """``$Metric.Method(argument, ...)``; ``paren`` as in a Call."""

    target: Expression
    method: str
    arguments: tuple[Expression, ...]
    at: Position = field(compare=False)
    paren: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Assignment:
    """``name = value;``."""

    name: str
    value: Expression
    at: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Bare:
    """An expression on its own, such as ``stop();``: evaluated, its value dropped."""

    value: Expression


type Statement = Assignment | Bare
