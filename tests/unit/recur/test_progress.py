"""A progress bar is there for people who wait, and for nobody else."""

import io
import threading

import pytest
from rich.console import Console

from recur.output import Printer
from recur.progress import progress


class _Screen(io.StringIO):
    """A terminal that tells when something is drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text.strip():
            self.drawn.set()
        return super().write(text)


def output(screen: io.StringIO, *, as_json: bool = False) -> Printer:
    made = Printer(as_json=as_json)
    made.progress = Console(file=screen, width=100, force_terminal=isinstance(screen, _Screen))
    return made


def test_what_takes_long_shows_how_far_it_is() -> None:
    """What is done, and of how much."""
    screen = _Screen()

    with progress(output(screen), "listing records", 7, after_seconds=0) as advance:
        assert screen.drawn.wait(10)
        advance(3)

    assert "listing records" in screen.getvalue()
    assert "3/7" in screen.getvalue()


def test_what_is_being_done_is_shown_as_it_is() -> None:
    """Names of schedules and files are no markup."""
    screen = _Screen()

    with progress(output(screen), "reading [a:bug:b]", 1, after_seconds=0):
        assert screen.drawn.wait(10)

    assert "reading [a:bug:b]" in screen.getvalue()


def test_what_takes_no_time_shows_nothing() -> None:
    """Not even an empty line."""
    screen = _Screen()

    with progress(output(screen), "listing records", 7, after_seconds=60) as advance:
        advance(7)

    assert screen.getvalue() == ""


@pytest.mark.parametrize("as_json", [False, True])
def test_programs_see_no_bar(as_json: bool) -> None:
    """Neither off terminals nor with --json."""
    screen = _Screen() if as_json else io.StringIO()

    with progress(output(screen, as_json=as_json), "x", 1, after_seconds=0) as advance:
        advance(1)

    assert screen.getvalue() == ""


def test_what_fails_leaves_the_terminal_as_it_was() -> None:
    """The error is raised on, and the cursor is back."""
    screen = _Screen()

    def fail() -> None:
        with progress(output(screen), "x", after_seconds=0):
            assert screen.drawn.wait(10)
            raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        fail()

    hidden, shown = screen.getvalue().rfind("\x1b[?25l"), screen.getvalue().rfind("\x1b[?25h")
    assert hidden < shown
