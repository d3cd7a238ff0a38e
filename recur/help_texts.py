"""Help texts as people read them: paragraphs that fit the terminal, placeholders in upper case."""

from functools import partial
from typing import Any, override

from rich.markup import escape
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

_PLACEHOLDERS = {int: "N", float: "N", str: "TEXT"}


class PlainCommand(TyperCommand):
    """A command with a plain help text."""

    @override
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        make_plain(self)

    @override
    def get_params(self, ctx: Any) -> list[Any]:
        return with_plain_flags(super().get_params(ctx))


def make_plain(command: TyperCommand | TyperGroup) -> None:
    """Join the lines of paragraphs, keep the names of tables in brackets, and name the values."""
    if command.help:
        paragraphs = (escape(" ".join(one.split())) for one in command.help.split("\n\n"))
        command.help = "\n\n".join(paragraphs)
    for one in command.params:
        if isinstance(one, TyperArgument | TyperOption) and one.help:
            one.help = escape(one.help)  # else Typer takes [prices] for a style
        if isinstance(one, TyperArgument):
            one.metavar = (one.metavar or one.name).upper()
            # Typer has no other way to leave out the type beside the name, and the braces around it.
            vars(one)["display_type_rich"] = lambda ctx: None  # noqa: ARG005 - typer's signature
            vars(one)["_usage_display_name"] = partial(_usage_name, one)
        elif isinstance(one, TyperOption) and not _is_flag(one):
            _make_option_plain(one)


def _usage_name(argument: TyperArgument) -> str:
    """Return an argument as the usage line has it: ``RUN...``, ``[SCHEDULE]``."""
    name = str(argument.metavar)
    if argument.nargs != 1:
        name = f"{name.removesuffix('...')}..."
    return name if argument.required else f"[{name}]"


def _make_option_plain(option: TyperOption) -> None:
    described = option.type_descriptor
    if described.is_choice:
        option.metavar = option.metavar or option.name.upper()
        option.help = f"{option.help} {', '.join(map(str, described.choices or ()))}."
    elif option.metavar is None:
        path = "FILE" if described.is_path else "TEXT"
        option.metavar = _PLACEHOLDERS.get(described.annotation, path)


def with_plain_flags(params: list[Any]) -> list[Any]:
    """Return the parameters of a command, also those that Typer adds; its flags name no type."""
    for one in params:
        if isinstance(one, TyperOption) and _is_flag(one):
            one.metavar = ""
    return params


def _is_flag(option: TyperOption) -> bool:
    return option.is_flag or option.type_descriptor.annotation is bool
