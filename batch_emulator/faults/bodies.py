"""The bodies of requests for changes: causes, times and sizes."""

from collections.abc import Collection

from batch_emulator.faults.rules import BadRuleError
from batch_emulator.wire import Json, read_json

_MOST_SECONDS = 366 * 24 * 3600.0
_MOST_EXIT_CODE = 255
_MOST_NODES = 64
_OPTIONS = ("requeue", "terminate", "taskcompletion")


def read_cause(
    body: bytes, code: str, message: str, *, codes: Collection[str] = ()
) -> tuple[str, str]:
    """
    Return the code and the message of a failure; absent ones get their defaults.

    Args:
        body: Of the request.
        code: The default code.
        message: The default message.
        codes: The allowed codes; if empty, any code.

    Raises:
        BadRuleError: The body holds something else.
    """
    given = _read(body, "code", "message")
    cause = given.get("code", code), given.get("message", message)
    problems = [
        (field, f"{field} must be a text that is not empty")
        for field, value in zip(("code", "message"), cause, strict=True)
        if not isinstance(value, str) or not value
    ]
    if not problems and codes and cause[0] not in codes:
        problems = [("code", f"code must be one of {', '.join(codes)}")]
    if problems:
        raise BadRuleError(tuple(problems))
    return cause


def read_seconds(body: bytes, usual: float) -> float | None:
    """
    Return a number of seconds; None if it is null.

    Raises:
        BadRuleError: The body holds something else.
    """
    return _seconds(_read(body, "seconds"), usual)


def read_preemption(body: bytes, usual: float) -> tuple[float | None, bool]:
    """
    Return for how many seconds a node is preempted, and whether its tasks count that.

    Raises:
        BadRuleError: The body holds something else.
    """
    given = _read(body, "seconds", "counted")
    counted = given.get("counted", False)
    if not isinstance(counted, bool):
        raise BadRuleError((("counted", "counted must be true or false"),))
    return _seconds(given, usual), counted


def _seconds(given: Json, usual: float) -> float | None:
    seconds = given.get("seconds", usual)
    if seconds is None:
        return None
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or not 0 <= seconds <= _MOST_SECONDS:
        reason = f"seconds must be a number from 0 to {_MOST_SECONDS:.0f}, or null"
        raise BadRuleError((("seconds", reason),))
    return float(seconds)


def read_exit_code(body: bytes) -> int:
    """
    Return an exit code that is a failure; 1 if none is given.

    Raises:
        BadRuleError: The body holds something else.
    """
    return _number(_read(body, "exitCode"), "exitCode", 1, least=1, most=_MOST_EXIT_CODE)


def read_size(body: bytes) -> tuple[int, int, str]:
    """
    Return the numbers of dedicated and of Spot nodes, by default 0, and what happens to tasks.

    Raises:
        BadRuleError: The body holds something else.
    """
    given = _read(body, "dedicated", "lowPriority", "option")
    dedicated, low_priority = (
        _number(given, name, 0, least=0, most=_MOST_NODES) for name in ("dedicated", "lowPriority")
    )
    option = given.get("option", "requeue")
    if option not in _OPTIONS:
        raise BadRuleError((("option", f"option must be one of {', '.join(_OPTIONS)}"),))
    return dedicated, low_priority, option


def read_nothing(body: bytes) -> None:
    """
    Refuse a body that is not empty.

    Raises:
        BadRuleError: The body holds something.
    """
    _read(body)


def _number(given: Json, name: str, usual: int, *, least: int, most: int) -> int:
    number = given.get(name, usual)
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
        reason = f"{name} must be a whole number from {least} to {most}"
        raise BadRuleError(((name, reason),))
    return number


def _read(body: bytes, *fields: str) -> Json:
    try:
        given = read_json(body or b"{}")
    except ValueError as error:
        raise BadRuleError((("body", f"not JSON: {error}"),)) from error
    if not isinstance(given, dict) or given.keys() - set(fields):
        reason = f"the body may hold {' and '.join(fields) or 'nothing'} and nothing else"
        raise BadRuleError((("body", reason),))
    return given
