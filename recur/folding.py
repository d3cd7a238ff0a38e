"""Sentences folded to the width of a terminal: between words, and never within a time."""

import re
from typing import Final

from rich.cells import cell_len

_WORD: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d\S*|\S+")


def folded(text: str, width: int) -> list[str]:
    """
    Return the lines of a text.

    Args:
        text: One line.
        width: That no line exceeds, in cells of a terminal, unless a word alone is wider.
    """
    lines = [""]
    for word in _WORD.findall(text):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and cell_len(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
