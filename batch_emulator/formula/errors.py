"""
Why a formula was refused or could not be evaluated.

FormulaSyntaxError    refused before anything ran: the pool is not created or changed
FaultError            raised while evaluating; always ends up as the value EvaluationError
EvaluationError       what an autoscale run reports beside unchanged targets
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the text of a formula, counted from 1 as the service counts."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"Line {self.line}, Col {self.column}"


class ErrorCode(StrEnum):
    """Error codes of the service that concern formulas."""

    SYNTAX = "AutoScalingFormulaSyntaxError"
    TOO_LONG = "AutoScalingFormulaTooLong"
    EVALUATION = "AutoScalingFormulaEvaluationError"
    INSUFFICIENT_DATA = "InsufficientSampleData"


MESSAGES = {
    ErrorCode.EVALUATION: "The specified auto-scaling formula has evaluation error",
    ErrorCode.INSUFFICIENT_DATA: "Autoscale evaluation failed due to insufficient sample data",
}


class FormulaSyntaxError(Exception):
    """
    The text is not a formula.

    Attributes:
        message: What is wrong, without the place.
        line: Counted from 1.
        column: Counted from 1.
        code: The service's error code; a formula that is too long has a code of its own.
    """

    def __init__(
        self, message: str, line: int, column: int, *, code: ErrorCode = ErrorCode.SYNTAX
    ) -> None:
        super().__init__(f"{Position(line, column)}: {message}")
        self.message = message
        self.line = line
        self.column = column
        self.code = code


class FaultError(Exception):
    """A formula that parses cannot be evaluated; the evaluator adds the place."""

    def __init__(
        self, message: str, *, code: ErrorCode = ErrorCode.EVALUATION, at: Position | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.at = at


@dataclass(frozen=True, slots=True)
class EvaluationError:
    """
    What an autoscale run reports when its formula failed.

    Attributes:
        code: The service's error code.
        message: The sentence that belongs to the code.
        details: One line per fault, such as ``Line 1, Col 1: Undefined symbol: x``.
    """

    code: str
    message: str
    details: tuple[str, ...]
