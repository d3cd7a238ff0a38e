"""What the demo shows."""

import io
import re

import pytest
from rich.console import Console

from local.display import Display, Lines, Terminal, display

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TEXT = 'a record: {"outputs": ["[bold]x[/bold]"]}\n  and a line that is ' + "long " * 40


def _play(screen: Display) -> None:
    with screen:
        screen.step("first [step]")
        screen.scene({"pool": "0 nodes"})
        screen.scene({"pool": "0 nodes", "job": "none yet"})
        screen.scene({"pool": "1 node", "job": "none yet"})
        screen.step("second step")
        screen.text("The record", _TEXT)
        screen.step("last step")


def test_without_a_terminal_each_change_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What did not change is not repeated, and texts come as they are."""
    screen = display()
    assert isinstance(screen, Lines)
    _play(screen)

    shown = re.sub(r"^ *\d+\.\d s  ", "", capsys.readouterr().out, flags=re.MULTILINE)
    assert shown == (
        "first [step]\n"
        "pool:   0 nodes\n"
        "job:    none yet\n"
        "pool:   1 node\n"
        "second step\n"
        f"\nThe record\n{_TEXT.rstrip()}\n"
        "last step\n"
    )


def test_in_a_terminal_the_scene_is_a_table_and_texts_are_never_markup() -> None:
    """The steps remain as lines; the table is gone at the end, and the cursor is back."""
    written = io.StringIO()
    _play(Terminal(Console(file=written, force_terminal=True, width=80, highlight=False)))
    raw = written.getvalue()
    plain = _ESCAPES.sub("", raw)

    assert re.search(r"\d\.\d s  ✓ first \[step\]", plain)
    assert re.search(r"pool +1 node", plain)
    assert _TEXT.rstrip() in plain
    assert re.search(r"\d\.\d s  ✓ last step", plain)
    assert raw.rindex("\x1b[?25h") > raw.rindex("last step")
