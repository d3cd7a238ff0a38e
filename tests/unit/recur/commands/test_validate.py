"""`recur validate` and its like name a next step that can be typed as it stands."""

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recur.app import app
from recur.errors import Exit

BROKEN = '[schedules.nightly]\ncron = "99 * * * *"\ncommand = "true"\n'


@pytest.mark.parametrize("name", ["plain.toml", "my schedules.toml", "it's $HOME; ls.toml"])
@pytest.mark.parametrize("typed", [("validate",), ("rehearse",), ("next", "--file")])
def test_a_file_name_is_quoted_where_it_needs_it(
    tmp_path: Path, name: str, typed: tuple[str, ...]
) -> None:
    """A shell reads back the name that there is."""
    file = tmp_path / name
    file.write_text(BROKEN if typed != ("next", "--file") else "[[")

    told = CliRunner().invoke(app, [*typed, str(file)])

    assert told.exit_code == Exit.REFUSED
    step = told.stderr.partition("next: ")[2].strip()
    assert shlex.split(step)[-1] == str(file)
