"""
Prints the names of the commands of ``az batch``, as JSON.

Run by the Python that has azure-cli.
"""

import importlib
import json
import sys


def main() -> None:
    """Print what azure-cli's own loader finds."""
    # Loaded by name: linters and type checkers run where it is not installed.
    cli = importlib.import_module("azure.cli.core").get_default_cli()
    cli.invocation = cli.invocation_cls(
        cli_ctx=cli,
        parser_cls=cli.parser_cls,
        commands_loader_cls=cli.commands_loader_cls,
        help_cls=cli.help_cls,
    )
    loader = cli.invocation.commands_loader
    loader.load_command_table(["batch"])
    names = [name.removeprefix("batch ") for name in loader.command_table]
    json.dump(sorted(names), sys.stdout)


if __name__ == "__main__":
    main()
