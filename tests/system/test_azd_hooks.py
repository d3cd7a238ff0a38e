"""The hooks of azd, before they need any service."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def test_a_hook_refuses_a_python_that_is_too_old() -> None:
    """In words, before anything is imported that such a Python cannot read."""
    program = (
        "import runpy, sys; sys.version_info = (3, 12, 3);"
        "runpy.run_path('infra/hooks/publish.py', run_name='__main__')"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=_ROOT, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert "Python 3.13 is needed" in ended.stderr
    assert "next: make setup" in ended.stderr
