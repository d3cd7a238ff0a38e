"""How the state of a run is shown: in which colour, with the exit code of what failed."""

from typing import Final

from rich.text import Text

from orchestrator.enums import Outcome
from orchestrator.ledger.record import Action, Record
from recur.ledger_reader.run_state import RunState

_COLOURS: Final = {
    Outcome.SUCCEEDED: "green",
    Outcome.FAILED: "red",
    Outcome.TIMED_OUT: "red",
    Outcome.LOST: "red",
    Outcome.NEVER_STARTED: "red",
    Outcome.TERMINATED: "yellow",
    Action.SKIPPED: "yellow",
    Action.MISSED: "yellow",
    "blocked": "red",
    "invalid": "red",
    "paused": "yellow",
    "running": "cyan",
}


def in_colour(text: str, word: str) -> Text:
    """Return a text in the colour of a state or an outcome."""
    return Text(text, style=_COLOURS.get(word, ""))


def state_text(record: Record, stands: RunState) -> str:
    """Return the state of a run: ``failed, exit code 3``."""
    if stands.word == Outcome.FAILED and record.attempt.exit_code is not None:
        return f"{stands.word}, exit code {record.attempt.exit_code}"
    return stands.word


def state_cell(record: Record, stands: RunState, count: int = 1) -> Text:
    """
    Return the state of a run for a table, in its colour: ``failed (3)``, ``skipped ×14``.

    Args:
        record: Of the run.
        stands: Its state.
        count: How many occurrences share the row.
    """
    text = stands.word + (f" ×{count}" if count > 1 else "")
    if stands.word == Outcome.FAILED and record.attempt.exit_code is not None:
        text = f"{stands.word} ({record.attempt.exit_code})"
    return in_colour(text, stands.word)
