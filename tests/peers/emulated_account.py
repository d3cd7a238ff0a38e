"""An emulated account for clients that run in processes of their own, and that block."""

import asyncio
import base64
import os
import threading
from pathlib import Path
from typing import Final, Self

from batch_emulator.options import Options
from batch_emulator.package import Package
from batch_emulator.server import Emulator

NAME: Final = "peersbatch"
SPEED: Final = 200.0
"""A node boots in 0.7 s."""


class EmulatedAccount:
    """
    An emulator in a thread, from entering to leaving the context.

    Attributes:
        url: Its address.
        key: The account's key.
    """

    def __init__(self, folder: Path, storage: str, packages: tuple[Package, ...] = ()) -> None:
        self.url = ""
        self.key = base64.b64encode(os.urandom(32)).decode()
        self._options = Options(
            account=NAME,
            key=self.key,
            storage=storage,
            root=folder,
            pool_speed=SPEED,
            applications=packages,
            kill_grace_seconds=0.2,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._emulator = Emulator(self._options)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that say where the account is."""
        return {"BATCH_ACCOUNT": NAME, "BATCH_KEY": self.key, "BATCH_ENDPOINT": self.url}

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._emulator.__aenter__(), self._loop).result()
        self.url = self._emulator.url
        return self

    def __exit__(self, *_: object) -> None:
        """End everything."""
        left = self._emulator.__aexit__(None, None, None)
        asyncio.run_coroutine_threadsafe(left, self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
