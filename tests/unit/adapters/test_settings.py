"""Settings: read once, validated together, every problem by name."""

from pathlib import Path

import pytest

from local.keys import LaptopKeys
from local.settings import read_local_settings, with_keys
from orchestrator.adapters.settings import read_settings
from orchestrator.errors import SettingsError

SAMPLE = Path(__file__).parents[3] / "local.settings.sample.json"
REQUIRED = (
    "SUBMIT_CRON",
    "COLLECT_CRON",
    "BATCH_ACCOUNT_URL",
    "BATCH_POOL_ID",
    "DATA_STORAGE_URL",
    "LEDGER_CONTAINER",
    "OUTPUTS_CONTAINER",
    "NODE_IDENTITY_ID",
    "AZURE_CLIENT_ID",
)


def sample() -> dict[str, str]:
    return with_keys(read_local_settings(SAMPLE), LaptopKeys.new())


def problems(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as error:
        read_settings(environ)
    return error.value.problems


def test_the_sample_works_with_keys_alone() -> None:
    """It points at the emulator and Azurite on this laptop; without keys it is refused."""
    assert problems(read_local_settings(SAMPLE)) == (
        "BATCH_ACCOUNT_KEY is missing: set both name and key, or neither",
        "DATA_STORAGE_CONNECTION_STRING must hold BlobEndpoint, AccountName and AccountKey",
    )
    settings = read_settings(sample())

    assert settings.place.pool_id == "recur"
    assert settings.place.outputs_url == f"{settings.data_storage_url}/outputs"
    assert settings.batch_account_key


def test_a_container_may_have_any_name_that_storage_takes() -> None:
    """Three to sixty-three letters, digits and single hyphens."""
    for name in ("a-b", "abc", "a1-b2-c3", "a" * 63):
        assert read_settings(sample() | {"LEDGER_CONTAINER": name}).ledger_container == name


def test_every_missing_setting_is_named_at_once() -> None:
    """Nobody mends one after the other."""
    assert problems({}) == tuple(f"{name} is missing" for name in REQUIRED)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUBMIT_CRON", "every minute"),
        ("BATCH_ACCOUNT_URL", "recur.westeurope.batch.azure.com"),
        ("BATCH_ACCOUNT_URL", "http://recur.westeurope.batch.azure.com"),
        ("BATCH_ACCOUNT_URL", "http://[::1"),
        ("BATCH_ACCOUNT_URL", "https://user:word@batch.example"),
        ("BATCH_ACCOUNT_URL", "https://batch.example/#top"),
        ("BATCH_ACCOUNT_KEY", "schlüssel"),
        ("COLLECT_CRON", "one two three four five"),
        ("LEDGER_CONTAINER", "a" * 64),
        ("BATCH_POOL_ID", "my pool"),
        ("DATA_STORAGE_URL", "https://data.blob.core.windows.net?sv=1"),
        ("LEDGER_CONTAINER", "Ledger"),
        ("NODE_IDENTITY_ID", "id-node"),
        ("AZURE_CLIENT_ID", "id-func"),
        ("BATCH_ACCOUNT_KEY", "not base64!"),
        ("BATCH_ACCOUNT_KEY", ""),
        ("DATA_STORAGE_CONNECTION_STRING", "UseDevelopmentStorage=true"),
        (
            "DATA_STORAGE_CONNECTION_STRING",
            "AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:1/a",
        ),
    ],
)
def test_a_malformed_setting_is_named(name: str, value: str) -> None:
    """With what it must be."""
    said = problems(sample() | {name: value})

    assert any(problem.startswith(name) for problem in said)


def test_nodes_cannot_be_told_to_write_into_the_ledger() -> None:
    """One container for both would let a task change what is on record."""
    (problem,) = problems(sample() | {"OUTPUTS_CONTAINER": "ledger"})

    assert problem.startswith("OUTPUTS_CONTAINER")
