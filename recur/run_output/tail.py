"""Where the last lines of an output begin, found without reading what comes before them."""

from collections.abc import Callable, Iterable
from typing import Final

_PART_BYTES: Final = 64 * 1024
_MOST_BYTES: Final = 16 * 1024 * 1024
"""No more is looked through for the begin of a line; what is longer is cut."""

type Read = Callable[[int, int], Iterable[bytes]]
"""Returns the bytes from the first offset up to the second."""


def tail_begin(read: Read, size: int, lines: int) -> int:
    """
    Return the offset at which the last lines of an output begin.

    Args:
        read: Reads a part of it.
        size: In bytes.
        lines: How many; a last one without a line feed is one of them.
    """
    if lines == 0:
        return size
    end, left = size, lines
    while end > max(0, size - _MOST_BYTES):
        begin = max(0, end - _PART_BYTES)
        part = b"".join(read(begin, end))
        # The line feed at the very end begins no line.
        found = len(part) - 1 if end == size else len(part)
        while (found := part.rfind(b"\n", 0, found)) >= 0:
            left -= 1
            if left == 0:
                return begin + found + 1
        end = begin
    return end
