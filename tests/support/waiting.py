"""Waiting for what comes to pass by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

_FIRST_PAUSE_SECONDS: Final = 0.005
_LONGEST_PAUSE_SECONDS: Final = 0.1
_GROWTH: Final = 1.4


async def until[T](
    look: Callable[[], Awaitable[T]], wanted: Callable[[T], bool] = bool, *, within: float = 60
) -> T:
    """
    Look again and again, less and less often, until what is seen is wanted.

    Args:
        look: What to see.
        wanted: Tells whether that is it; by default, whether it is true.
        within: Seconds after which the test fails.

    Returns:
        What was seen last.
    """
    limit = time.monotonic() + within
    pause = _FIRST_PAUSE_SECONDS
    while not wanted(seen := await look()):
        assert time.monotonic() < limit, f"still {seen!r} after {within} s"
        await asyncio.sleep(pause)
        pause = min(_GROWTH * pause, _LONGEST_PAUSE_SECONDS)
    return seen
