"""
Asks azure-cli's own parser whether it takes command lines; none of them is run.

Run by the Python that has azure-cli. Reads JSON from stdin: a list of lists of words, each without
``az``. Writes JSON to stdout: for each null, or what the parser says.
"""

import contextlib
import importlib
import io
import json
import sys
from typing import Any


class Accepted(Exception):  # noqa: N818 - no error
    """The parser has taken the command line; the next step would be to run it."""


def accept(*_: object, **__: object) -> None:
    """Stop before anything is done."""
    raise Accepted


def verdict(cli: Any, words: list[str]) -> str | None:  # noqa: ANN401 - untyped
    """Return what the parser has against a command line, or None."""
    said = io.StringIO()
    cli.invocation = cli.invocation_cls(
        cli_ctx=cli,
        parser_cls=cli.parser_cls,
        commands_loader_cls=cli.commands_loader_cls,
        help_cls=cli.help_cls,
    )
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            cli.invocation.execute(words)
    except Accepted:
        return None
    except SystemExit:
        lines = [line for line in said.getvalue().splitlines() if line.strip()]
        return lines[0] if lines else "refused without a word"
    return "it was not stopped before it was run"


def main() -> None:
    """Judge what stdin holds."""
    # Loaded by name: linters and type checkers run where it is not installed.
    cli = importlib.import_module("azure.cli.core").get_default_cli()
    event = importlib.import_module("knack.events").EVENT_INVOKER_POST_PARSE_ARGS
    cli.register_event(event, accept)
    json.dump([verdict(cli, words) for words in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
