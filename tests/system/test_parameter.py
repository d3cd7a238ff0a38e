"""The file of parameters that `recur publish --write` leaves, read by a shell."""

import json
import subprocess
from pathlib import Path

from recur.commands.publish import write_parameter


def test_the_parameter_is_written_beside_what_is_there(tmp_path: Path) -> None:
    """Again and again it is one line, which a shell reads as it was meant."""
    file = tmp_path / "packages.env"
    file.write_text("A=1\nPACKAGE_VERSIONS=old\nPACKAGE_VERSIONS_OF_OTHERS=2")

    for number in range(3):
        write_parameter(file, {"one": f"v{number}", "two": "v9"})

    lines = file.read_text().splitlines()
    assert lines[:2] == ["A=1", "PACKAGE_VERSIONS_OF_OTHERS=2"]
    assert len(lines) == 3
    script = f'. {file}; printf %s "$PACKAGE_VERSIONS"'
    told = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True).stdout
    assert json.loads(told) == {"one": "v2", "two": "v9"}
    assert [path.name for path in tmp_path.iterdir()] == ["packages.env"]
