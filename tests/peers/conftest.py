"""Others' clients, and what they are let loose on."""

import os
from pathlib import Path

import pytest

from tests.contract.conftest import batch, start_batch

__all__ = ["batch", "start_batch"]

_FOLDER = Path(__file__).parents[2] / ".venv-peers/bin"


@pytest.fixture(scope="session")
def peers() -> Path:
    """Where azure-cli is installed."""
    if not (_FOLDER / "az").exists():
        pytest.skip("azure-cli is not installed; `make peers` does it")
    return _FOLDER


@pytest.fixture
def quiet(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which azure-cli knows nobody and tells nobody anything."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AZURE_")},
        "AZURE_CONFIG_DIR": str(tmp_path / "azure"),
        "AZURE_EXTENSION_DIR": str(tmp_path / "extensions"),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_CORE_NO_COLOR": "yes",
        "PYTHONWARNINGS": "ignore",
    }
