"""What a terminal gets to see of bytes that somebody else wrote."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recur.terminal_text import TerminalWriter


def _shown(*parts: bytes) -> str:
    stream = StringIO()
    writer = TerminalWriter(stream)
    for part in parts:
        writer.write(part)
    writer.write(b"", final=True)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"a\tb\nc", "a\tb\nc"),
        (b"\x1b]0;title\x07", r"\x1b]0;title\x07"),
        (b"one\r\ntwo\r", "one\ntwo\n"),
        ("Zürich \u202e".encode(), r"Zürich \u202e"),
        (b"caf\xe9", r"caf\xe9"),
        ("ü".encode()[:1], r"\xc3"),
    ],
)
def test_bytes_are_shown_and_not_obeyed(data: bytes, shown: str) -> None:
    """Lines and tabs stay; nothing is written over, and nothing is left out."""
    assert _shown(data) == shown


@given(st.text().map(str.encode) | st.binary(), st.integers(0, 50))
def test_it_does_not_matter_how_bytes_arrive(data: bytes, cut: int) -> None:
    """A character, or the end of a line, may be cut in two."""
    assert _shown(data[:cut], data[cut:]) == _shown(data)
