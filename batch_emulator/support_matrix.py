"""
The tables of ``SUPPORT.md``, from the routes and the checks that the server works by.

`python -m batch_emulator.support_matrix` writes them between their markers, as `make support` does.
"""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from batch_emulator.dataplane.filter_fields import FILTERED
from batch_emulator.dataplane.operations import OPERATIONS
from batch_emulator.dataplane.property_rows import property_rows
from batch_emulator.faults.incidents import INCIDENTS

SUPPORT: Final = Path(__file__).with_name("SUPPORT.md")
COMMAND: Final = "make support"
_BEFORE_AND_AFTER: Final = 2


def _table(head: str, rule: str, rows: Iterable[Iterable[str]]) -> str:
    lines = (f"| {' | '.join(cells)} |" for cells in rows)
    return "\n".join([head, rule, *lines])


def operations_table() -> str:
    """Return the table of all operations of azure-batch 15.1, in the order of the routes."""
    rows = (
        (
            f"`{item.name}`",
            f"`{item.method} {item.path}`",
            "supported" if item.handler else "refused",
            item.notes,
        )
        for item in OPERATIONS
    )
    return _table("| operation | request | | notes |", "|---|---|---|---|", rows)


def properties_table() -> str:
    """Return the table of the properties of request bodies."""
    rows = (
        (
            row.resource,
            ", ".join(row.coverage.honoured),
            ", ".join(row.coverage.kept),
            ", ".join(row.coverage.refused),
        )
        for row in property_rows()
    )
    head = "| resource | honoured | kept and echoed without an effect | refused |"
    return _table(head, "|---|---|---|---|", rows)


def filters_table() -> str:
    """Return the table of what each list can be filtered by."""
    rows = (
        (
            ", ".join(f"`{operation}`" for operation in operations),
            f"`{name}`",
            field.documented(),
            str(field.type),
        )
        for operations, fields in FILTERED.items()
        for name, field in fields.items()
    )
    return _table("| list | property | | type |", "|---|---|---|---|", rows)


def incidents_table() -> str:
    """Return the table of the incidents that were reported of the real service."""
    rows = (
        (
            str(number),
            incident.what,
            "; ".join(filter(None, [", ".join(map(_fault, incident.faults)), incident.how])),
            incident.seen,
        )
        for number, incident in INCIDENTS.items()
    )
    return _table("| | incident | reproduced by | what clients see |", "|---|---|---|---|", rows)


def _fault(name: str) -> str:
    return f"`{name}`" if "/" in name else f"rule `{name}`"


_TABLES: Final[dict[str, Callable[[], str]]] = {
    "operations": operations_table,
    "properties": properties_table,
    "filters": filters_table,
    "incidents": incidents_table,
}


def with_tables(text: str) -> str:
    """
    Return the text of ``SUPPORT.md`` with its tables written anew.

    Raises:
        ValueError: The markers of a table are missing.
    """
    for name, table in _TABLES.items():
        begin, end = f"<!-- {name}: written by `{COMMAND}` -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
        parts = pattern.split(text)
        if len(parts) != _BEFORE_AND_AFTER:
            raise ValueError(f"SUPPORT.md must hold {begin} and {end} once")
        text = f"{begin}\n{table()}\n\n{end}".join(parts)
    return text


def main() -> int:
    """Write the tables and return the exit code of the process."""
    SUPPORT.write_text(with_tables(SUPPORT.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
