"""
Strict checks of request bodies, which name the property that is wrong.

A body is read in two passes. The first refuses properties that Azure Batch knows and the emulator
does not support, so that this error comes before any other. The second checks the values and
returns them in the service's normal form. Unknown properties are refused, never ignored.

A plain function is also a rule: it honours the property and checks its value.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, cast

from batch_emulator.errors import ServiceError, invalid_property, not_supported
from batch_emulator.wire import parse_duration, print_duration, print_given_time

type Check = Callable[[str, object], object]
type Refusal = Callable[[str, object], None]

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VARIABLE = re.compile(r"[^=\0]+")
_NUMBER = re.compile(r"-?[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class Coverage:
    """
    What the emulator does with a property and with those inside it, for ``SUPPORT.md``.

    Attributes:
        honoured: Names of properties that have an effect.
        kept: Names of properties that are kept without an effect.
        refused: Names of refused properties, with the refused values if others are accepted.
    """

    honoured: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def __add__(self, other: Coverage) -> Coverage:
        """Return both."""
        return Coverage(
            self.honoured + other.honoured, self.kept + other.kept, self.refused + other.refused
        )


class Rule:
    """
    What the emulator does with one property.

    Args:
        check: Returns the value in its normal form; raises if the service refuses it.
        refusal: Raises if only Azure Batch supports the value.
        coverage: Returns what ``SUPPORT.md`` says about a property of this name.
    """

    __slots__ = ("_coverage", "check", "refusal")

    def __init__(
        self, check: Check, refusal: Refusal | None, coverage: Callable[[str], Coverage]
    ) -> None:
        self.check = check
        self.refusal = refusal
        self._coverage = coverage

    def __call__(self, path: str, value: object) -> object:
        """Check a whole body: first refuse what is not supported, then check the values."""
        if self.refusal:
            self.refusal(path, value)
        return self.check(path, value)

    def coverage(self, name: str) -> Coverage:
        """Return what the emulator does with the property of this name."""
        return self._coverage(name)

    def shapes(self) -> tuple[Shape, ...]:
        """Return the shapes inside that ``SUPPORT.md`` has a row for."""
        return ()


def _rule(check: Check) -> Rule:
    return check if isinstance(check, Rule) else Rule(check, None, _honoured)


def _honoured(name: str) -> Coverage:
    return Coverage(honoured=(f"`{name}`",))


def _refused(name: str) -> Coverage:
    return Coverage(refused=(f"`{name}`",))


def kept(check: Check) -> Rule:
    """Check a value and keep it; it has no effect here."""
    inner = _rule(check)

    def coverage(name: str) -> Coverage:
        return Coverage(kept=(f"`{name}`",), refused=inner.coverage(name).refused)

    return Rule(inner.check, inner.refusal, coverage)


def partly(check: Check, refusal: Refusal, words: str) -> Rule:
    """
    Honour a property except for some of its values.

    Args:
        check: The check of honoured values.
        refusal: Raises for the others.
        words: The refused values in words, to follow the property's name.
    """
    inner = _rule(check)

    def coverage(name: str) -> Coverage:
        return inner.coverage(name) + Coverage(refused=(f"`{name}` {words}",))

    return Rule(inner.check, refusal, coverage)


def further(check: Check, then: Check) -> Rule:
    """Check a value by ``check``, and the result by ``then``."""
    inner = _rule(check)
    return Rule(
        lambda path, value: then(path, inner.check(path, value)), inner.refusal, inner.coverage
    )


def anything(_path: str, value: object) -> object:
    """Accept any value."""
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


@lru_cache
def _split(line: str) -> list[str]:
    return shlex.split(line)


def command_line_text(path: str, value: object) -> object:
    """Accept a command line that can be split by the rules of POSIX quoting."""
    try:
        words = _split(cast("str", text(path, value)))
    except ValueError as error:
        raise invalid_property(path, value, f"The command line cannot be split: {error}") from error
    if not words:
        raise invalid_property(path, value, "The command line is empty")
    if "\0" in str(value):
        raise invalid_property(path, value, "The command line holds a NUL character")
    return value


def _number(value: object) -> object:
    """Return the number that a string spells, as the service does; azure-cli sends such strings."""
    return int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def integer(low: int, high: int) -> Check:
    """Accept a whole number from ``low`` to ``high``, or a string that spells one."""

    def check(path: str, value: object) -> object:
        number = _number(value)
        if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
            raise invalid_property(path, value, f"The value must be from {low} to {high}")
        return number

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


def moment(path: str, value: object) -> object:
    """Accept an ISO 8601 time and print it in UTC."""
    try:
        parsed = datetime.fromisoformat(cast("str", text(path, value)))
        zoned = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        return print_given_time(zoned.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise invalid_property(path, value, "The value is not a time of ISO 8601") from error


def choice(*words: str) -> Check:
    """Accept one of ``words`` in any case, as the service does, and spell it as given here."""
    canonical = {word.lower(): word for word in words}

    def check(path: str, value: object) -> object:
        word = canonical.get(cast("str", text(path, value)).lower())
        if word is None:
            raise invalid_property(path, value, f"The value must be one of {', '.join(words)}")
        return word

    return check


def only(*supported: object) -> Rule:
    """Accept values that ask for nothing, and refuse what the emulator does not support."""

    def fold(value: object) -> object:
        number = _number(value)
        return number.lower() if isinstance(number, str) else number

    def refuse(path: str, value: object) -> None:
        if fold(value) not in supported:
            raise not_supported(f"property {path} with value {value!r}")

    if supported == ([],):
        return Rule(anything, refuse, _refused)
    others = " or ".join(f"`{_print(value)}`" for value in supported)
    return Rule(
        lambda _path, value: fold(value),
        refuse,
        lambda name: Coverage(refused=(f"`{name}` other than {others}",)),
    )


def _print(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refuse_true(path: str, value: object) -> None:
    if value is True:
        raise not_supported(f"property {path} with value true")


def _refuse_any(path: str, _value: object) -> None:
    raise not_supported(f"property {path}")


off: Final = Rule(
    boolean, _refuse_true, lambda name: Coverage(refused=(f"`{name}` other than `false`",))
)
"""Accept false, and refuse to turn on what the emulator does not support."""

unsupported: Final = Rule(anything, _refuse_any, _refused)
"""Refuse a property that Azure Batch knows and the emulator does not."""

inert: Final = kept(anything)
"""Keep any value; it has no effect here."""


def _check_secret(path: str, value: object) -> object:
    if not isinstance(value, (str, dict)):
        # What is wrong with a secret is said without it.
        raise ServiceError(
            "InvalidPropertyValue",
            values=(("PropertyName", path), ("Reason", "The type of the value is wrong")),
        )
    return None


secret: Final = kept(_check_secret)
"""Accept a value that the service never returns, and drop it: ``Shape`` leaves it out."""


class _Items(Rule):
    """A rule of lists."""

    __slots__ = ("_inner",)

    def __init__(self, inner: Rule, maximum: int | None) -> None:
        def check_all(path: str, value: object) -> object:
            if not isinstance(value, list):
                raise invalid_property(path, value, "The value must be a list")
            if maximum is not None and len(value) > maximum:
                raise invalid_property(path, value, f"The list has more than {maximum} items")
            return [inner.check(f"{path}[{index}]", item) for index, item in enumerate(value)]

        def refuse_any(path: str, value: object) -> None:
            if inner.refusal and isinstance(value, list):
                for index, item in enumerate(value):
                    inner.refusal(f"{path}[{index}]", item)

        self._inner = inner
        super().__init__(check_all, inner.refusal and refuse_any, inner.coverage)

    def shapes(self) -> tuple[Shape, ...]:
        """Return the shapes of its items."""
        return self._inner.shapes()


def items(check: Check, *, maximum: int | None = None) -> Rule:
    """Accept a list of what ``check`` accepts."""
    return _Items(_rule(check), maximum)


class Shape(Rule):
    """
    A rule of objects with certain properties and no others; null is the same as absent.

    Args:
        fields: The rule of each property, by its name.
        required: Names of the properties that cannot be absent.
        title: What ``SUPPORT.md`` calls such an object, where it has a row of its own.
    """

    __slots__ = ("_required", "_rules", "title")

    def __init__(self, fields: Mapping[str, Check], required: tuple[str, ...], title: str) -> None:
        self._rules = {name: _rule(check) for name, check in fields.items()}
        self._required = required
        self.title = title
        super().__init__(self._check_values, self._refuse, self._cover)

    def _refuse(self, path: str, value: object) -> None:
        if not isinstance(value, dict):
            return
        prefix = f"{path}." if path else ""
        for name, item in value.items():
            if item is None:
                continue
            if (rule := self._rules.get(name)) is None:
                raise not_supported(f"property {prefix}{name}")
            if rule.refusal:
                rule.refusal(f"{prefix}{name}", item)

    def _check_values(self, path: str, value: object) -> object:
        if not isinstance(value, dict):
            raise invalid_property(path or "body", value, "The value must be an object")
        prefix = f"{path}." if path else ""
        for name in self._required:
            if value.get(name) is None:
                values = (("PropertyName", f"{prefix}{name}"),)
                raise ServiceError("MissingRequiredProperty", values=values)
        checked = {
            name: self._rules[name].check(f"{prefix}{name}", item)
            for name, item in value.items()
            if item is not None
        }
        return {name: item for name, item in checked.items() if item is not None}

    @property
    def names(self) -> frozenset[str]:
        """The names of all properties, also of refused ones."""
        return frozenset(self._rules)

    def without(self, name: str, *, title: str) -> Shape:
        """Return this shape without one property."""
        rules = {other: rule for other, rule in self._rules.items() if other != name}
        required = tuple(other for other in self._required if other != name)
        return Shape(rules, required, title)

    def details(self) -> Coverage:
        """Return what the emulator does with each property."""
        return self._gather("")

    def _cover(self, name: str) -> Coverage:
        if self.title:
            return _honoured(name)
        inside = self._gather(f"{name}.")
        if not inside.honoured:
            return Coverage(kept=(f"`{name}`",) if inside.kept else (), refused=inside.refused)
        if not inside.kept:
            return Coverage(honoured=(f"`{name}`",), refused=inside.refused)
        return inside

    def _gather(self, prefix: str) -> Coverage:
        whole = Coverage()
        for name, rule in self._rules.items():
            whole += rule.coverage(f"{prefix}{name}")
        return whole

    def shapes(self) -> tuple[Shape, ...]:
        """Return the titled shapes: this one, if it has a title, and those inside it."""
        inside = tuple(shape for rule in self._rules.values() for shape in rule.shapes())
        return (self, *inside) if self.title else inside


def shape(fields: Mapping[str, Check], *, required: tuple[str, ...] = (), title: str = "") -> Shape:
    """Accept an object with these fields and no others; null is the same as absent."""
    return Shape(fields, required, title)


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
METADATA: Final = kept(items(shape({"name": text, "value": text}, required=("name", "value"))))
PACKAGES: Final = items(
    shape({"applicationId": text, "version": text}, required=("applicationId",))
)
