"""Each command of `recur` is a module of its own."""

from pathlib import Path

from typer.testing import CliRunner

import recur.commands
from recur.app import app
from recur.commands import NAMES, load_command, module_name

_FOLDER = Path(recur.commands.__file__).parent


def test_every_command_has_its_module_and_every_module_is_a_command() -> None:
    """The name of the file is the name that an operator types."""
    modules = {file.stem for file in _FOLDER.glob("*.py")} - {"__init__"}

    assert modules == {module_name(name) for name in NAMES}
    assert {load_command(name).name for name in NAMES} == {*NAMES}


def test_a_command_that_is_mistyped_is_answered_with_its_name() -> None:
    """Although commands are loaded one by one, all of them are compared."""
    told = CliRunner().invoke(app, ["expalin"])

    assert told.exit_code == 2
    assert "Did you mean 'explain'?" in told.output
