"""The settings of the function app: read once, validated together."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from cronsim import CronSim, CronSimError

from orchestrator.batch_state import JobPlace
from orchestrator.decisions.places import LOOPBACK, portless
from orchestrator.errors import SettingsError

_CONTAINER = re.compile(r"(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*")
_POOL = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ARM_ID = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/"
    r"Microsoft\.ManagedIdentity/userAssignedIdentities/[^/]+",
    re.IGNORECASE,
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Everything the function app is told by its environment.

    Attributes:
        batch_account_url: Endpoint of the Batch account.
        batch_account_name: With the key, on a laptop only; in Azure the identity is used.
        batch_account_key: Base64.
        place: Pool, outputs container and node identity of every job.
        data_storage_url: Blob endpoint of the data storage account.
        data_storage_connection_string: On a laptop only.
        ledger_container: Container of the ledger.
        outputs_container: Container of the outputs.
        client_id: Client id of the app's own user-assigned identity.
    """

    batch_account_url: str
    batch_account_name: str | None
    batch_account_key: str | None
    place: JobPlace
    data_storage_url: str
    data_storage_connection_string: str | None
    ledger_container: str
    outputs_container: str
    client_id: str


class _Reader:
    """Reads one setting after the other and collects what is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def optional(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def required(self, name: str, pattern: re.Pattern[str] | None = None, hint: str = "") -> str:
        value = self.optional(name)
        if value is None:
            self.problems.append(f"{name} is missing")
            return ""
        if pattern and not pattern.fullmatch(value):
            self.problems.append(f"{name} must be {hint}, not {value!r}")
        return value

    def url(self, name: str) -> str:
        value = self.required(name)
        if not value:
            return ""
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname, parts.port
        except ValueError:
            parts, host = None, None
        plain = parts is not None and not (parts.query or parts.fragment or "@" in parts.netloc)
        if parts is None or not plain or parts.scheme not in {"http", "https"} or not host:
            self.problems.append(f"{name} must be a URL such as https://name..., not {value!r}")
        elif parts.scheme == "http" and host not in LOOPBACK:
            self.problems.append(f"{name} must begin with https:// unless it is on loopback")
        return value.rstrip("/")

    def cron(self, name: str) -> None:
        value = self.required(name)
        if not value:
            return
        try:
            CronSim(value, datetime(2026, 1, 1))  # noqa: DTZ001 - only its syntax is looked at
        except CronSimError as error:
            self.problems.append(
                f"{name} must be a timer expression of six fields, not {value!r}: {error}"
            )


def read_settings(environ: Mapping[str, str]) -> Settings:
    """
    Return the settings in ``environ``.

    Raises:
        SettingsError: Names every setting that is missing or malformed, all at once.
    """
    read = _Reader(environ)
    read.cron("SUBMIT_CRON")
    read.cron("COLLECT_CRON")
    batch_url = read.url("BATCH_ACCOUNT_URL")
    pool = read.required("BATCH_POOL_ID", _POOL, "1 to 64 letters, digits, - or _")
    storage_url = read.url("DATA_STORAGE_URL")
    names = "3 to 63 lower-case letters, digits and single hyphens"
    ledger = read.required("LEDGER_CONTAINER", _CONTAINER, names)
    outputs = read.required("OUTPUTS_CONTAINER", _CONTAINER, names)
    identity = read.required(
        "NODE_IDENTITY_ID", _ARM_ID, "the resource id of a user-assigned identity"
    )
    client_id = read.required("AZURE_CLIENT_ID", _UUID, "the client id (a UUID) of an identity")
    name, key = _account_key(read)
    connection = read.optional("DATA_STORAGE_CONNECTION_STRING")
    _check_connection_string(read, connection, storage_url)
    if ledger and ledger == outputs:
        read.problems.append(
            "OUTPUTS_CONTAINER must differ from LEDGER_CONTAINER: nodes write there"
        )
    if read.problems:
        raise SettingsError(read.problems)
    return Settings(
        batch_account_url=batch_url,
        batch_account_name=name,
        batch_account_key=key,
        place=JobPlace(
            account=portless(batch_url),
            pool_id=pool,
            outputs_url=f"{storage_url}/{outputs}",
            node_identity=identity,
        ),
        data_storage_url=storage_url,
        data_storage_connection_string=connection,
        ledger_container=ledger,
        outputs_container=outputs,
        client_id=client_id,
    )


def _account_key(read: _Reader) -> tuple[str | None, str | None]:
    name, key = read.optional("BATCH_ACCOUNT_NAME"), read.optional("BATCH_ACCOUNT_KEY")
    if (name is None) != (key is None):
        missing = "BATCH_ACCOUNT_KEY" if key is None else "BATCH_ACCOUNT_NAME"
        read.problems.append(f"{missing} is missing: set both name and key, or neither")
    if key is not None:
        try:
            base64.b64decode(key, validate=True)
        except ValueError:  # of base64, and of letters beyond ASCII
            read.problems.append("BATCH_ACCOUNT_KEY must be base64")
    return name, key


def _check_connection_string(read: _Reader, connection: str | None, url: str) -> None:
    """Both name the storage; two that differ would send outputs where nobody collects them."""
    if connection is None:
        return
    parts: dict[str, str] = {}
    for part in connection.split(";"):
        name, _, value = part.partition("=")
        parts[name.strip()] = value
    endpoint = parts.get("BlobEndpoint", "").rstrip("/")
    if not endpoint or not parts.get("AccountKey"):
        read.problems.append(
            "DATA_STORAGE_CONNECTION_STRING must hold BlobEndpoint, AccountName and AccountKey"
        )
    elif url and endpoint != url:
        read.problems.append(
            "DATA_STORAGE_CONNECTION_STRING names another BlobEndpoint than DATA_STORAGE_URL"
        )
