"""Sentences on a terminal: folded between words."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from recur.folding import folded

LONGEST = 22
"""A time with its offset; the words of the test are no longer."""

TIME = "2026-12-01 02:00-05:00"
words = st.one_of(
    st.text(alphabet="abc;,-", min_size=1, max_size=LONGEST),
    st.text(alphabet="日本", min_size=1, max_size=LONGEST // 2),  # two cells each
    st.just(TIME),
)


@given(st.lists(words, min_size=1), st.integers(LONGEST, 200))
def test_no_line_is_wider_and_nothing_is_lost(given_words: list[str], width: int) -> None:
    """Whatever the width; a time stays on one line."""
    text = " ".join(given_words)
    lines = folded(text, width)

    assert " ".join(lines) == text
    assert all(cell_len(line) <= width for line in lines)
    assert sum(line.count(TIME) for line in lines) == given_words.count(TIME)


def test_a_word_that_is_wider_stays_whole() -> None:
    """People copy it."""
    page = "https://wiki.example/" + "x" * 60

    assert folded(f"runbook: {page}", 40) == ["runbook:", page]


def test_nothing_is_one_empty_line() -> None:
    """A table of facts keeps its rows."""
    assert folded("", 40) == [""]
