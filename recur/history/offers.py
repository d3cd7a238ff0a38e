"""What a shell offers for half a run id: runs that have not ended, and those of a month."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain

import typer
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.ids import ScheduleId
from recur.completion import offer


def run_ids(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the runs whose ids begin so: open ones, and of one schedule those of two months."""

    def find(ledger: ContainerClient) -> Iterator[str]:
        from recur.known import open_run_ids  # noqa: PLC0415 - only when a shell asks

        return chain(open_run_ids(ledger, incomplete), _final(ledger, incomplete))

    return offer(context, incomplete, find)


def _final(ledger: ContainerClient, incomplete: str) -> Iterator[str]:
    """Yield the final runs of this month and the last, once it is clear of which schedule."""
    from recur.history.names import entry, month, months_back  # noqa: PLC0415 - the same

    folders = ledger.walk_blobs(name_starts_with=ids.FINAL_PREFIX, delimiter="/")
    known = [ScheduleId(folder.name.split("/")[1]) for folder in folders]
    now = datetime.now(UTC)
    for schedule in [one for one in known if incomplete.startswith(f"{one}-")]:
        for year, number in months_back(now, now.replace(day=1) - timedelta(days=1)):
            prefix = f"{month(schedule, year, number)}{incomplete}"
            for name in ledger.list_blob_names(name_starts_with=prefix):
                if one := entry(str(name)):
                    yield one.run_id
