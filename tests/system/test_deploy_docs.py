"""The programs in docs/deploy.md do what the page says."""

import json
import re
import subprocess
import sys
from pathlib import Path

_PAGE = (Path(__file__).parents[2] / "docs/deploy.md").read_text()


def test_outputs_become_an_environment(tmp_path: Path) -> None:
    """Azure does not keep the case of an output's name, and values may hold anything."""
    (program,) = re.findall(r"python3 -c '\n(.*?)' > recur\.env", _PAGE, re.DOTALL)
    outputs = {
        "bATCH_ACCOUNT_NAME": {"type": "String", "value": "batch1"},
        "datA_STORAGE_URL": {"type": "String", "value": "https://x/?a=b&c='d e'"},
    }

    ended = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(outputs),
        capture_output=True,
        text=True,
        check=True,
    )
    file = tmp_path / "recur.env"
    file.write_text(ended.stdout)
    shown = subprocess.run(
        ["/bin/sh", "-c", f"set -a; . {file}; set +a; env"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "BATCH_ACCOUNT_NAME=batch1\n" in shown.stdout
    assert "DATA_STORAGE_URL=https://x/?a=b&c='d e'\n" in shown.stdout
