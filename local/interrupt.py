"""Ctrl-C as a value: a signal ends the program only where it waits, never halfway into a step."""

import os
import select
import signal
from types import FrameType
from typing import Self

from local.errors import StopRequestedError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """
    Notes SIGINT, SIGTERM and SIGHUP, and raises only from ``pause``.

    An exception raised by a signal handler could come between a process being started and being
    remembered, and that process would outlive everything. Further signals change nothing: what has
    to be stopped is stopped in its order, each with a limit.
    """

    def __init__(self) -> None:
        self._noted, self._note = os.pipe()
        self._name = ""

    def __enter__(self) -> Self:
        """Take over the signals."""
        self._previous = {number: signal.signal(number, self._take) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        os.close(self._note)
        os.close(self._noted)

    def pause(self, seconds: float) -> None:
        """
        Wait.

        Raises:
            StopRequestedError: A signal came, now or since the last time.
        """
        ready, _, _ = select.select([self._noted], [], [], seconds)
        if ready:
            raise StopRequestedError(f"stopped by {self._name}")

    def _take(self, number: int, _: FrameType | None) -> None:
        if not self._name:
            self._name = signal.Signals(number).name
            os.write(self._note, b"!")
