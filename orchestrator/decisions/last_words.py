"""The end of what a task wrote, as text that can be stored, printed and mailed."""

import unicodedata
from typing import Final

LAST_BYTES: Final = 2048
"""So much of the end of stdout and of stderr is kept."""

_LONGEST_LINE: Final = 300
_KEPT: Final = "\n\t"
_CONTROLS: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def words_of(data: bytes, *, cut: bool) -> str:
    r"""
    Return the end of a stream as text.

    What is not UTF-8 is replaced. Control characters are escaped, also those that turn the direction
    of writing: ``\x1b`` for Escape. Line feeds and tabs stay.

    Args:
        data: The last bytes; of more than 2 KiB only the end is taken.
        cut: Whether the stream holds more before them: the rest of a character that was cut in two
            is left out.
    """
    tail = data[-LAST_BYTES:]
    if cut or len(data) > LAST_BYTES:
        tail = _from_character(tail)
    text = tail.decode(errors="replace").replace("\r\n", "\n")
    return escape_controls(text, keep=_KEPT)


def escape_controls(text: str, *, keep: str = "") -> str:
    r"""
    Return a text that neither moves the cursor of a terminal nor turns its writing.

    Escaped are control and format characters, halves of surrogates, and separators of lines and
    paragraphs: ``\x1b`` for Escape, ``\u202e`` for a right-to-left override. Line feeds and tabs are
    escaped as well.

    Args:
        text: Any text; one that is escaped already stays as it is.
        keep: Characters that stay nevertheless.
    """
    if text.isprintable():
        return text
    return "".join(
        _escape(sign) if _is_control(sign) and sign not in keep else sign for sign in text
    )


def last_line(text: str) -> str:
    """Return the last line that says something, the end of it if it is long."""
    line = next((one.strip() for one in reversed(text.split("\n")) if one.strip()), "")
    return line if len(line) <= _LONGEST_LINE else "…" + line[-_LONGEST_LINE:]


def _from_character(data: bytes) -> bytes:
    """Leave out up to three bytes in front that continue a character of UTF-8."""
    begin = 0
    while begin < min(3, len(data)) and data[begin] & 0xC0 == 0x80:  # noqa: PLR2004 - of UTF-8
        begin += 1
    return data[begin:]


def _is_control(sign: str) -> bool:
    return unicodedata.category(sign) in _CONTROLS


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape").decode()
