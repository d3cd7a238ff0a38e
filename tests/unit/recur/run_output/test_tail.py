"""The last lines of an output are found by its end, as if all of it had been read."""

from collections.abc import Iterator

from hypothesis import example, given
from hypothesis import strategies as st

from recur.run_output.tail import tail_begin

MIB = 1024 * 1024
outputs = st.lists(st.sampled_from([b"\n", b"a", b"bc\r\n", b"x" * 70_000, b"\n\n"])).map(b"".join)


def begin_of(data: bytes, lines: int) -> int:
    def read(begin: int, end: int) -> Iterator[bytes]:
        assert 0 <= begin < end <= len(data)
        yield data[begin:end]

    return tail_begin(read, len(data), lines)


@given(outputs, st.integers(0, 6))
@example(b"", 3)
@example(b"one line", 1)
@example(b"\n", 1)
def test_the_last_lines_are_those_of_the_whole(data: bytes, lines: int) -> None:
    """A last line without a line feed is a line."""
    all_lines = data.split(b"\n")
    whole = [line + b"\n" for line in all_lines[:-1]] + [one for one in all_lines[-1:] if one]

    assert data[begin_of(data, lines) :] == b"".join(whole[max(0, len(whole) - lines) :])


def test_what_has_no_end_of_a_line_is_cut() -> None:
    """No more than 16 MiB are looked through."""
    data = b"x" * (17 * MIB)

    assert begin_of(data, 1) == MIB
