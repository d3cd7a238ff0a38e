"""The settings of the laptop."""

import json
import stat
from pathlib import Path

import pytest

from local.azurite import Azurite
from local.errors import LocalError
from local.keys import FILE, LaptopKeys, close_to_others
from local.settings import (
    lacks_keys,
    read_local_settings,
    resolve,
    settings_file,
    with_keys,
    write_keys,
)

_ROOT = Path(__file__).resolve().parents[3]


def test_the_sample_works_with_keys_alone() -> None:
    """It holds every setting and the ports of what `make up` runs, and no key."""
    sample = read_local_settings(_ROOT / "local.settings.sample.json")
    keys = LaptopKeys.new()
    azurite = Azurite(log=Path("unused"), port=10000, key=keys.storage_account_key)
    settings = with_keys(sample, keys)

    assert (sample["BATCH_ACCOUNT_KEY"], sample["BATCH_ARM_TOKEN"]) == ("", "")
    assert "AccountKey=;" in sample["AzureWebJobsStorage"]
    assert (settings["BATCH_ACCOUNT_KEY"], settings["BATCH_ARM_TOKEN"]) == (
        keys.account_key,
        keys.arm_token,
    )

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


def _sample(folder: Path) -> Path:
    path = folder / "local.settings.sample.json"
    path.write_text((_ROOT / path.name).read_text())
    return path


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_settings_lack_keys_where_one_is_empty() -> None:
    """Those that somebody has filled in are theirs."""
    sample = read_local_settings(_ROOT / "local.settings.sample.json")
    connection = sample["AzureWebJobsStorage"]

    assert lacks_keys(sample)
    assert lacks_keys({"AzureWebJobsStorage": connection})
    assert lacks_keys({"BATCH_ACCOUNT_KEY": ""})
    assert not lacks_keys(with_keys(sample, LaptopKeys.new()))
    assert not lacks_keys({"AzureWebJobsStorage": connection.replace("Key=;", "Key=mine;")})
    assert not lacks_keys({"COLOUR": "red"})


def test_keys_are_written_into_a_file_of_its_own_beside_the_sample(tmp_path: Path) -> None:
    """The sample is committed, so that it never gets a key; what it becomes is private."""
    sample, keys = _sample(tmp_path), LaptopKeys.new()
    before = sample.read_text()

    own, changed = write_keys(sample, keys)

    assert (own, changed) == (tmp_path / "local.settings.json", True)
    assert _mode(own) == 0o600
    assert sample.read_text() == before
    assert read_local_settings(own) == with_keys(read_local_settings(sample), keys)
    assert json.loads(own.read_text())["IsEncrypted"] is False
    assert write_keys(own, keys) == (own, False)
    with pytest.raises(
        LocalError, match=r"sample\.json holds no keys; use .*settings\.json instead"
    ):
        write_keys(sample, keys)


def test_older_keys_are_replaced_and_everything_else_stays(tmp_path: Path) -> None:
    """A copy from before there was a token gets one; its mode no longer lets others read it."""
    own, _ = write_keys(_sample(tmp_path), LaptopKeys.new())
    document = json.loads(own.read_text())
    document["Values"] |= {"BATCH_ACCOUNT_URL": "http://localhost:7", "MINE": "kept"}
    del document["Values"]["BATCH_ARM_TOKEN"]
    own.write_text(json.dumps(document | {"Host": {"CORS": "*"}}))
    own.chmod(0o644)
    keys = LaptopKeys.new()

    assert write_keys(own, keys) == (own, True)

    assert _mode(own) == 0o600
    mended = json.loads(own.read_text())
    assert mended["Host"] == {"CORS": "*"}
    assert mended["Values"] == with_keys(document["Values"], keys)
    assert mended["Values"]["BATCH_ARM_TOKEN"] == keys.arm_token
    assert (mended["Values"]["MINE"], mended["Values"]["BATCH_POOL_ID"]) == ("kept", "recur")
    own.chmod(0o640)
    assert write_keys(own, keys) == (own, True)
    assert _mode(own) == 0o600


def test_an_account_in_azure_keeps_its_key() -> None:
    """Keys of the laptop go to addresses of the laptop only."""
    azure = {
        "BATCH_ACCOUNT_URL": "https://mine.westeurope.batch.azure.com",
        "BATCH_ACCOUNT_KEY": "mine",
        "AzureWebJobsStorage": "AccountName=recurlocal;AccountKey=mine;"
        "BlobEndpoint=https://recurlocal.blob.core.windows.net",
        "DATA_STORAGE_CONNECTION_STRING": "AccountName=mine;AccountKey=mine;"
        "BlobEndpoint=http://127.0.0.1:10000/mine;",
    }
    assert with_keys(azure, LaptopKeys.new()) == azure
    assert with_keys({"COLOUR": "red"}, LaptopKeys.new()) == {"COLOUR": "red"}


def test_keys_of_a_folder_are_made_once(tmp_path: Path) -> None:
    """Each folder has its own, in a file that only its owner can read."""
    first = LaptopKeys.of_folder(tmp_path / "a")

    assert LaptopKeys.of_folder(tmp_path / "a") == first
    assert LaptopKeys.of_folder(tmp_path / "b") != first
    assert _mode(tmp_path / "a" / FILE) == 0o600
    assert first.account_key not in repr(first)
    (tmp_path / "a" / FILE).chmod(0o644)
    with pytest.raises(LocalError, match=r"^keys of this laptop: .* has mode 0644, .*: remove it"):
        LaptopKeys.of_folder(tmp_path / "a")


def test_a_folder_is_closed_to_others_once(tmp_path: Path) -> None:
    """An older version made it readable for all."""
    tmp_path.chmod(0o755)
    assert close_to_others(tmp_path)
    assert _mode(tmp_path) == 0o700
    assert not close_to_others(tmp_path)
