"""
The commands of `recur`: each is a module of its own, named as the command.

A module is loaded when its command is run, completed or listed in a help text: the clients that one
command needs do not slow down the others.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from keyword import iskeyword
from typing import Any, Final, override

import typer
from typer.core import TyperCommand, TyperGroup

from orchestrator.decisions.last_words import escape_controls

NAMES: Final = (
    "status",
    "apply",
    "document",
    "validate",
    "next",
    "rehearse",
    "calendar",
    "schema",
    "convert",
    "import",
    "runs",
    "show",
    "explain",
    "gaps",
    "logs",
    "costs",
    "trigger",
    "stop",
    "pause",
    "resume",
    "backfill",
    "answer",
    "tick",
    "adopt",
    "doctor",
    "publish",
)
"""In the order of the help text."""


def module_name(name: str) -> str:
    """Return the name of a command's module: with ``_`` behind a word of Python's."""
    return f"{name}_" if iskeyword(name) else name


def load_command(name: str) -> TyperCommand:
    """Load the module of a command and return the command; its function is called ``command``."""
    single = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    single.command(name=name)(import_module(f"recur.commands.{module_name(name)}").command)
    loaded = typer.main.get_command(single)
    assert isinstance(loaded, TyperCommand), "one command makes no group"  # noqa: S101
    return loaded


@contextmanager
def _escaped_errors() -> Iterator[None]:
    """Escape the texts of an error of typer; the help text is ours."""
    try:
        yield
    except typer.TyperException as error:
        if type(error).__name__ != "NoArgsIsHelpError":
            for name, value in list(vars(error).items()):
                if isinstance(value, str):
                    setattr(error, name, escape_controls(value))
        raise


class CommandGroup(TyperGroup):
    """
    All commands; each is loaded when it is first asked for.

    What is wrong with a command line is told with control characters escaped: a script may have
    taken part of it from elsewhere.
    """

    @override
    def make_context(self, *args: Any, **extra: Any) -> Any:
        with _escaped_errors():
            return super().make_context(*args, **extra)

    @override
    def invoke(self, ctx: Any) -> Any:
        with _escaped_errors():
            return super().invoke(ctx)

    @override
    def list_commands(self, ctx: Any) -> list[str]:
        return list(NAMES)

    @override
    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:
        # An unknown name is answered with those that are written nearly like it: all are loaded.
        for name in [cmd_name] if cmd_name in NAMES else NAMES:
            if name not in self.commands:
                self.add_command(load_command(name), name)
        found = super().get_command(ctx, cmd_name)
        return found if isinstance(found, TyperCommand) else None
