"""What a terminal gets to see of bytes that somebody else wrote."""

import logging
import sys
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recur.terminal_text import EscapedLine, TerminalWriter, escape_the_unforeseen


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


def test_an_entry_of_a_log_is_one_line() -> None:
    """Whatever its arguments hold."""
    record = logging.makeLogRecord({"msg": "left alone: %s", "args": ("\x1b[2J\nforged",)})

    assert EscapedLine().format(record) == r"  left alone: \x1b[2J\nforged"


def test_what_nobody_foresaw_is_escaped_as_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry of a log that no handler takes, and an error that nobody catches."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(logging, "lastResort", logging.StreamHandler(sys.stderr))
    escape_the_unforeseen()

    assert logging.lastResort
    logging.lastResort.handle(logging.makeLogRecord({"msg": "\x1b]0;title\x07"}))
    error = KeyError("x")
    error.add_note("\x9b2J\r")
    sys.excepthook(KeyError, error, None)

    assert capsys.readouterr().err == "  \\x1b]0;title\\x07\nKeyError: 'x'\n\\x9b2J\\r\n"
