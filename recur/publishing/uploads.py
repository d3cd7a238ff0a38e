"""Application packages in the storage of the Batch account: uploaded, and looked at again."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobServiceClient, ContentSettings

from recur.azure_hosts import Service
from recur.errors import CliError, Exit
from recur.publishing.packaging import Package, version_in
from recur.role_waiting import RoleWait
from recur.roles import missing_on_storage, storage_role
from recur.target import Target

_QUICK: Final[dict[str, Any]] = {"retry_total": 2, "connection_timeout": 5, "read_timeout": 60}
_CONTAINERS: Final = "app-"  # Batch names them app-<application>-<digits>


class Uploads:
    """
    The storage account of a deployment, by Entra, or on a laptop by its connection string.

    Attributes:
        account_name: Of the storage account.
    """

    def __init__(self, target: Target, **options: Any) -> None:  # noqa: ANN401 - the SDK's
        """Prepare it; the options are for the official client."""
        connection = target.values.get("DATA_STORAGE_CONNECTION_STRING", "").strip()
        given = _QUICK | options
        if connection:
            self._storage = BlobServiceClient.from_connection_string(connection, **given)
        else:
            url = target.need("DATA_STORAGE_URL")
            credential = given.pop("credential", None) or target.credential_for(
                "DATA_STORAGE_URL", Service.STORAGE
            )
            self._storage = BlobServiceClient(url, credential, **given)
        self._options = given
        self._by_key = target.opens_storage_by_key
        self.account_name = str(self._storage.account_name)

    def upload(self, url: str, file: Path, role_wait: RoleWait) -> None:
        """
        Upload a file to the address that Batch gave for it.

        Raises:
            CliError: The address is in another storage account, or the role never arrives.
        """
        blob = self._blob(url)

        def send() -> None:
            with file.open("rb") as content:
                blob.upload_blob(
                    content,
                    length=file.stat().st_size,
                    overwrite=True,
                    content_settings=ContentSettings(content_md5=bytearray(_digest(file))),
                )

        if self._by_key or urlsplit(url).query:
            send()  # waiting helps neither a wrong key nor a wrong signature
        else:
            role_wait.call(send, missing_on_storage(storage_role(self.account_name)))

    def _blob(self, url: str) -> BlobClient:
        if urlsplit(url).query:
            return BlobClient.from_blob_url(url, **self._options)
        base = str(self._storage.url).rstrip("/") + "/"
        container, found, name = url.removeprefix(base).partition("/")
        if not url.startswith(base) or not found:
            raise CliError(
                Exit.REFUSED,
                f"Batch keeps packages at {url}, and the storage account here is {base}",
                "set DATA_STORAGE_URL to the storage account that is linked to the Batch account",
            )
        return self._storage.get_blob_client(container, name)

    def holds(self, package: Package) -> bool | None:
        """
        Tell whether storage holds this package under its application and version.

        Returns:
            None if it cannot be found: nothing but habit says in which container Batch keeps it.
        """
        for blob in self._candidates(package.name, package.version):
            try:
                there = blob.get_blob_properties()
            except ResourceNotFoundError:
                continue
            theirs = bytes(there.content_settings.content_md5 or b"")
            return theirs == _digest(package.zip_path) or _stored_version(blob) == package.version
        return None

    def intact(self, application: str, version: str) -> bool | None:
        """
        Tell whether what storage holds as this version is what the version says.

        Returns:
            None if it cannot be found.
        """
        for blob in self._candidates(application, version):
            try:
                return _stored_version(blob) == version
            except ResourceNotFoundError:
                continue
        return None

    def _candidates(self, application: str, version: str) -> Iterator[BlobClient]:
        start = f"{_CONTAINERS}{application.replace('_', '-')}-"
        for container in self._storage.list_containers(name_starts_with=start):
            yield self._storage.get_blob_client(str(container.name), version)


def _digest(file: Path) -> bytes:
    """Return what storage keeps of a blob's content, to find damage and not to resist an attack."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).digest()


def _stored_version(blob: BlobClient) -> str | None:
    """Return the version of what a blob holds: other zip programs write the same differently."""
    with tempfile.NamedTemporaryFile() as copy:
        blob.download_blob().readinto(copy)
        copy.flush()
        return version_in(Path(copy.name))
