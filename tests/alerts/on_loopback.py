"""
Runs ``python -m local`` with an eye on its sockets: ``python -m tests.alerts.on_loopback ...``.

What wants to leave this machine is refused, and named in the file that ``STRAYED`` says.
"""

import os
import sys
from pathlib import Path

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_ASKS = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0}
_STRAYED = Path(os.environ["STRAYED"])


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _ASKS:
        return
    address = arguments[_ASKS[event]]
    if isinstance(address, str) and event != "socket.getaddrinfo":
        return  # a socket of the file system
    host = address[0] if isinstance(address, tuple) else address
    host = host.decode() if isinstance(host, bytes) else host
    if host not in _LOOPBACK:
        with _STRAYED.open("a") as strayed:
            strayed.write(f"{event} {address}\n")
        raise OSError(f"{address} is not on loopback")


sys.addaudithook(_watch)

from local.__main__ import main  # noqa: E402 - nothing is imported unwatched

sys.exit(main())
