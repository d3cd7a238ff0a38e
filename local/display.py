"""What the demo shows while it waits: a live table in a terminal, else one line per change."""

import sys
import time
from collections.abc import Mapping
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_INDENT = 11  # of the table, below the texts of the steps

type Scene = Mapping[str, str]
"""What the pool and each run are doing, each in a few words."""


class Display(Protocol):
    """Where the demo's progress goes."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""

    def step(self, text: str) -> None:
        """Show that something was done."""

    def scene(self, scene: Scene) -> None:
        """Show what goes on."""

    def text(self, title: str, text: str) -> None:
        """Show a text as it is."""


def display() -> Display:
    """Return the display that fits where stdout goes."""
    return Terminal(Console(highlight=False)) if sys.stdout.isatty() else Lines()


class Lines:
    """Plain lines, each with the seconds since the beginning."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown: Scene = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()

    def step(self, text: str) -> None:
        """Show that something was done."""
        sys.stdout.write(f"{time.monotonic() - self._began:5.1f} s  {text}\n")
        sys.stdout.flush()

    def scene(self, scene: Scene) -> None:
        """Show what goes on."""
        for name, text in scene.items():
            if text != self._shown.get(name):
                self.step(f"{name + ':':<8}{text}")
        self._shown = scene

    def text(self, title: str, text: str) -> None:
        """Show a text as it is."""
        sys.stdout.write(f"\n{title}\n{text.rstrip()}\n")
        sys.stdout.flush()


class Terminal:
    """Steps as lines, and below them a table that changes in place."""

    def __init__(self, console: Console) -> None:
        self._began = time.monotonic()
        self._console = console
        self._live = Live(console=console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def step(self, text: str) -> None:
        """Show that something was done."""
        seconds = f"{time.monotonic() - self._began:5.1f} s"
        self._console.print(Text.assemble((seconds, "dim"), "  ", ("✓", "green"), f" {text}"))

    def scene(self, scene: Scene) -> None:
        """Show what goes on."""
        table = Table.grid(padding=(0, 2))
        for name, text in scene.items():
            table.add_row(Text(name, style="bold"), Text(text))
        self._live.update(Padding(table, (1, 0, 1, _INDENT)), refresh=True)

    def text(self, title: str, text: str) -> None:
        """Show a text as it is."""
        self._live.update("")
        self._console.print(Text(f"\n{title}", style="bold"))
        self._console.print(Text(text.rstrip()), soft_wrap=True)
        self._console.print()
