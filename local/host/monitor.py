"""Where the host remembers when its timers ran: the status blobs of the Functions host."""

from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from local.errors import LocalError
from local.host.timers import ScheduleStatus
from orchestrator.adapters.calls import first_line

_CONTAINER = "azure-webjobs-hosts"
_ONE_TRY: dict[str, Any] = {"retry_total": 0, "connection_timeout": 2, "read_timeout": 10}


class MonitorError(Exception):
    """The status cannot be read or written."""


class StatusBlobs:
    """
    The blobs ``timers/<host id>/Host.Functions.<name>/status``, named and written as by the host.

    The host makes their container when it is missing; so does this.

    Raises:
        LocalError: The connection string is none.
    """

    def __init__(self, connection_string: str, host_id: str) -> None:
        try:
            storage = BlobServiceClient.from_connection_string(connection_string, **_ONE_TRY)
        except ValueError as error:
            raise LocalError(f"AzureWebJobsStorage is not a connection string: {error}") from None
        self._container = storage.get_container_client(_CONTAINER)
        self._host_id = host_id

    def read(self, function: str) -> ScheduleStatus | None:
        """
        Return the stored status of a function.

        Raises:
            MonitorError: Storage does not answer, or holds something else.
        """
        try:
            blob = self._container.download_blob(self._name(function), encoding="utf-8")
            return ScheduleStatus.from_json(blob.readall())
        except ResourceNotFoundError:
            return None
        except (AzureError, ValueError) as error:
            raise MonitorError(first_line(error)) from error

    def write(self, function: str, status: ScheduleStatus) -> None:
        """
        Store the status of a function.

        Raises:
            MonitorError: Storage does not answer.
        """
        try:
            try:
                self._upload(function, status)
            except ResourceNotFoundError:
                self._make_container()
                self._upload(function, status)
        except AzureError as error:
            raise MonitorError(first_line(error)) from error

    def close(self) -> None:
        """Close the connections."""
        self._container.close()

    def _upload(self, function: str, status: ScheduleStatus) -> None:
        self._container.upload_blob(self._name(function), status.to_json(), overwrite=True)

    def _make_container(self) -> None:
        try:
            self._container.create_container()
        except ResourceExistsError:
            return  # another host made it in this moment

    def _name(self, function: str) -> str:
        return f"timers/{self._host_id}/Host.Functions.{function}/status"
