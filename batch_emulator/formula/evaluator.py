"""Evaluate the statements of a formula from the first to the last."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from batch_emulator.formula import functions
from batch_emulator.formula.errors import FaultError, Position
from batch_emulator.formula.evaluation import (
    DEDICATED,
    FULL,
    LOW_PRIORITY,
    OPTION,
    SHORT,
    Evaluation,
    failed,
    succeeded,
)
from batch_emulator.formula.metric_methods import MetricHistory
from batch_emulator.formula.samples import Metric, SampleStore
from batch_emulator.formula.syntax import (
    Assignment,
    Call,
    Chain,
    Conditional,
    Expression,
    Member,
    Method,
    Name,
    Number,
    Statement,
    TextLiteral,
    Unary,
)
from batch_emulator.formula.value_types import (
    Interval,
    NodeDeallocationOption,
    Value,
    binary,
    kind,
    unary,
)

# In seconds. The service's year is assumed to have 365 days.
INTERVALS = {
    "TimeInterval_Zero": 0.0,
    "TimeInterval_100ns": 1e-7,
    "TimeInterval_Microsecond": 1e-6,
    "TimeInterval_Millisecond": 1e-3,
    "TimeInterval_Second": 1.0,
    "TimeInterval_Minute": 60.0,
    "TimeInterval_Hour": 3600.0,
    "TimeInterval_Day": 86400.0,
    "TimeInterval_Week": 7 * 86400.0,
    "TimeInterval_Year": 365 * 86400.0,
}
# Of a vector: a day of samples has 2,880. And of all the vectors that an evaluation handles. The
# service's own limits are not known; these keep the time and memory of any formula small.
MAX_COMPONENTS = 10_000
MAX_WORK = 1_000_000

_OPTIONS = {str(option.value): option for option in NodeDeallocationOption}
_METRICS: dict[str, Metric] = {
    **{metric.value: metric for metric in Metric},
    "$CurrentDedicated": Metric.CURRENT_DEDICATED_NODES,
}
_TARGETS = (*SHORT, *FULL)


class _StopError(Exception):
    """The formula called stop()."""


@dataclass(slots=True, kw_only=True)
class Evaluator:
    """
    One evaluation; Formula.evaluate documents its arguments.

    Attributes:
        current: The targets now in force, under their full names.
    """

    now: datetime
    samples: SampleStore
    speed: float
    current: Mapping[str, int]
    task_slots_per_node: int
    random: Random
    _assigned: dict[str, float] = field(default_factory=dict)
    _option: NodeDeallocationOption = NodeDeallocationOption.REQUEUE
    _variables: dict[str, Value] = field(default_factory=dict)
    _work: int = 0

    def run(self, statements: Sequence[Statement]) -> Evaluation:
        """Evaluate the statements; an error is part of the returned value."""
        try:
            self._execute(statements)
            names = {full: self._target_name(full) for full in SHORT}
            return succeeded(
                {name: self._target(name) for name in names.values()},
                self._option,
                self._variables,
                {full: self._whole(name) for full, name in names.items()},
            )
        except FaultError as fault:
            return failed(
                fault, dedicated=self.current[DEDICATED], low_priority=self.current[LOW_PRIORITY]
            )

    def _execute(self, statements: Sequence[Statement]) -> None:
        try:
            for statement in statements:
                value = self._value(statement.value)
                if isinstance(statement, Assignment):
                    with_place(statement.at, self._assign, statement.name, value)
        except _StopError:
            return

    def _assign(self, name: str, value: Value) -> None:
        if name in _TARGETS:
            if not isinstance(value, float):
                raise FaultError(f"{name} must be a double, not {kind(value)}")
            self._assigned[name] = value
        elif name == OPTION:
            if not isinstance(value, NodeDeallocationOption):
                raise FaultError(f"{name} must be one of {', '.join(_OPTIONS)}")
            self._option = value
        elif name in _METRICS or name in INTERVALS or name in _OPTIONS:
            raise FaultError(f"Read-only symbol: {name}")
        else:
            self._variables[name] = value

    def _target_name(self, full: str) -> str:
        short = SHORT[full]
        return short if short in self._assigned and full not in self._assigned else full

    def _target(self, name: str) -> float:
        full = FULL.get(name, name)
        assigned = (self._assigned.get(alias) for alias in (name, full, SHORT[full]))
        return next((value for value in assigned if value is not None), float(self.current[full]))

    def _whole(self, name: str) -> int:
        target = self._target(name)
        if target <= -1:
            raise FaultError(f"{name} is negative")
        return math.trunc(target)

    def _value(self, node: Expression) -> Value:
        while isinstance(node, Conditional):
            node = node.then if self._truth(node.condition, node.at) else node.otherwise
        match node:
            case Number() | TextLiteral():
                return node.value
            case Name():
                return with_place(node.at, self._name, node.name)
            case Unary():
                return with_place(node.at, unary, node.operator, self._value(node.operand))
            case Chain():
                return self._chain(node)
            case Call():
                arguments = tuple(map(self._value, node.arguments))
                with_place(node.paren, self._spend, *arguments)
                return with_place(node.paren, self._call, node.function, arguments)
            case Method():
                return self._method(node)
            case Member():
                return with_place(node.at, _member, self._value(node.target), node.member)

    def _chain(self, node: Chain) -> Value:
        operator = node.steps[0].operator
        if operator in {"&&", "||"}:
            return self._lazy(node, until=operator == "||")
        value = self._value(node.first)
        for step in node.steps:
            operand = self._value(step.operand)
            with_place(step.at, self._spend, value, operand)
            value = with_place(step.at, binary, step.operator, value, operand)
        return value

    def _spend(self, *values: Value) -> None:
        """Count the components that an operation will go through, and refuse too many."""
        components = sum(len(value) for value in values if isinstance(value, tuple))
        if components > MAX_COMPONENTS:
            raise FaultError(f"Vectors of more than {MAX_COMPONENTS} components")
        self._work += components
        if self._work > MAX_WORK:
            raise FaultError(f"More than {MAX_WORK} components in all")

    def _lazy(self, node: Chain, *, until: bool) -> float:
        operands = ((node.first, node.steps[0].at), *((s.operand, s.at) for s in node.steps))
        found = any(self._truth(operand, at) is until for operand, at in operands)
        return float(found is until)

    def _truth(self, node: Expression, at: Position) -> bool:
        value = self._value(node)
        if not isinstance(value, float):
            raise FaultError(f"double expected, not {kind(value)}", at=at)
        return value != 0

    def _name(self, name: str) -> Value:
        if name in self._variables:
            return self._variables[name]
        if name in _TARGETS:
            return self._target(name)
        if name in INTERVALS:
            return Interval(INTERVALS[name] / self.speed)
        if name in _OPTIONS:
            return _OPTIONS[name]
        if name == OPTION:
            return self._option
        if name == Metric.TASK_SLOTS_PER_NODE:
            return float(self.task_slots_per_node)
        if name in _METRICS:
            return self._history(name).newest()
        raise FaultError(f"Undefined symbol: {name}")

    def _history(self, name: str) -> MetricHistory:
        return MetricHistory(self.samples, _METRICS[name], self.now)

    def _call(self, function: str, arguments: Sequence[Value]) -> Value:
        match function, *arguments:
            case ("time",):
                return self.now
            case ("rand",):
                return self.random.random()
            case ("stop",):
                raise _StopError
            case ("rand" | "stop", *_):
                raise FaultError(f"Usage: {function}()")
            case _:
                return functions.call(function, arguments)

    def _method(self, node: Method) -> Value:
        target = node.target
        if not isinstance(target, Name) or target.name not in _METRICS:
            if isinstance(target, Name):
                with_place(target.at, self._name, target.name)
            raise FaultError(f"Only service variables have {node.method}", at=node.at)
        arguments = tuple(map(self._value, node.arguments))
        return with_place(node.paren, self._history(target.name).call, node.method, arguments)


def with_place[**P, T](
    at: Position, operation: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Carry out an operation; a fault without a place gets this one."""
    try:
        return operation(*args, **kwargs)
    except FaultError as fault:
        fault.at = fault.at or at
        raise


def _member(value: Value, member: str) -> Value:
    if not isinstance(value, datetime):
        raise FaultError(f"{kind(value)} has no member {member}")
    moment = value.astimezone(UTC)
    match member:
        case "year" | "month" | "day" | "hour" | "minute" | "second":
            return float(getattr(moment, member))
        case "weekday":
            return float(moment.isoweekday() % 7)  # Monday is 1; Sunday is assumed to be 0
        case _:
            raise FaultError(f"timestamp has no member {member}")
