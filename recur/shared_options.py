"""The options that all commands share: they may stand before the name of a command or after it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

_FLAGS: Final = frozenset({"--json", "--utc"})
_WITH_VALUE: Final = ("--settings", "--zone", "-o")


def hoisted(arguments: Sequence[str]) -> list[str]:
    """
    Return the arguments with the options that all commands share in front, where they belong.

    The command `help` becomes the option: ``help runs`` is ``runs --help``.
    """
    shared, others = _separated(arguments)
    if others[:1] == ["help"]:
        others = [*(name for name in others[1:2] if name != "help"), "--help"]
    return shared + others


def _separated(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """
    Return the options that all commands share, and the other arguments.

    If the last option lacks its value, there are no others, so that the error names this option.
    """
    shared: list[str] = []
    others: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            others += [argument, *waiting]
        elif argument in _FLAGS or _holds_value(argument):
            shared.append(argument)
        elif argument in _WITH_VALUE:
            value = next(waiting, None)
            if value is None:
                return [*shared, argument], []
            shared += [argument, value]
        else:
            others.append(argument)
    return shared, others


def _holds_value(argument: str) -> bool:
    """Whether an argument is an option with its value: ``--zone=Europe/Paris``, ``-ojson``."""
    return any(
        argument.startswith(f"{name}=" if name.startswith("--") else name) and argument != name
        for name in _WITH_VALUE
    )


def wants_json(arguments: Sequence[str]) -> bool:
    """Tell whether stdout is to be one JSON document, also where the line is wrong."""
    shared = hoisted(arguments)
    pairs = pairwise(shared)
    return "--json" in shared or "-ojson" in shared or ("-o", "json") in pairs
