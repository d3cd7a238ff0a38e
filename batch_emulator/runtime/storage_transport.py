"""How requests reach blob storage, and what is said when nothing answers there."""

from typing import Any, Final
from urllib.request import getproxies

from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import AioHttpTransport

from batch_emulator.keys import STORAGE_VARIABLE

_BLOCK_BYTES: Final = 1024 * 1024  # more at once would hold up the event loop
_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 60


class StorageTransport(AioHttpTransport):  # type: ignore[misc]  # it is loaded by name, untyped
    """A transport whose errors name a way out: most often blob storage was not started."""

    def __init__(self) -> None:
        super().__init__(
            connection_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            connection_data_block_size=_BLOCK_BYTES,
            use_env_settings=bool(getproxies()),  # else each request reads them, and ~/.netrc
        )

    async def send(self, request: Any, **config: Any) -> Any:  # noqa: ANN401 - as it is declared above
        """
        Send a request and return its response.

        Raises:
            ServiceRequestError: Nothing answers.
        """
        try:
            return await super().send(request, **config)
        except ServiceRequestError as error:
            text = (
                f"{error.message}: start blob storage there, or name another by {STORAGE_VARIABLE}"
            )
            raise ServiceRequestError(text, error=error) from error
