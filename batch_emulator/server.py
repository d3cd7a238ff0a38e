"""The emulator as a whole: an account behind an http server on the loopback address."""

import errno
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Self

from aiohttp import web
from azure.storage.blob.aio import BlobServiceClient

from batch_emulator.dataplane.batch_call import BatchCall
from batch_emulator.dataplane.operations import OPERATIONS, Handle
from batch_emulator.errors import not_supported
from batch_emulator.journal import tell
from batch_emulator.options import Options
from batch_emulator.pipeline import add_common_headers, pipeline
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.blob_containers import client_options
from batch_emulator.runtime.jobs import stop_clocks
from batch_emulator.runtime.resuming import end_former, resume
from batch_emulator.runtime.storage_transport import StorageTransport
from batch_emulator.runtime.store import Store
from batch_emulator.virtual_clock import VirtualClock, require_idle_loop

_HOST: Final = "127.0.0.1"
_MOST_BODY_BYTES: Final = 4 * 1024 * 1024
_WITH_SLASHES: Final = ("{filePath}", "{filePath:(?s:.+)}")
"""A file's path may hold plain slashes, as in the ``url`` of lists; clients send them as %2F."""
_SHUTDOWN_SECONDS: Final = 1.0


class Emulator:
    """
    A Batch account, from entering to leaving the context.

    Raises:
        ValueError: The storage connection string or the data folder cannot be read.
        RuntimeError: Its clock is virtual, and the event loop is not an ``IdleLoop``.
        OSError: The port is taken, or the nodes' folder cannot be made.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._account: Account | None = None
        self._runner: web.AppRunner | None = None
        self._store: Store | None = None

    @property
    def url(self) -> str:
        """The account's address, without a slash at its end."""
        return self._started.url

    @property
    def storage_url(self) -> str:
        """The address of the blob storage that the account uses."""
        return str(self._started.storage.url).rstrip("/")

    @property
    def _started(self) -> Account:
        if self._account is None:
            raise RuntimeError("the emulator has not been started")
        return self._account

    async def __aenter__(self) -> Self:
        """Listen."""
        if isinstance(self._options.clock, VirtualClock):
            require_idle_loop()
        if self._options.data is not None:
            self._options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._options.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        storage = BlobServiceClient.from_connection_string(
            self._options.storage, transport=StorageTransport(), **client_options()
        )
        account = Account(self._options, "", storage)
        application = _web_application(account)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        try:
            await self._load(account, application)
            await runner.setup()
            await self._listen(runner)
        except BaseException:
            await runner.cleanup()
            await storage.close()
            if self._store is not None:
                self._store.close()
            raise
        account.url = f"http://{_HOST}:{runner.addresses[0][1]}"
        if self._store is not None:
            resume(account)
        self._account, self._runner = account, runner
        tell("emulator.started", url=account.url, account=self._options.account)
        return self

    async def _load(self, account: Account, application: web.Application) -> None:
        """Load the data folder, and let responses wait until changes are written."""
        options = self._options
        if options.data is None:
            return
        root = options.root.resolve()
        self._store = Store(options.data, account=options.account, root=root)
        await end_former(root, options.kill_grace_seconds)
        self._store.load(account)
        application.on_response_prepare.append(self._store.before_response)

    async def _listen(self, runner: web.AppRunner) -> None:
        port = self._options.port
        try:
            await web.TCPSite(runner, _HOST, port).start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise OSError(
                f"port {port} is in use: stop the program that listens there, "
                "or give another --port (0: any)"
            ) from None

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Free the port and end every process of every node."""
        if self._account is None or self._runner is None:
            return
        for site in tuple(self._runner.sites):
            await site.stop()
        stop_clocks(self._account)
        await self._account.background.close()
        await self._runner.cleanup()
        await self._account.storage.close()
        if self._store is not None:
            self._store.close()
        tell("emulator.stopped", url=self._account.url)


def _web_application(account: Account) -> web.Application:
    application = web.Application(middlewares=pipeline(account), client_max_size=_MOST_BODY_BYTES)
    application.on_response_prepare.append(add_common_headers)
    for operation in OPERATIONS:
        application.router.add_route(
            operation.method,
            operation.path.replace(*_WITH_SLASHES),
            _bind(account, operation.handler),
        )
    return application


def _bind(
    account: Account, handle: Handle | None
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        if handle is None:
            raise not_supported(request.path)
        return await handle(BatchCall(account, request))

    return answer
