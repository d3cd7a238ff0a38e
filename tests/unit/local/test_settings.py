"""The settings of the laptop."""

import json
from pathlib import Path

import pytest

from local.azurite import Azurite
from local.errors import LocalError
from local.settings import read_local_settings, resolve, settings_file

_ROOT = Path(__file__).resolve().parents[3]


def test_the_sample_works_unchanged() -> None:
    """It holds every setting, and the keys and ports of what `make up` runs."""
    settings = read_local_settings(_ROOT / "local.settings.sample.json")
    azurite = Azurite(log=Path("unused"), port=10000)

    assert settings["DATA_STORAGE_URL"] == azurite.url
    assert settings["DATA_STORAGE_CONNECTION_STRING"] == azurite.connection_string
    assert settings["AzureWebJobsStorage"] == azurite.connection_string
    assert settings["BATCH_ACCOUNT_URL"] == "http://127.0.0.1:10100"
    assert {"SUBMIT_CRON", "COLLECT_CRON", "NODE_IDENTITY_ID", "AZURE_CLIENT_ID"} <= set(settings)
    assert (settings["BATCH_POOL_ID"], settings["BATCH_ACCOUNT_NAME"]) == ("recur", "recurlocal")
    assert (settings["LEDGER_CONTAINER"], settings["OUTPUTS_CONTAINER"]) == ("ledger", "outputs")
    assert settings["FUNCTIONS_WORKER_RUNTIME"] == "python"


def test_the_app_s_own_settings_win_over_the_sample(tmp_path: Path) -> None:
    """local.settings.json is what Core Tools reads; the sample serves until there is one."""
    assert settings_file(tmp_path) == tmp_path / "local.settings.sample.json"
    (tmp_path / "local.settings.json").touch()
    assert settings_file(tmp_path) == tmp_path / "local.settings.json"


def test_references_are_replaced_by_settings() -> None:
    """As the host resolves bindings; a missing or empty setting is an error that names it."""
    assert resolve("%TICK%", {"TICK": "0 * * * * *"}) == "0 * * * * *"
    assert resolve("0 * * * * *", {}) == "0 * * * * *"
    with pytest.raises(LocalError, match="needs the setting TICK"):
        resolve("%TICK%", {"TICK": ""})


@pytest.mark.parametrize(
    "text", ["", "[]", '{"IsEncrypted": true}', '{"Values": {"A": 1}}', '{"Values": []}']
)
def test_what_core_tools_would_not_take_is_refused(tmp_path: Path, text: str) -> None:
    """The error names the file."""
    path = tmp_path / "local.settings.json"
    path.write_text(text)

    with pytest.raises(LocalError, match=r"local\.settings\.json"):
        read_local_settings(path)
    with pytest.raises(LocalError, match="cannot be read"):
        read_local_settings(tmp_path / "missing.json")
    path.write_text(json.dumps({"IsEncrypted": False}))
    assert read_local_settings(path) == {}
