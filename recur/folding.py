"""Sentences folded to the width of a terminal: between words, and never within a time."""

import re
import textwrap
from typing import Final

_GLUE: Final = "\x00"
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d)")


def folded(text: str, width: int) -> list[str]:
    """
    Return the lines of a text.

    Args:
        text: One line.
        width: That no line exceeds, in characters, unless a word alone is wider.
    """
    glued = _TIME.sub(rf"\1{_GLUE}\2", " ".join(text.replace(_GLUE, "").splitlines()))
    lines = textwrap.wrap(glued, width, break_long_words=False, break_on_hyphens=False)
    return [line.replace(_GLUE, " ") for line in lines] or [""]
