"""A progress bar on stderr for what takes longer than two seconds."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from recur.output import Printer

_AFTER_SECONDS: Final = 2

type Advance = Callable[[int], None]


@contextmanager
def progress(
    output: Printer,
    text: str,
    total: int | None = None,
    *,
    shown: bool = False,
    after_seconds: float = _AFTER_SECONDS,
) -> Iterator[Advance]:
    """
    Show how far a piece of work has come, once it has taken two seconds.

    Nothing is shown with ``--json``, where stderr is no terminal, or while the terminal shows what
    is being read.

    Args:
        output: Of the command.
        text: What is being done.
        total: Of how many steps; None where that is not known.
        shown: Whether stdout gets what is being read.
        after_seconds: What takes no longer shows nothing.

    Yields:
        A function to call with the number of steps done since its last call, from any thread.
    """
    beside = shown and output.people.is_terminal
    if output.as_json or beside or not output.progress.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TimeElapsedColumn(), console=output.progress, transient=True)
    task = bar.add_task(text, total=total)
    timer = threading.Timer(after_seconds, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda steps: bar.advance(task, steps)
    finally:
        timer.cancel()
        timer.join()
        if bar.live.is_started:
            bar.stop()
