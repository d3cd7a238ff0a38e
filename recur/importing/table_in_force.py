"""The table that takes over, put into the document in force."""

from datetime import datetime
from functools import partial
from typing import Final

from azure.core.exceptions import ResourceNotFoundError

from orchestrator import ids
from orchestrator.document.parse import parse
from orchestrator.errors import DocumentError
from orchestrator.ids import ScheduleId
from orchestrator.model import Schedule
from orchestrator.passes import Application
from recur.errors import CliError, Exit
from recur.importing.handed_table import HandedTable
from recur.ledger_reader.snapshot import check_container
from recur.requests.options import RequestOptions
from recur.schedules.put_in_force import open_ledger, put_in_force
from recur.target import Target

_TRIES: Final = 5


def document_in_force(target: Target) -> tuple[str | None, str | None]:
    """
    Return the document in force and its ETag; nothing, if none is in force.

    Raises:
        CliError: The ledger's container does not exist.
        AzureError: Storage does not answer.
    """
    ledger = target.ledger()
    try:
        blob = ledger.download_blob(ids.DOCUMENT)
        return blob.readall().decode("utf-8-sig"), str(blob.properties.etag)
    except ResourceNotFoundError as error:
        check_container(ledger, error)
        return None, None


def schedule_in(document: str | None, schedule: ScheduleId) -> Schedule | None:
    """Return a schedule of a document; nothing, if the document is broken."""
    try:
        return parse(document).schedules.get(schedule) if document else None
    except DocumentError:
        return None


def put_table_in_force(
    target: Target, table: HandedTable, first: datetime, why: RequestOptions
) -> tuple[Schedule, int]:
    """
    Put a table into the document in force, due from ``first`` on.

    Returns:
        The schedule, and the number of the document's version.

    Raises:
        CliError: The document would be invalid, or somebody applies others all the time.
        AzureError: Storage does not answer.
    """
    for _ in range(_TRIES):
        in_force, etag = document_in_force(target)
        merged = table.merged(in_force, first)
        application = Application(data=merged.text.encode(), by=why.by, note=why.note)
        try:
            return merged.schedule, put_in_force(partial(open_ledger, target), application, etag)
        except CliError as error:
            if error.code is not Exit.CONFLICT:
                raise
            # somebody applied another document meanwhile: merge with that one
    raise CliError(Exit.CONFLICT, "other documents were applied at the same time, again and again")
