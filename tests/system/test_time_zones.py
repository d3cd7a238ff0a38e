"""Time zones come from the pinned tzdata, whatever the environment of the process says."""

import os
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

_PROGRAM = """
import zoneinfo
from datetime import datetime, UTC
from orchestrator.timing.zones import parse_zone

at = datetime(2026, 7, 1, 12, tzinfo=UTC)
print(zoneinfo.ZoneInfo("Europe/Paris").utcoffset(at), parse_zone("Europe/Paris").utcoffset(at))
"""


def test_a_search_path_of_other_zones_changes_nothing(tmp_path: Path) -> None:
    """Python itself finds a Paris that lies in Tokyo there; the product does not look."""
    (tmp_path / "Europe").mkdir()
    with resources.as_file(resources.files("tzdata").joinpath("zoneinfo/Asia/Tokyo")) as tokyo:
        shutil.copy(tokyo, tmp_path / "Europe/Paris")

    told = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env=os.environ | {"PYTHONTZPATH": str(tmp_path)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.split() == ["9:00:00", "2:00:00"]


def test_importing_the_zones_leaves_python_s_search_path_alone() -> None:
    """A library in the same process may rely on it."""
    program = (
        "import zoneinfo; before = zoneinfo.TZPATH; import orchestrator.timing.placement;"
        "print(before == zoneinfo.TZPATH)"
    )

    told = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout == "True\n"
