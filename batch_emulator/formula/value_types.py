"""The values of the language: their types, their operators and how they print."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from batch_emulator.formula.errors import FaultError


class NodeDeallocationOption(Enum):
    """What happens to the tasks of a node that is removed; the bare words of the language."""

    REQUEUE = "requeue"
    TERMINATE = "terminate"
    TASK_COMPLETION = "taskcompletion"
    RETAINED_DATA = "retaineddata"


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A timeinterval, in seconds: ``timedelta`` is too coarse for 100 ns."""

    seconds: float


MAX_INTERVAL_SECONDS = 922_337_203_685.0
"""The longest timeinterval: 2**63 units of 100 ns, as the service's platform has it."""

type Vector = tuple[float, ...]
type Value = float | Vector | str | datetime | Interval | NodeDeallocationOption


def kind(value: Value) -> str:
    """Return the documented name of the type of a value."""
    match value:
        case float():
            return "double"
        case tuple():
            return "doubleVec"
        case str():
            return "string"
        case datetime():
            return "timestamp"
        case Interval():
            return "timeinterval"
        case NodeDeallocationOption():
            return "node deallocation option"


def unary(operator: str, value: Value) -> Value:
    """
    Apply ``-`` or ``!``.

    Raises:
        FaultError: The operator is not documented for the type of the operand.
    """
    match operator, value:
        case "-", float():
            return 0.0 - value
        case "-", Interval():
            return Interval(-value.seconds)
        case "!", float():
            return float(value == 0)
        case _:
            raise FaultError(f"Operator {operator} cannot be applied to {kind(value)}")


def binary(operator: str, left: Value, right: Value) -> Value:  # noqa: C901  # a table
    """
    Apply an operator that is not lazy; the cases are the table of the documentation.

    Raises:
        FaultError: The operator is not documented for the types of the operands, or its result is
            out of range.
    """
    match operator, left, right:
        case "+" | "-" | "*" | "/", float(), float():
            return _calculate(operator, left, right)
        case "+" | "-" | "*" | "/", tuple(), float():
            return tuple(_calculate(operator, component, right) for component in left)
        case "+" | "-" | "*" | "/", tuple(), tuple():
            if len(left) != len(right):
                raise FaultError(f"Vectors of {len(left)} and {len(right)} components")
            return tuple(_calculate(operator, *pair) for pair in zip(left, right, strict=True))
        case "*", float(), Interval():
            return _interval(_calculate("*", left, right.seconds))
        case "*" | "/", Interval(), float():
            return _interval(_calculate(operator, left.seconds, right))
        case "+" | "-", Interval(), Interval():
            return _interval(_calculate(operator, left.seconds, right.seconds))
        case ("+", datetime() as moment, Interval() as interval) | (
            "+",
            Interval() as interval,
            datetime() as moment,
        ):
            return later(moment, interval)
        case "-", datetime(), datetime():
            return Interval((left - right).total_seconds())
        case "<" | "<=" | "==" | ">=" | ">" | "!=", _, _:
            return float(_compare(operator, left, right))
        case _:
            raise _inapplicable(operator, left, right)


def later(moment: datetime, interval: Interval) -> datetime:
    """
    Return the moment that lies an interval after another.

    Raises:
        FaultError: There is no such moment in the years 1 to 9999.
    """
    try:
        return moment + timedelta(seconds=interval.seconds)
    except OverflowError as error:
        raise FaultError("Timestamp out of range") from error


def _interval(seconds: float) -> Interval:
    if abs(seconds) > MAX_INTERVAL_SECONDS:
        raise FaultError("Timeinterval out of range")
    return Interval(seconds)


def _calculate(operator: str, left: float, right: float) -> float:
    match operator:
        case "+":
            result = left + right
        case "-":
            result = left - right
        case "*":
            result = left * right
        case _:
            if right == 0:
                raise FaultError("Division by zero")
            result = left / right
    if not math.isfinite(result):
        raise FaultError("Number out of range")
    return result


def _compare(operator: str, left: Value, right: Value) -> bool:
    match left, right:
        case (
            (float(), float())
            | (str(), str())
            | (datetime(), datetime())
            | (Interval(), Interval())
        ):
            order = (left > right) - (left < right)  # type: ignore[operator]  # the same type
        case _:
            raise _inapplicable(operator, left, right)
    match operator:
        case "<":
            return order < 0
        case "<=":
            return order <= 0
        case "==":
            return order == 0
        case ">=":
            return order >= 0
        case ">":
            return order > 0
        case _:
            return order != 0


def _inapplicable(operator: str, left: Value, right: Value) -> FaultError:
    return FaultError(f"Operator {operator} cannot be applied to {kind(left)} and {kind(right)}")


def show(value: Value) -> str:
    """Print a value as the results of an autoscale run do."""
    match value:
        case float():
            return _show_number(value)
        case tuple():
            return f"[{','.join(map(_show_number, value))}]"
        case str():
            return value
        case datetime():
            utc = value.astimezone(UTC).replace(tzinfo=None)
            return f"{utc.isoformat(timespec='milliseconds')}Z"
        case Interval():
            return _show_interval(value)
        case NodeDeallocationOption():
            return str(value.value)


def _show_number(value: float) -> str:
    return repr(value + 0.0).removesuffix(".0")  # adding zero makes -0.0 print as 0


def _show_interval(interval: Interval) -> str:
    sign = "-" if interval.seconds < 0 else ""
    total, ticks = divmod(round(abs(interval.seconds) * 10_000_000), 10_000_000)
    minutes, seconds = divmod(total, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    fraction = f".{ticks:07}" if ticks else ""
    return f"{sign}{f'{days}.' if days else ''}{hours:02}:{minutes:02}:{seconds:02}{fraction}"
