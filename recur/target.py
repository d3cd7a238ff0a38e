"""Which deployment a command works on, and the clients of its services."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from recur.azure_hosts import Service, is_azures
from recur.errors import CliError, Exit

if TYPE_CHECKING:  # the clients take long to load, and not every command needs them
    from azure.batch import BatchClient
    from azure.core.credentials import TokenCredential
    from azure.storage.blob import BlobServiceClient, ContainerClient

_ENVIRONMENT_NAME: Final = re.compile(r"[A-Za-z0-9-_()][A-Za-z0-9-_().]*")
"""Of azd: one folder, and none above."""

_ZEROS = "00000000-0000-0000-0000-000000000000"
_QUICK: Final[dict[str, Any]] = {
    "retry_total": 2,
    "retry_backoff_factor": 0.5,
    "initial_backoff": 1,
    "increment_base": 1,
    "connection_timeout": 5,
    "read_timeout": 60,
}
_HOW = (
    "name the deployment with --settings FILE or RECUR_SETTINGS=FILE (on a laptop "
    "local.settings.json, which make up writes), with an azd environment in .azure/, or with "
    "BATCH_ACCOUNT_URL, DATA_STORAGE_URL and the other environment variables of docs/deploy.md"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    A deployment, in Azure or on this laptop.

    Attributes:
        source: Where these settings come from, for messages.
        values: All settings by name, those of the function app and the outputs of infra/core.
        named: Whether somebody named them, by an option or in the environment. What only lies in
            the current folder may be somebody else's: no token goes out to any host that it names.
    """

    source: str
    values: Mapping[str, str]
    named: bool = True

    @property
    def origin(self) -> str:
        """The source, and how it was found, for people."""
        return self.source if self.named else f"{self.source}, found in the current folder"

    def need(self, name: str) -> str:
        """
        Return a setting.

        Raises:
            CliError: It is missing; the message says where it should have been.
        """
        value = self.values.get(name, "").strip()
        if not value:
            raise CliError(Exit.REFUSED, f"{name} is missing in {self.source}", _HOW)
        return value

    @property
    def on_laptop(self) -> bool:
        """Whether the Batch account is the emulator's: reached over plain http."""
        return urlsplit(self.need("BATCH_ACCOUNT_URL")).scheme == "http"

    @property
    def account_id(self) -> str:
        """The ARM id of the Batch account; on a laptop, the one that the emulator answers to."""
        given = self.values.get("BATCH_ACCOUNT_ID", "").strip()
        if given or not self.on_laptop:
            return given or self.need("BATCH_ACCOUNT_ID")
        name = self.need("BATCH_ACCOUNT_NAME")
        return (
            f"/subscriptions/{_ZEROS}/resourceGroups/recur/providers/Microsoft.Batch"
            f"/batchAccounts/{name}"
        )

    def credential(self) -> "TokenCredential":
        """Return the credential of whoever is signed in, for Azure Resource Manager."""
        return _credential()

    def credential_for(self, name: str, service: Service) -> "TokenCredential":
        """
        Return the credential of whoever is signed in, for the address that a setting holds.

        Raises:
            CliError: It may not go there; see `check_address`.
        """
        self.check_address(name, service)
        return _credential()

    def check_address(self, name: str, service: Service) -> str:
        """
        Return the address that a setting holds, to which a token may go.

        Args:
            name: Of the setting.
            service: What is there.

        Raises:
            CliError: It is missing. Or the settings were only found in the current folder, and it
                is not Azure's: whoever wrote them would get the token.
        """
        url = self.need(name)
        if self.named or is_azures(url, service):
            return url
        raise CliError(
            Exit.REFUSED,
            f"{name} is {url}, which is not a host of {service}, so recur sends no token there. The "
            f"setting comes from {self.origin}",
            f"check who wrote that file. If the address is right, use --settings FILE, or set {name} "
            "and the other settings as environment variables",
        )

    @property
    def opens_storage_by_key(self) -> bool:
        """Whether a connection string opens the data storage account, and no role."""
        return bool(self.values.get("DATA_STORAGE_CONNECTION_STRING", "").strip())

    def storage(self) -> "BlobServiceClient":
        """Open the data storage account."""
        connection = self.values.get("DATA_STORAGE_CONNECTION_STRING", "").strip()
        if connection:
            return self.open_storage(connection, "DATA_STORAGE_CONNECTION_STRING")
        return self._open_storage_by_role("DATA_STORAGE_URL")

    def open_host_storage(self, name: str) -> "BlobServiceClient":
        """Open the storage account of the Functions host, whose address a setting holds."""
        return self._open_storage_by_role(name)

    def _open_storage_by_role(self, name: str) -> "BlobServiceClient":
        from azure.storage.blob import BlobServiceClient  # noqa: PLC0415 - slow

        credential = self.credential_for(name, Service.STORAGE)
        return BlobServiceClient(self.need(name), credential, **_QUICK)

    def open_storage(self, connection: str, name: str) -> "BlobServiceClient":
        """
        Open a storage account by a connection string.

        Raises:
            CliError: It is none; ``name`` is the setting that holds it.
        """
        from azure.storage.blob import BlobServiceClient  # noqa: PLC0415 - slow

        try:
            return BlobServiceClient.from_connection_string(connection, **_QUICK)
        except ValueError as error:
            message = f"{name} in {self.source} is not a connection string"
            raise CliError(Exit.REFUSED, message, _HOW) from error

    def ledger(self) -> "ContainerClient":
        """Open the container of the ledger."""
        return self.storage().get_container_client(self.need("LEDGER_CONTAINER"))

    def batch(self) -> "BatchClient":
        """Open the data plane of the Batch account."""
        from azure.batch import BatchClient  # noqa: PLC0415 - slow
        from azure.core.credentials import AzureNamedKeyCredential  # noqa: PLC0415 - slow

        url, name = self.need("BATCH_ACCOUNT_URL"), self.values.get("BATCH_ACCOUNT_NAME", "")
        key = self.values.get("BATCH_ACCOUNT_KEY", "").strip()
        if key:
            return BatchClient(url, AzureNamedKeyCredential(name, key), **_QUICK)
        return BatchClient(url, self.credential_for("BATCH_ACCOUNT_URL", Service.BATCH), **_QUICK)


