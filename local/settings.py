"""The settings of the function app on a laptop, read as Core Tools reads them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from local.errors import LocalError

SAMPLE = "local.settings.sample.json"
OWN = "local.settings.json"

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
