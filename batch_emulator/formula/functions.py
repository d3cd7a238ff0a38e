"""The predefined functions, except those that need the evaluation: rand, stop and time()."""

import math
import re
import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from batch_emulator.formula.errors import FaultError
from batch_emulator.formula.value_types import Value, Vector, kind

# W3C-DTF. Six digits of a second at most: the service is known to refuse nine.
_W3C = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<clock>\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)(?P<zone>Z|[+-]\d\d:\d\d))?)?)?"
)
_RFC_1123 = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


def flatten(arguments: Sequence[Value]) -> Vector:
    """
    Make one vector of a doubleVecList, that is of numbers and vectors in any order.

    Raises:
        FaultError: An argument is neither.
    """
    flat: list[float] = []
    for argument in arguments:
        match argument:
            case float():
                flat.append(argument)
            case tuple():
                flat.extend(argument)
            case _:
                raise FaultError(f"double or doubleVec expected, not {kind(argument)}")
    return tuple(flat)


def call(function: str, arguments: Sequence[Value]) -> Value:
    """
    Call a function by its name.

    Raises:
        FaultError: There is no such function, or it does not take these arguments.
    """
    match function, *arguments:
        case ("time", str() as text):
            return parse_formula_time(text)
        case ("val", tuple() as vector, float() as index):
            return _element(vector, index)
        case ("percentile", tuple() as vector, float() as percent):
            return _percentile(vector, percent)
        case ("lg" | "ln" | "log", float() as number):
            return _LOGARITHMS[function](number)
        case ("lg" | "ln" | "log", *_):
            return tuple(map(_LOGARITHMS[function], flatten(arguments)))
        case ("vec", *_):
            return flatten(arguments)
        case _ if function in _SIGNATURES:
            raise FaultError(f"Usage: {_SIGNATURES[function]}")
        case _ if function not in _REDUCTIONS:
            raise FaultError(f"Undefined function: {function}")
        case _:
            return _REDUCTIONS[function](flatten(arguments))


_SIGNATURES = {
    "time": "time([string])",
    "val": "val(doubleVec, double)",
    "percentile": "percentile(doubleVec, double)",
}


def parse_formula_time(text: str) -> datetime:
    """
    Read a moment in W3C-DTF or RFC 1123.

    Raises:
        FaultError: The text is neither, or no such moment exists.
    """
    refusal = FaultError(f'Invalid date and time: "{text}"')
    found = _W3C.fullmatch(text)
    if found is None and not _RFC_1123.fullmatch(text):
        raise refusal
    try:
        if found is None:
            return parsedate_to_datetime(text).astimezone(UTC)
        date = f"{found['year']}-{found['month'] or '01'}-{found['day'] or '01'}"
        clock = f"{found['clock'] or '00:00'}{found['zone'] or 'Z'}"
        return datetime.fromisoformat(f"{date}T{clock}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise refusal from error


def _element(vector: Vector, index: float) -> float:
    if not index.is_integer() or not 0 <= index < len(vector):
        raise FaultError(f"No component {index:g} in a vector of {len(vector)}")
    return vector[int(index)]


def _percentile(vector: Vector, percent: float) -> float:
    if not vector or not 0 <= percent <= 100:  # noqa: PLR2004  # percent
        raise FaultError("percentile needs a component and a percentage from 0 to 100")
    rank = math.ceil(percent / 100 * len(vector))
    return sorted(vector)[max(rank, 1) - 1]


def _logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    def checked(number: float) -> float:
        if number <= 0:
            raise FaultError(f"Logarithm of {number:g}")
        return function(number)

    return checked


_LOGARITHMS = {
    "lg": _logarithm(math.log2),
    "ln": _logarithm(math.log),
    "log": _logarithm(math.log10),
}


def _reduction(
    name: str, function: Callable[[Vector], float], *, needs: int = 0
) -> Callable[[Vector], float]:
    def checked(vector: Vector) -> float:
        if len(vector) < needs:
            raise FaultError(f"{name} of an empty vector")
        try:
            result = float(function(vector))
        except OverflowError:
            result = math.inf
        if not math.isfinite(result):
            raise FaultError("Number out of range")
        return result

    return checked


def _deviation(vector: Vector) -> float:
    return statistics.stdev(vector) if len(vector) > 1 else 0.0


_REDUCTIONS = {
    "avg": _reduction("avg", statistics.fmean, needs=1),
    "len": _reduction("len", len),
    "max": _reduction("max", max, needs=1),
    "min": _reduction("min", min, needs=1),
    "norm": _reduction("norm", lambda vector: math.hypot(*vector)),
    "range": _reduction("range", lambda vector: max(vector) - min(vector), needs=1),
    "std": _reduction("std", _deviation, needs=1),
    "sum": _reduction("sum", math.fsum),
}
