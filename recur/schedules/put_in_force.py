"""A document put in force as the next version, for a person at the keyboard."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from azure.core.exceptions import AzureError
from azure.identity.aio import DefaultAzureCredential
from azure.storage.blob.aio import BlobServiceClient

from orchestrator.adapters.blobs import Cache, Ledger
from orchestrator.adapters.calls import RETRIES
from orchestrator.adapters.container import Container
from orchestrator.errors import LedgerConflict, RecurError
from orchestrator.passes import Application, apply_version
from recur.azure_hosts import Service
from recur.errors import CliError, Exit
from recur.pass_errors import pass_error
from recur.target import Target

type OpenLedger = Callable[[], AbstractAsyncContextManager[Ledger]]


@asynccontextmanager
async def open_ledger(target: Target) -> AsyncGenerator[Ledger]:
    """
    Open the ledger as the passes do, as whoever is signed in.

    Raises:
        CliError: A setting is missing, or holds an address to which no token may go.
    """
    name = target.need("LEDGER_CONTAINER")
    connection = target.values.get("DATA_STORAGE_CONNECTION_STRING", "").strip()
    async with AsyncExitStack() as stack:
        if connection:
            service = BlobServiceClient.from_connection_string(connection, **RETRIES)
        else:
            target.check_address("DATA_STORAGE_URL", Service.STORAGE)
            credential = await stack.enter_async_context(DefaultAzureCredential())
            service = BlobServiceClient(target.need("DATA_STORAGE_URL"), credential, **RETRIES)
        await stack.enter_async_context(service)
        yield Ledger(Container(service.get_container_client(name)), Cache())


def put_in_force(open_ledger: OpenLedger, given: Application, etag: str | None) -> int:
    """
    Replace the document that was compared with, and no other.

    Args:
        open_ledger: Opens the ledger.
        given: The new document.
        etag: Of the one that was compared with; None if there was none.

    Returns:
        The number of its version.

    Raises:
        CliError: Somebody else put another one in force meanwhile, or storage does not answer.
        AzureError: Storage refuses it.
    """
    try:
        return asyncio.run(_put_in_force(open_ledger, given, etag))
    except LedgerConflict as error:
        raise CliError(
            Exit.CONFLICT,
            "someone else applied a document at the same time; yours was not applied",
            "apply again: your document is then compared with theirs",
        ) from error
    except RecurError as error:
        if isinstance(error.__cause__, AzureError):  # its reader knows what a refusal means
            raise error.__cause__ from error
        raise pass_error("apply", error) from error


async def _put_in_force(open_ledger: OpenLedger, given: Application, etag: str | None) -> int:
    async with open_ledger() as ledger:
        return await apply_version(ledger, given, etag=etag)
