"""
The commands of `recur`: each is a module of its own, named as the command.

A module is loaded when its command is run or completed: the clients that one command needs do not
slow down the others, nor the list of all commands.
"""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any, Final, override

import typer
from typer.core import TyperCommand, TyperGroup

from orchestrator.decisions.last_words import escape_controls
from recur.help_texts import PlainCommand, make_plain, with_plain_flags
from recur.shared_options import hoisted

PANELS: Final = {
    "Every day": ("status", "runs", "describe", "explain", "show", "logs", "next", "costs"),
    "Requests, which the next tick answers": (
        *("trigger", "stop", "pause", "resume"),
        *("backfill", "answer"),
    ),
    "The schedule document": (
        *("apply", "validate", "document", "rehearse"),
        *("convert", "import", "calendar", "schema"),
    ),
    "The deployment": ("doctor", "publish", "gaps", "tick", "adopt"),
}
"""The commands by what they are for, in the order of the help text."""

NAMES: Final = tuple(name for names in PANELS.values() for name in names)

_PANEL: Final = {name: panel for panel, names in PANELS.items() for name in names}

LISTS: Final = frozenset(
    {"answer", "costs", "document", "gaps", "logs", "next", "rehearse", "runs", "status"}
)
"""Those that list: they take ``-o jsonl`` and ``-o csv`` too."""

MEANT: Final = {
    "cancel": "`recur stop RUN` ends a run",
    "delete": "remove its table from the document, then `recur apply FILE`",
    "deploy": "`recur apply FILE` applies schedules, `recur publish` uploads packages",
    "disable": "`recur pause SCHEDULE`",
    "enable": "`recur resume SCHEDULE`",
    "get": "`recur describe SCHEDULE` shows a schedule, `recur runs` lists runs, `recur show RUN` shows "
    "one",
    "history": "`recur runs` lists runs",
    "kill": "`recur stop RUN` ends a run",
    "list": "`recur runs` lists runs, `recur document` prints the schedules",
    "log": "`recur logs RUN`",
    "ls": "`recur runs` lists runs, `recur document` prints the schedules",
    "rerun": "`recur backfill SCHEDULE --rerun-failed` runs again what did not succeed, `recur "
    "trigger SCHEDULE` runs it now",
    "retry": "`recur backfill SCHEDULE --rerun-failed` runs again what did not succeed",
    "run": "`recur trigger SCHEDULE` runs it now, `recur runs` lists runs",
    "start": "`recur trigger SCHEDULE` runs it now",
    "suspend": "`recur pause SCHEDULE`",
    "tail": "`recur logs RUN --follow`",
    "terminate": "`recur stop RUN` ends a run",
    "unpause": "`recur resume SCHEDULE`",
    "version": "`recur --version`",
    "watch": "`recur status --watch`",
}
"""What is meant by the words of other tools."""


def module_name(name: str) -> str:
    """Return the name of a command's module: with ``_`` behind a word of Python's."""
    return f"{name}_" if iskeyword(name) else name


def load_command(name: str) -> TyperCommand:
    """Load the module of a command and return the command; its function is called ``command``."""
    single = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    single.command(name=name, cls=PlainCommand, rich_help_panel=_PANEL[name])(
        import_module(f"recur.commands.{module_name(name)}").command
    )
    loaded = typer.main.get_command(single)
    assert isinstance(loaded, TyperCommand), "one command makes no group"  # noqa: S101
    return loaded


def command_help(name: str) -> str:
    """Return the help text of a command: the docstring of its function, without loading it."""
    source = Path(__file__).with_name(f"{module_name(name)}.py").read_text(encoding="utf-8")
    (function,) = (
        one
        for one in ast.parse(source).body
        if isinstance(one, ast.FunctionDef) and one.name == "command"
    )
    return ast.get_docstring(function) or ""


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

    Errors about a command line have its control characters escaped: a script may have taken a part
    of it from elsewhere.
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
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        make_plain(self)

    @override
    def get_params(self, ctx: Any) -> list[Any]:
        return with_plain_flags(super().get_params(ctx))

    @override
    def list_commands(self, ctx: Any) -> list[str]:
        return list(NAMES)

    @override
    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:
        if cmd_name in NAMES and cmd_name not in self.commands:
            self.add_command(load_command(cmd_name), cmd_name)
        found = super().get_command(ctx, cmd_name)
        return found if isinstance(found, TyperCommand) else None

    @override
    def format_help(self, ctx: Any, formatter: Any) -> None:
        loaded = self.commands
        listed = {
            name: TyperCommand(
                name, callback=None, help=command_help(name), rich_help_panel=_PANEL[name]
            )
            for name in NAMES
            if name not in loaded
        }
        self.commands = {**loaded, **listed}
        try:
            super().format_help(ctx, formatter)
        finally:
            self.commands = loaded

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, hoisted(args))

    @override
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if meant := MEANT.get(args[0]):
            ctx.fail(f"No such command {args[0]!r}: {meant}.")
        if args[0] not in NAMES:
            near = get_close_matches(args[0], NAMES, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{meant}")
        return super().resolve_command(ctx, args)
