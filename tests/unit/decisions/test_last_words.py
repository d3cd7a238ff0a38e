"""The end of what a task wrote, as text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decisions.last_words import LAST_BYTES, escape_controls, last_line, words_of


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"one\r\ntwo\n", "one\ntwo\n"),
        (b"\x1b[31mred\x00", "\\x1b[31mred\\x00"),
        (b"no\rline", "no\\rline"),
        (b"bad \xff\xfe end", "bad \ufffd\ufffd end"),
        ("grün\t✓".encode(), "grün\t✓"),
        ("turn \u202e around\u2028".encode(), "turn \\u202e around\\u2028"),
    ],
)
def test_the_end_of_a_stream_is_text(data: bytes, text: str) -> None:
    """What is not UTF-8 is replaced, and what a terminal would obey is escaped."""
    assert words_of(data, cut=False) == text


def test_a_character_that_was_cut_in_two_is_left_out() -> None:
    """The first bytes of the tail may be the rest of one."""
    data = "✓".encode() * LAST_BYTES

    assert words_of(data[-LAST_BYTES:], cut=True) == "✓" * (LAST_BYTES // 3)
    assert words_of("✓".encode()[1:], cut=False) == "\ufffd\ufffd"


@given(st.binary(max_size=3 * LAST_BYTES))
def test_last_words_can_be_stored_and_are_bounded(data: bytes) -> None:
    """Whatever a task writes becomes JSON of bounded size without control characters."""
    text = words_of(data, cut=False)

    assert json.loads(json.dumps(text)) == text
    assert len(text) <= LAST_BYTES * len("\\x00")
    assert not set(text) & ({chr(n) for n in range(32)} - {"\n", "\t"})
    assert escape_controls(escape_controls(text)) == escape_controls(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("\n \n", ""),
        ("Traceback\n  File\nValueError: no\n\n", "ValueError: no"),
        ("x" * 1000, "…" + "x" * 300),
    ],
)
def test_the_last_line_says_something(text: str, line: str) -> None:
    """Blank lines are passed over, and of a long one the end is taken."""
    assert last_line(text) == line
