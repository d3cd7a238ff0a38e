"""
What a shell offers for half a word: ids of schedules, of runs, of requests.

Without a deployment, or where storage does not answer at once, it offers nothing and says nothing.
"""

import threading
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

import typer
from azure.storage.blob import ContainerClient

_SECONDS: Final = 3
_MOST: Final = 200

type Find = Callable[[ContainerClient], Iterable[str]]


def offer(context: typer.Context, incomplete: str, find: Find) -> list[str]:
    """
    Return what ``find`` yields and begins with ``incomplete``, 200 at most, sorted.

    Nobody waits longer than 3 s for it, and nothing that fails is told: the shell asks in the
    middle of a line.
    """
    found: list[str] = []

    def look() -> None:
        from recur.target import find_target  # noqa: PLC0415 - its clients take long to load

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
    from recur.known import look_at, schedule_ids  # noqa: PLC0415 - only when a shell asks

    return offer(context, incomplete, lambda ledger: schedule_ids(look_at(ledger)))


def open_runs(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the runs that have not ended."""
    from recur.known import open_run_ids  # noqa: PLC0415 - only when a shell asks

    return offer(context, incomplete, lambda ledger: open_run_ids(ledger, incomplete))


def waiting_requests(context: typer.Context, incomplete: str) -> list[str]:
    """Offer the requests that no tick has answered yet."""
    from recur.requests.post import waiting_ids  # noqa: PLC0415 - only when a shell asks

    return offer(context, incomplete, lambda ledger: waiting_ids(ledger, incomplete))
