"""
Checks of request bodies: strict, and naming the property that is wrong.

A check takes the property's path and value, and returns the value in the service's normal form.
What the emulator does not know is refused, never ignored. A property that cannot mean anything on
a laptop (``inert``) is kept and echoed; ``batch_emulator/SUPPORT.md`` lists them.
"""

import re
import shlex
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, cast

from batch_emulator.errors import ServiceError, invalid_property, not_supported
from batch_emulator.wire import parse_duration, print_duration

type Check = Callable[[str, object], object]

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VARIABLE = re.compile(r"[^=\0]+")


def inert(_path: str, value: object) -> object:
    """Keep a value that has no meaning here."""
    return value


def text(path: str, value: object) -> object:
    """Accept a string."""
    if not isinstance(value, str):
        raise invalid_property(path, value, "The value must be a string")
    return value


def boolean(path: str, value: object) -> object:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise invalid_property(path, value, "The value must be true or false")
    return value


def identifier(path: str, value: object) -> object:
    """Accept an id of a pool, job or task."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        reason = "An id has 1 to 64 letters, digits, hyphens and underscores"
        raise invalid_property(path, value, reason)
    return value


def command_line_text(path: str, value: object) -> object:
    """Accept a command line that can be split by the rules of POSIX quoting."""
    try:
        words = shlex.split(cast("str", text(path, value)))
    except ValueError as error:
        raise invalid_property(path, value, f"The command line cannot be split: {error}") from error
    if not words:
        raise invalid_property(path, value, "The command line is empty")
    if "\0" in str(value):
        raise invalid_property(path, value, "The command line holds a NUL character")
    return value


def integer(low: int, high: int) -> Check:
    """Accept a whole number from ``low`` to ``high``."""

    def check(path: str, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise invalid_property(path, value, f"The value must be from {low} to {high}")
        return value

    return check


def duration(low: timedelta = timedelta(0), high: timedelta | None = None) -> Check:
    """Accept an ISO 8601 duration and print it in the service's normal form."""

    def check(path: str, value: object) -> object:
        try:
            parsed = parse_duration(cast("str", text(path, value)))
        except ValueError as error:
            raise invalid_property(path, value, f"The value is {error}") from error
        if parsed < low or (high is not None and parsed > high):
            reason = f"The value must be at least {print_duration(low)}"
            raise invalid_property(
                path, value, reason + (f" and at most {print_duration(high)}" if high else "")
            )
        return print_duration(parsed)

    return check


def choice(*words: str) -> Check:
    """Accept one of ``words`` in any case, as the service does, and spell it as given here."""
    canonical = {word.lower(): word for word in words}

    def check(path: str, value: object) -> object:
        word = canonical.get(cast("str", text(path, value)).lower())
        if word is None:
            raise invalid_property(path, value, f"The value must be one of {', '.join(words)}")
        return word

    return check


def only(*supported: object) -> Check:
    """Accept the values that ask for nothing, and refuse what the emulator does not do."""

    def check(path: str, value: object) -> object:
        folded = value.lower() if isinstance(value, str) else value
        if folded not in supported:
            raise not_supported(f"property {path} with value {value!r}")
        return folded

    return check


def off(path: str, value: object) -> object:
    """Accept a switch that is off, and refuse to turn on what the emulator does not do."""
    if boolean(path, value):
        raise not_supported(f"property {path} with value true")
    return value


def unsupported(path: str, _value: object) -> object:
    """Refuse a property that Azure Batch knows and the emulator does not."""
    raise not_supported(f"property {path}")


def items(check: Check, *, maximum: int | None = None) -> Check:
    """Accept a list of what ``check`` accepts."""

    def check_all(path: str, value: object) -> object:
        if not isinstance(value, list):
            raise invalid_property(path, value, "The value must be a list")
        if maximum is not None and len(value) > maximum:
            raise invalid_property(path, value, f"The list has more than {maximum} items")
        return [check(f"{path}[{index}]", item) for index, item in enumerate(value)]

    return check_all


def shape(fields: Mapping[str, Check], *, required: tuple[str, ...] = ()) -> Check:
    """Accept an object with these fields and no others; null is the same as absent."""

    def check(path: str, value: object) -> object:
        if not isinstance(value, dict):
            raise invalid_property(path or "body", value, "The value must be an object")
        prefix = f"{path}." if path else ""
        given = {name: item for name, item in value.items() if item is not None}
        for name in required:
            if name not in given:
                values = (("PropertyName", f"{prefix}{name}"),)
                raise ServiceError("MissingRequiredProperty", values=values)
        for name in given:
            if name not in fields:
                raise not_supported(f"property {prefix}{name}")
        return {name: fields[name](f"{prefix}{name}", item) for name, item in given.items()}

    return check


def variable_name(path: str, value: object) -> object:
    """Accept the name of an environment variable."""
    if not _VARIABLE.fullmatch(cast("str", text(path, value))):
        raise invalid_property(path, value, "The value is not a name of an environment variable")
    return value


def variable_value(path: str, value: object) -> object:
    """Accept the value of an environment variable."""
    if "\0" in cast("str", text(path, value)):
        raise invalid_property(path, value, "The value holds a NUL character")
    return value


ENVIRONMENT: Final = items(
    shape({"name": variable_name, "value": variable_value}, required=("name",))
)
METADATA: Final = items(shape({"name": text, "value": text}, required=("name", "value")))
PACKAGES: Final = items(
    shape({"applicationId": text, "version": text}, required=("applicationId",))
)
