"""Reading a blob that holds the state of a pass: its JSON, and the schema of it."""

from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from orchestrator.errors import RecordUnreadable
from orchestrator.ledger.record import SCHEMA


class _WithSchema(Protocol):
    @property
    def schema(self) -> int: ...


def load_state[T: _WithSchema](adapter: TypeAdapter[T], data: bytes, name: str) -> T:
    """
    Return the state that a blob holds.

    Raises:
        RecordUnreadable: It holds something else, or what a later version wrote.
    """
    try:
        state = adapter.validate_json(data)
    except ValidationError as error:
        raise RecordUnreadable(f"{name} is not what this version writes: {error}") from error
    if state.schema != SCHEMA:
        raise RecordUnreadable(f"{name} has schema {state.schema}; this version reads {SCHEMA}")
    return state
