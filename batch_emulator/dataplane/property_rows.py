"""What the emulator does with each property of the request bodies, read off their shapes."""

from dataclasses import dataclass
from typing import Final

from batch_emulator.dataplane.job_bodies import JOB_BODY
from batch_emulator.dataplane.job_schedule_bodies import JOB_SCHEDULE_BODY
from batch_emulator.dataplane.pool_bodies import POOL_BODY
from batch_emulator.dataplane.shapes import Coverage
from batch_emulator.dataplane.task_bodies import TASK

BODIES: Final = (POOL_BODY, JOB_BODY, TASK, JOB_SCHEDULE_BODY)


@dataclass(frozen=True, slots=True)
class PropertyRow:
    """
    What the emulator does with the properties of one kind of object.

    Attributes:
        resource: The kind of object.
        coverage: Its properties, in Markdown.
    """

    resource: str
    coverage: Coverage


def property_rows() -> tuple[PropertyRow, ...]:
    """Return a row for each kind of object that a request body is or holds, each kind once."""
    rows: dict[str, PropertyRow] = {}
    for body in BODIES:
        for shape in body.shapes():
            rows.setdefault(shape.title, PropertyRow(shape.title, shape.details()))
    return tuple(rows.values())
