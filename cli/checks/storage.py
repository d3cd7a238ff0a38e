"""Checks of the storage: containers, the schedule document, the ledger, the timers' heartbeats."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline import PipelineResponse
from azure.storage.blob import BlobServiceClient, ContainerClient

from cli.findings import Finding, good, note, problem, unchecked
from cli.target import Target
from orchestrator import naming
from orchestrator.decide import due
from orchestrator.document import Document, parse
from orchestrator.errors import DocumentError, RecurError
from orchestrator.ledger import SubmitState, load_submit

_SKEW: Final = timedelta(seconds=60)
_SILENT: Final = timedelta(minutes=5)
_FORBIDDEN: Final = 403
_HOSTS: Final = "azure-webjobs-hosts"
_FUNCTIONS: Final = ("submit", "collect")
_WHY_BLOCKED: Final = {
    "quota": (
        "the account holds as many active jobs as it may",
        "end stuck jobs, or ask for a higher quota of active jobs",
    ),
    "id_taken": (
        "another job has the run's id",
        "delete that job, or rename the schedule",
    ),
    "package_missing": ("an application package is not there", "recur publish"),
    "pool_missing": ("the pool does not exist", "deploy infra/pool"),
    "auth": (
        "Batch refuses the function app's identity",
        "grant it the role Azure Batch Job Submitter on the Batch account",
    ),
    "unavailable": (
        "Batch gives the function app no answer",
        "compare the app's setting BATCH_ACCOUNT_URL with the account's URL",
    ),
}


def check_storage(target: Target) -> Iterator[Finding]:
    """Yield what is found in the data storage account, from the container to the last decision."""
    storage = target.storage()
    ledger = storage.get_container_client(target.need("LEDGER_CONTAINER"))
    outputs = storage.get_container_client(target.need("OUTPUTS_CONTAINER"))
    clocks: list[timedelta] = []

    def clock(reply: PipelineResponse[Any, Any]) -> None:
        served = parsedate_to_datetime(reply.http_response.headers["Date"])
        clocks.append(datetime.now(UTC) - served)

    reachable = True
    for container in (ledger, outputs):
        finding = _container(container, raw_response_hook=clock)
        reachable = reachable and not finding.why
        yield finding
    if clocks:
        yield _clock(clocks[0])
    if reachable:
        document, finding = _document(ledger)
        yield finding
        yield from _decisions(ledger, document)
        yield from _blocked(ledger)


def _container(container: ContainerClient, **options: Any) -> Finding:  # noqa: ANN401 - the client's
    check = f"container {container.container_name}"
    try:
        container.get_container_properties(**options)
    except ResourceNotFoundError:
        return problem(
            check,
            "does not exist",
            "schedules, records and outputs have no place",
            "deploy infra/core (docs/deploy.md); on a laptop: make up",
        )
    except HttpResponseError as error:
        if error.status_code != _FORBIDDEN:
            raise
        return problem(
            check,
            "your identity may not read it",
            "every command of recur needs it",
            "az role assignment create --role 'Storage Blob Data Contributor' "
            f"--assignee <you> --scope <{container.container_name}'s storage account>",
        )
    return good(check, "is there, and you may read it")


def _clock(ahead: timedelta) -> Finding:
    if abs(ahead) <= _SKEW:
        return good("clock", f"within {abs(ahead).total_seconds():.0f} s of Azure's")
    return problem(
        "clock",
        f"this machine's clock is {ahead.total_seconds():.0f} s ahead of Azure's",
        "signatures and tokens are refused by a wrong clock",
        "set the clock, for instance by timedatectl set-ntp true",
    )


def _document(ledger: ContainerClient) -> tuple[Document | None, Finding]:
    check = "schedule document"
    try:
        text = ledger.download_blob(naming.DOCUMENT).readall().decode()
        document = parse(text)
    except ResourceNotFoundError:
        fix = "recur apply FILE"
        return None, problem(check, "there is none", "nothing is ever due", fix)
    except (DocumentError, UnicodeDecodeError) as error:
        why = "a document that cannot be used decides nothing"
        return None, problem(check, str(error), why, "correct it, then recur apply FILE")
    if document.problems:
        what = "; ".join(str(one) for one in document.problems)
        why = "these schedules stand still"
        return document, problem(check, what, why, "correct it, then recur apply FILE")
    return document, good(check, f"valid, {len(document.schedules)} schedule(s)")


def _decisions(ledger: ContainerClient, document: Document | None) -> Iterator[Finding]:
    """Tell from the ledger whether the submit function decides: nothing due waits for long."""
    check = "decisions"
    try:
        data = ledger.download_blob(naming.SUBMIT_STATE).readall()
        state = load_submit(data)
    except ResourceNotFoundError:
        what = "no tick of the submit function has written yet"
        why = "nothing has ever been decided here"
        yield note(check, what, why, "is the function app deployed and running?")
        return
    except RecurError as error:
        yield problem(
            check, str(error), "the submit function stands still over it", "restore the blob"
        )
        return
    late = dict(_undecided(state, document))
    if not late:
        yield good(check, "every occurrence up to now has been decided")
    for id_, age in late.items():
        yield problem(
            check,
            f"an occurrence of {id_} has waited {age} for its decision",
            "the submit function does not tick, or Batch does not answer it",
            "look at the app's log; meanwhile: docs/alerts.md, tick-silent",
        )


def _undecided(state: SubmitState, document: Document | None) -> Iterator[tuple[str, timedelta]]:
    now = datetime.now(UTC)
    for id_, one in state.schedules.items():
        if document is None or id_ not in document.schedules:
            continue
        waiting = due(one, now).occurrences
        if waiting and now - waiting[0].nominal > _SILENT:
            yield id_, now - waiting[0].nominal


def _blocked(ledger: ContainerClient) -> Iterator[Finding]:
    """Tell from the work list what keeps runs from being submitted."""
    reasons: Counter[str] = Counter()
    count = 0
    for blob in ledger.list_blobs(name_starts_with=naming.OPEN_PREFIX, include=["metadata"]):
        if naming.open_run(blob.name) is None:
            continue
        count += 1
        if blocked := (blob.metadata or {}).get("blocked"):
            reasons[blocked] += 1
    if not reasons:
        yield good("open runs", f"{count}, none of them blocked")
    for reason, number in reasons.items():
        why, fix = _WHY_BLOCKED.get(reason, ("", ""))
        yield problem("open runs", f"{number} of {count} blocked ({reason})", why, fix)


def check_heartbeats(target: Target) -> Iterator[Finding]:
    """Yield when each timer function last ran, from what the Functions host notes of its timers."""
    check = "heartbeat"
    connection = target.values.get("AzureWebJobsStorage", "")
    url = target.values.get("HOST_STORAGE_URL") or target.values.get(
        "AzureWebJobsStorage__blobServiceUri"
    )
    if connection:
        storage = BlobServiceClient.from_connection_string(connection)
    elif url:
        storage = BlobServiceClient(url, target.credential())
    else:
        yield unchecked(check, "the host's storage is not known: HOST_STORAGE_URL is not set")
        return
    try:
        container = storage.get_container_client(_HOSTS)
        statuses = {
            blob.name: container.download_blob(blob.name).readall()
            for blob in container.list_blobs(name_starts_with="timers/")
            if blob.name.endswith("/status")
        }
    except ResourceNotFoundError:
        statuses = {}
    except HttpResponseError as error:
        yield unchecked(check, f"the host's storage cannot be read: {error.reason}")
        return
    for function in _FUNCTIONS:
        yield _heartbeat(function, statuses)


def _heartbeat(function: str, statuses: dict[str, bytes]) -> Finding:
    check = f"heartbeat of {function}"
    ends = (f"/{function}/status", f".{function}/status")
    updated = [
        datetime.fromisoformat(json.loads(data)["LastUpdated"])
        for name, data in statuses.items()
        if name.endswith(ends)
    ]
    if not updated:
        why = "nothing is decided, or nothing collected, unless it ticks"
        return note(check, "its timer has left no note yet", why, "is the function app running?")
    age = datetime.now(UTC) - max(updated).astimezone(UTC)
    if age > _SILENT:
        return problem(
            check,
            f"it last ran {age} ago",
            "nothing is decided, or nothing collected, unless it ticks",
            "restart the function app; docs/alerts.md, tick-silent",
        )
    return good(check, f"it ran {age.total_seconds():.0f} s ago")
