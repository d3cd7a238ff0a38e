"""
What a shell offers for half a word: ids of schedules, of runs, of requests.

Without a deployment, or where storage does not answer at once, it offers nothing and says nothing.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

import typer

from orchestrator import ids
from orchestrator.ids import ScheduleId
from recur.target import find_target

if TYPE_CHECKING:  # it takes long to load, and not every command needs it
    from azure.storage.blob import ContainerClient

_SECONDS: Final = 3
_MOST: Final = 200

type Find = Callable[[ContainerClient], Iterable[str]]


def _offer(context: typer.Context, incomplete: str, find: Find) -> list[str]:
    """
    Return what ``find`` yields and begins with ``incomplete``, 200 at most, sorted.

    Nobody waits longer than 3 s for it, and nothing that fails is told: the shell asks in the
    middle of a line.
    """
    found: list[str] = []

    def look() -> None:
        try:
            settings = context.find_root().params.get("settings")
            names = find(find_target(settings).ledger())
            found.extend(islice((name for name in names if name.startswith(incomplete)), _MOST))
        except Exception:  # noqa: BLE001 - whatever it is, a line is being typed
            found.clear()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(_SECONDS)
    return [] if thread.is_alive() else sorted(found)


def schedules(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the schedules of the document and of the ledger."""
    from recur.ledger_reader.snapshot import read_snapshot, schedule_ids  # noqa: PLC0415 - only when a shell asks

    return _offer(context, incomplete, lambda ledger: schedule_ids(read_snapshot(ledger)))


def open_runs(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the runs that have not ended."""
    from recur.ledger_reader.snapshot import open_run_ids  # noqa: PLC0415 - only when a shell asks

    return _offer(context, incomplete, lambda ledger: open_run_ids(ledger, incomplete))


def waiting_requests(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the requests that no tick has answered yet."""
    from recur.requests.request_blobs import waiting_ids  # noqa: PLC0415 - only when a shell asks

    return _offer(context, incomplete, lambda ledger: waiting_ids(ledger, incomplete))


def run_ids(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the runs whose ids begin so: open ones, and of one schedule those of two months."""

    def find(ledger: "ContainerClient") -> Iterator[str]:
        from recur.ledger_reader.snapshot import open_run_ids  # noqa: PLC0415 - only when a shell asks

        return chain(open_run_ids(ledger, incomplete), _final_runs(ledger, incomplete))

    return _offer(context, incomplete, find)


def runs_and_schedules(context: typer.Context, incomplete: str) -> list[str]:
    """Offer schedules, and the runs whose ids begin so."""
    return sorted({*schedules(context, incomplete), *run_ids(context, incomplete)})


def _final_runs(ledger: "ContainerClient", incomplete: str) -> Iterator[str]:
    """Yield the final runs of this month and the last, once it is clear of which schedule."""
    from recur.ledger_reader.record_blobs import month_folder, months_back, record_blob  # noqa: PLC0415 - the same

    folders = ledger.walk_blobs(name_starts_with=ids.FINAL_PREFIX, delimiter="/")
    known = [ScheduleId(folder.name.split("/")[1]) for folder in folders]
    now = datetime.now(UTC)
    for schedule in [one for one in known if incomplete.startswith(f"{one}-")]:
        for year, number in months_back(now, now.replace(day=1) - timedelta(days=1)):
            prefix = f"{month_folder(schedule, year, number)}{incomplete}"
            for name in ledger.list_blob_names(name_starts_with=prefix):
                if one := record_blob(str(name)):
                    yield one.run_id
