"""Waiting for what comes to pass by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

_STEP_SECONDS: Final = 0.002


async def until(look: Callable[[], Awaitable[bool]], *, within: float = 60) -> None:
    """Look again and again, for so many seconds at most, until it is so."""
    limit = time.monotonic() + within
    while not await look():
        assert time.monotonic() < limit, f"not so after {within} s"
        await asyncio.sleep(_STEP_SECONDS)
