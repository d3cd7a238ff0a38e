"""What `recur import` prints: a document, and the same for programs."""

from collections.abc import Sequence

from recur.context import Context
from recur.errors import Exit
from recur.importing.tables import Imported, Table, document_text


def print_tables(given: Context, imported: Imported, tables: Sequence[Table], source: str) -> Exit:
    """Print tables, and return FOUND if some of them are refused."""
    written = document_text(imported, tables, source)
    for line in written.removesuffix("\n").split("\n"):
        given.output.say(line)
    given.output.result(
        {
            "system": imported.system,
            "document": written,
            "schedules": [
                {
                    "schedule": one.name,
                    "source": one.source,
                    "changes": list(one.comments),
                    "refused": one.refused,
                }
                for one in tables
            ],
        }
    )
    return Exit.FOUND if any(one.refused for one in tables) else Exit.DONE