@cache
def _credential() -> "TokenCredential":
    """Return one credential for all clients, so that a token is asked for once."""
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - slow, and keys need none

    return DefaultAzureCredential()


def find_target(settings: Path | None, environ: Mapping[str, str] | None = None) -> Target:
    """
    Find the deployment: the settings file that is named, else the environment, else azd's.

    One source speaks alone: half of one deployment and half of another would be neither.

    Raises:
        CliError: The settings file cannot be used.
    """
    if settings is not None:
        return Target(source=str(settings), values=_settings_file(settings))
    given = dict(os.environ if environ is None else environ)
    azd = _azd_environment(Path.cwd())
    if azd is not None and not given.get("BATCH_ACCOUNT_URL"):
        return Target(source=str(azd), values=_env_file(azd), named=False)
    return Target(source="the environment", values=given)


def _settings_file(path: Path) -> dict[str, str]:
    try:
        values = json.loads(path.read_text())["Values"]
        return {str(name): str(value) for name, value in values.items()}
    except OSError as error:
        raise CliError(Exit.REFUSED, f"{path} cannot be read: {error.strerror}", _HOW) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CliError(
            Exit.REFUSED,
            f'{path} is not a settings file: it must be JSON with an object "Values"',
            _HOW,
        ) from error


def _azd_environment(folder: Path) -> Path | None:
    """Return the .env file of azd's default environment in this folder, if there is one."""
    try:
        config = json.loads((folder / ".azure/config.json").read_text())
        name = str(config["defaultEnvironment"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    path = folder / ".azure" / name / ".env"
    return path if _ENVIRONMENT_NAME.fullmatch(name) and path.is_file() else None


def _env_file(path: Path) -> dict[str, str]:
    """
    Read lines ``NAME="value"`` as azd writes them.

    Raises:
        CliError: It cannot be read.
    """
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise CliError(Exit.REFUSED, f"{path} cannot be read: {error.strerror}", _HOW) from error
    except UnicodeDecodeError as error:
        raise CliError(Exit.REFUSED, f"{path} is not UTF-8", _HOW) from error
    values = {}
    for line in lines:
        name, found, value = line.partition("=")
        if found and not line.lstrip().startswith("#"):
            value = value.strip()
            if value.startswith('"') and value.endswith('"') and len(value) > 1:
                value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
            values[name.strip()] = value
    return values
