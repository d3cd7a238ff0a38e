"""How much is proven, and what is shown of it at the end of the test run."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

import hypothesis
import pytest
from rich.console import Console, RenderableType

from tests.support.breadth import everything

_SHOWN = pytest.StashKey[list[str]]()
_WIDTH = 110

hypothesis.settings.register_profile(
    "test", max_examples=12, stateful_step_count=40, derandomize=True
)
hypothesis.settings.register_profile("proof", max_examples=500, stateful_step_count=40)


@dataclass(frozen=True, slots=True)
class Proof:
    """
    What the proof is asked for, and where it is shown.

    Attributes:
        everything: Whether nothing is to be left out; it takes its time.
    """

    everything: bool
    shown: list[str]

    def show(self, what: RenderableType) -> None:
        """Show something at the end of the test run."""
        text = StringIO()
        Console(file=text, width=_WIDTH).print(what)
        self.shown.append(text.getvalue())


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_SHOWN] = []


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Keep the events of thousands of ticks to themselves."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def proof(request: pytest.FixtureRequest) -> Proof:
    return Proof(everything(), request.config.stash.setdefault(_SHOWN, []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for text in terminalreporter.config.stash.get(_SHOWN, []):
        terminalreporter.write_line(text)
