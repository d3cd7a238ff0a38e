"""Check of the results of finished runs, which the collector keeps in ``collect.json``."""

from collections.abc import Iterator

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.errors import RecordUnreadable
from orchestrator.ledger.results import Rebuilding, load_collect
from recur.checks.findings import Finding, good, note, problem

_CHECK = "results of runs"
_WHY = "runs do not get the time of their last success, and failures do not pause schedules"


def check_results(ledger: ContainerClient) -> Iterator[Finding]:
    """Yield whether what is known of finished runs is whole, and what was kept of a damaged one."""
    kept = sorted(
        name
        for name in ledger.list_blob_names(name_starts_with=ids.COLLECT_STATE.removesuffix("json"))
        if name != ids.COLLECT_STATE
    )
    try:
        state = load_collect(ledger.download_blob(ids.COLLECT_STATE).readall())
    except ResourceNotFoundError:
        yield note(_CHECK, "none yet", "they come with the first run that is collected")
        return
    except RecordUnreadable as error:
        what = str(error).partition("\n")[0]
        fix = "wait: the collect function rebuilds them in its next ticks (results_lost in docs/alerts.md)"
        yield problem(_CHECK, what, _WHY, fix)
        return
    rebuilding = state.rebuilding
    if rebuilding is not None and rebuilding.ended is None and rebuilding.results:
        yield problem(_CHECK, _how_far(rebuilding), _WHY, "wait: each collect tick continues")
    elif kept:
        fix = f"find out which program wrote it, then delete {', '.join(kept)}"
        yield note(_CHECK, "they were damaged, and have been rebuilt", fix)
    else:
        yield good(_CHECK, "can be read")


def _how_far(rebuilding: Rebuilding) -> str:
    reached = f"at schedule {rebuilding.schedule}" if rebuilding.schedule else "just started"
    return f"they are being rebuilt ({reached}): {rebuilding.because}"
