"""Azurite, Microsoft's own emulator of blob storage, as a child process."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from batch_emulator.secret_file import new_key
from local.child import Child
from local.errors import ChildError

ACCOUNT = "recurlocal"

_PROGRAM = Path(__file__).parent / "azurite/node_modules/azurite/dist/src/blob/main.js"
_LISTENS = re.compile(r"successfully listens on http://127\.0\.0\.1:(\d+)")
_START_LIMIT_SECONDS = 60.0


class Azurite:
    """
    Blob storage on 127.0.0.1, from entering to leaving the context.

    Attributes:
        port: Where it listens; asking for port 0 takes a free one.
        key: The account's key.
        log: Where its output goes, a line for each request.
    """

    def __init__(
        self,
        *,
        log: Path,
        port: int = 0,
        location: Path | None = None,
        key: str | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        Prepare it.

        Args:
            log: Where its output goes.
            port: 0 takes a free one.
            location: Keeps the blobs in this folder; without it they live in memory.
            key: The account's key; by default a new one. Blobs that are kept open by any.
            pause: Waits between two looks at whether it listens; may raise to give up.
        """
        self.port = port
        self.log = log
        self.key = key or new_key()
        self._location = location
        self._pause = pause
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The blob endpoint of the account."""
        return f"http://127.0.0.1:{self.port}/{ACCOUNT}"

    @property
    def connection_string(self) -> str:
        """What the Azure SDKs and the Functions host take."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={self.key};"
            f"BlobEndpoint={self.url};"
        )

    def __enter__(self) -> Self:
        """Start it and wait until it listens."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> None:
        """
        Start it and wait until it listens.

        Raises:
            ChildError: It is not installed, or does not start.
        """
        child = Child(
            "Azurite",
            self._command(),
            log=self.log,
            environment={"AZURITE_ACCOUNTS": f"{ACCOUNT}:{self.key}"},
        )
        child.start()
        self._child = child
        try:
            listens = child.wait_for(
                _LISTENS, limit_seconds=_START_LIMIT_SECONDS, pause=self._pause
            )
        except BaseException:
            self.stop()
            raise
        self.port = int(listens[1])

    def stop(self) -> None:
        """End it by SIGTERM, since it writes its index to disk only then, and wait."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def check(self) -> None:
        """
        Do nothing while it runs.

        Raises:
            ChildError: It has ended.
        """
        if self._child is None:
            raise ChildError("Azurite is not running")
        self._child.check()

    def _command(self) -> list[str]:
        node = shutil.which("node")
        if node is None:
            raise ChildError("Azurite needs Node, which is not on the PATH: run `make setup`")
        if not _PROGRAM.is_file():
            raise ChildError("Azurite is not installed: run `make setup`")
        blobs = (
            ["--inMemoryPersistence"]
            if self._location is None
            else ["--location", str(self._location)]
        )
        return [
            node,
            str(_PROGRAM),
            *("--blobHost", "127.0.0.1", "--blobPort", str(self.port)),
            *blobs,
            "--disableTelemetry",
            "--skipApiVersionCheck",  # the SDK speaks a newer version than any Azurite knows
        ]
