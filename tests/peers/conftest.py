"""Others' clients, and what they are let loose on."""

import os
from pathlib import Path

import pytest

from local.azurite import Azurite
from tests.conftest import YoungAzurite
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
    return _quiet(tmp_path)


@pytest.fixture(scope="module")
def quiet_for_all(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return such an environment for all tests of a file."""
    return _quiet(tmp_path_factory.mktemp("quiet"))


@pytest.fixture(scope="module")
def storage_for_all(young_azurite: YoungAzurite) -> Azurite:
    """Return blob storage for all tests of a file."""
    return young_azurite.get()


def _quiet(folder: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AZURE_")},
        "AZURE_CONFIG_DIR": str(folder / "azure"),
        "AZURE_EXTENSION_DIR": str(folder / "extensions"),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_CORE_NO_COLOR": "yes",
        "PYTHONWARNINGS": "ignore",
    }
