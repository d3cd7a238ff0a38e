"""The settings of the function app on a laptop, read as Core Tools reads them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from batch_emulator.secret_file import write_private
from local.errors import LocalError
from local.keys import LaptopKeys

SAMPLE = "local.settings.sample.json"
OWN = "local.settings.json"

_CONNECTIONS = ("DATA_STORAGE_CONNECTION_STRING", "AzureWebJobsStorage")
_LAPTOP_STORAGE = re.compile(
    r"(?=.*\bAccountName=recurlocal;)(?=.*\bBlobEndpoint=http://)(?P<before>.*\bAccountKey=)[^;]*"
)
_REFERENCE = re.compile(r"%([^%]*)%")


def settings_file(app: Path) -> Path:
    """Return the app's own settings file, or the sample while there is none."""
    own = app / OWN
    return own if own.exists() else app / SAMPLE


def read_local_settings(path: Path) -> dict[str, str]:
    """
    Return the values of a settings file.

    Raises:
        LocalError: There is no such file, or it is not what Core Tools would take.
    """
    try:
        document = json.loads(path.read_text())
    except OSError as error:
        raise LocalError(f"settings: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise LocalError(f"settings: {path} is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("IsEncrypted", False):
        raise LocalError(f'settings: {path} must be a JSON object with "IsEncrypted": false')
    values = document.get("Values", {})
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise LocalError(f'settings: "Values" of {path} must map names to strings')
    return values


def with_keys(settings: Mapping[str, str], keys: LaptopKeys) -> dict[str, str]:
    """
    Return settings with the keys of this laptop.

    Keys of an account in Azure stay: only addresses over plain http are the laptop's.
    """
    found = dict(settings)
    for name in _CONNECTIONS:
        if name in found:
            key = keys.storage_account_key
            found[name] = _LAPTOP_STORAGE.sub(lambda m: f"{m['before']}{key}", found[name])  # noqa: B023
    if found.get("BATCH_ACCOUNT_URL", "").startswith("http://"):
        found |= {"BATCH_ACCOUNT_KEY": keys.account_key, "BATCH_ARM_TOKEN": keys.arm_token}
    return found


def lacks_keys(settings: Mapping[str, str]) -> bool:
    """Tell whether settings leave a key of this laptop empty, as the sample does."""
    connections = (settings.get(name, "") for name in _CONNECTIONS)
    return settings.get("BATCH_ACCOUNT_KEY") == "" or any(
        "AccountKey=;" in it for it in connections
    )


def write_keys(path: Path, keys: LaptopKeys) -> tuple[Path, bool]:
    """
    Write the keys of this laptop into a settings file, which only its owner can then read.

    Settings of the sample go into the app's own file, which must not exist yet.

    Returns:
        The file, and whether anything of it has changed.

    Raises:
        LocalError: The file cannot be read or written.
    """
    values = read_local_settings(path)
    filled = with_keys(values, keys)
    target = path.with_name(OWN) if path.name == SAMPLE else path
    if target != path and target.exists():
        raise LocalError(f"settings: {path} holds no keys; use {target} instead")
    try:
        if target == path and filled == values and not path.stat().st_mode & 0o077:
            return target, False
        document: dict[str, Any] = json.loads(path.read_text()) | {"Values": filled}
        write_private(target, f"{json.dumps(document, indent=2)}\n")
    except OSError as error:
        raise LocalError(f"settings: {target} cannot be written: {error.strerror}") from error
    return target, True


def settings_document(settings: Mapping[str, str]) -> str:
    """Return settings as a local settings file."""
    document: dict[str, Any] = {"IsEncrypted": False, "Values": dict(settings)}
    return json.dumps(document, indent=2)


def resolve(text: str, settings: Mapping[str, str]) -> str:
    """
    Replace each ``%NAME%`` by that setting, as the host does in bindings.

    Raises:
        LocalError: A setting is missing or empty.
    """

    def value(reference: re.Match[str]) -> str:
        name = reference[1]
        if not settings.get(name):
            raise LocalError(f"{text!r} needs the setting {name}, which is not set")
        return settings[name]

    return _REFERENCE.sub(value, text)
