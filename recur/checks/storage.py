"""Checks of the storage: containers, the schedule document, the ledger, the timers' heartbeats."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline import PipelineResponse
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.decisions.due import due
from orchestrator.decisions.places import portless
from orchestrator.document.parse import Document, parse
from orchestrator.duration_text import duration_text
from orchestrator.errors import DocumentError, RecurError
from orchestrator.ledger.record import load
from orchestrator.ledger.state import SubmitState, load_submit
from recur.causes.remedies import WHY_BLOCKED
from recur.checks.findings import Finding, good, note, problem, unchecked
from recur.checks.results import check_results
from recur.host_timers import host_storage, timer_statuses
from recur.target import Target

_SKEW: Final = timedelta(seconds=60)
_SILENT: Final = timedelta(minutes=5)
_FORBIDDEN: Final = 403
_COLLECTING: Final = timedelta(minutes=30)
_STANDS_STILL: Final = "the submit function does nothing until it is restored"
_RESTORE: Final = (
    "restore it (docs/operations.md), or start a new one from now on with recur adopt --new"
)
_FUNCTIONS: Final = ("submit", "collect")


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
        document, finding = _document_finding(ledger)
        yield finding
        yield from _decisions(ledger, document, target)
        yield from check_results(ledger)
        yield from _open_runs(ledger, target)


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
            "your identity does not have access",
            "every command of recur needs access",
            "az role assignment create --role 'Storage Blob Data Contributor' "
            f"--assignee <you> --scope <{container.container_name}'s storage account>",
        )
    return good(check, "exists, and you can read it")


def _clock(ahead: timedelta) -> Finding:
    if abs(ahead) <= _SKEW:
        return good("clock", f"within {duration_text(abs(ahead))} of Azure's")
    return problem(
        "clock",
        f"this machine's clock is {duration_text(ahead)} ahead of Azure's",
        "Azure refuses signatures and tokens when the clock is wrong",
        "set the clock, for example with timedatectl set-ntp true",
    )


def _document_finding(ledger: ContainerClient) -> tuple[Document | None, Finding]:
    check = "schedule document"
    try:
        text = ledger.download_blob(ids.DOCUMENT).readall().decode()
        document = parse(text)
    except ResourceNotFoundError:
        fix = "recur apply FILE"
        return None, problem(check, "no document is in force", "no schedule is ever due", fix)
    except (DocumentError, UnicodeDecodeError) as error:
        why = "no occurrence is decided while the document is invalid"
        return None, problem(check, str(error), why, "correct it, then recur apply FILE")
    if document.problems:
        what = "; ".join(str(one) for one in document.problems)
        why = "these schedules do not run"
        return document, problem(check, what, why, "correct it, then recur apply FILE")
    return document, good(check, f"valid, {len(document.schedules)} schedule(s)")


def _decisions(
    ledger: ContainerClient, document: Document | None, target: Target
) -> Iterator[Finding]:
    """Tell from the ledger whether the submit function decides: nothing waits for long."""
    check = "decisions"
    why = "the submit function does not run, or fails, or Batch does not answer it"
    fix = "check the app's log; see tick-silent in docs/alerts.md"
    applied = _applied(ledger)
    try:
        state = load_submit(ledger.download_blob(ids.SUBMIT_STATE).readall())
    except ResourceNotFoundError:
        if any(ledger.list_blob_names(name_starts_with=ids.FINAL_PREFIX, results_per_page=1)):
            what = "submit.json is missing, and the ledger has records"
            yield problem("ledger", what, _STANDS_STILL, _RESTORE)
            return
        state = SubmitState()
    except RecurError as error:
        yield problem("ledger", str(error), _STANDS_STILL, _RESTORE)
        return
    owned = _owner(state, target)
    yield owned
    if owned.why:
        return
    if applied and applied[0] != state.document:
        what = f"the document of {applied[1]:%Y-%m-%d %H:%M} UTC has not been taken over"
        if datetime.now(UTC) - applied[1] > _SILENT:
            yield problem(check, what, why, fix)
        else:
            yield note(check, what, "wait: the next tick does it")
        return
    late = dict(_undecided_schedules(state, document))
    if not late:
        yield good(check, "every occurrence until now is decided")
    for id_, age in late.items():
        yield problem(
            check,
            f"an occurrence of {id_} has waited {duration_text(age)} for its decision",
            why,
            fix,
        )


def _owner(state: SubmitState, target: Target) -> Finding:
    """Tell whether the ledger belongs to the Batch account of these settings."""
    check, ours = "ledger", portless(target.need("BATCH_ACCOUNT_URL"))
    if state.owner in {"", ours}:
        return good(check, f"it belongs to {ours}" if state.owner else "it has no owner yet")
    return problem(
        check,
        f"it belongs to the Batch account {state.owner}, but these settings name {ours}",
        "an app with another account does not work on it; it only reports",
        "correct BATCH_ACCOUNT_URL, or move the ledger: recur adopt",
    )


def _applied(ledger: ContainerClient) -> tuple[str, datetime] | None:
    """Return what tells the document from another, and since when it is in force."""
    try:
        properties = ledger.get_blob_client(ids.DOCUMENT).get_blob_properties()
    except ResourceNotFoundError:
        return None
    return str(properties.etag), properties.last_modified


def _undecided_schedules(
    state: SubmitState, document: Document | None
) -> Iterator[tuple[str, timedelta]]:
    now = datetime.now(UTC)
    for id_, one in state.schedules.items():
        if document is None or id_ not in document.schedules:
            continue
        waiting = due(one, now).occurrences
        if waiting and now - waiting[0].nominal > _SILENT:
            yield id_, now - waiting[0].nominal


def _open_runs(ledger: ContainerClient, target: Target) -> Iterator[Finding]:
    """Tell from the work list what keeps runs from being submitted, and from being finished."""
    reasons: Counter[str] = Counter()
    count, stuck = 0, list[str]()
    elsewhere: Counter[str] = Counter()
    ours = portless(target.need("BATCH_ACCOUNT_URL"))
    for blob in ledger.list_blobs(name_starts_with=ids.OPEN_PREFIX, include=["metadata"]):
        if ids.open_run_id(blob.name) is None:
            continue
        count += 1
        values = blob.metadata or {}
        if (account := values.get("account", ours)) != ours and values.get("state") != "ended":
            elsewhere[account] += 1
        elif blocked := values.get("blocked"):
            reasons[blocked] += 1
        elif values.get("state") != "claimed" and _overstays(ledger, blob.name):
            stuck.append(blob.name.removeprefix(ids.OPEN_PREFIX))
    for reason, number in reasons.items():
        why, fix = WHY_BLOCKED.get(reason, ("a later version wrote it", "use the later version"))
        yield problem("open runs", f"{number} of {count} blocked ({reason})", why, fix)
    for account, number in elsewhere.items():
        what = f"{number} of {count} have their job in the Batch account {account}"
        why = (
            "Recur no longer asks that account, and these runs block later runs of their schedules"
        )
        yield problem("open runs", what, why, "recur adopt --give-up ends them as lost")
    if stuck:
        what = f"{len(stuck)} of {count} should be finished by now, such as {stuck[0]}"
        why = "the collect function does not run, or fails"
        fix = "check the app's log; see tick-silent in docs/alerts.md"
        yield problem("collected runs", what, why, fix)
    if not (reasons or stuck or elsewhere):
        yield good("open runs", f"{count}, none of them blocked or overdue")


def _overstays(ledger: ContainerClient, name: str) -> bool:
    """Tell whether a run is open although everything it may take has passed."""
    try:
        record = load(ledger.download_blob(name).readall())
    except (ResourceNotFoundError, RecurError):  # a damaged one is told by the check of orphans
        return False
    if not record.attempts:
        return False
    began = record.attempt.waiting_since or record.attempt.submitted or record.attempt.claimed
    task = record.task
    longest = task.start_timeout + task.run_timeout if task else timedelta()
    return datetime.now(UTC) - began > longest + _COLLECTING


def check_heartbeats(target: Target) -> Iterator[Finding]:
    """Yield when each timer function last ran, from what the Functions host notes of its timers."""
    check = "heartbeat"
    storage = host_storage(target)
    if storage is None:
        yield unchecked(check, "HOST_STORAGE_URL is not set, so the host's storage is not known")
        return
    try:
        statuses = timer_statuses(storage, _FUNCTIONS)
    except HttpResponseError as error:
        yield unchecked(check, f"the host's storage cannot be read: {error.reason}")
        return
    for function in _FUNCTIONS:
        yield _heartbeat(function, statuses.get(function))


def _heartbeat(function: str, status: bytes | None) -> Finding:
    check = f"heartbeat of {function}"
    last = None
    if status is not None:
        try:
            last = datetime.fromisoformat(json.loads(status)["Last"])
        except (ValueError, KeyError, TypeError):
            return unchecked(check, "the host's status of the timer cannot be read")
    if last is None or last.year == 1:
        why = "without its ticks, nothing is decided or collected"
        return note(
            check, "its timer has not fired yet", why, "check that the function app is running"
        )
    age = datetime.now(UTC) - last.astimezone(UTC)
    if age > _SILENT:
        return problem(
            check,
            f"it last ran {duration_text(age)} ago",
            "without its ticks, nothing is decided or collected",
            "restart the function app; see tick-silent in docs/alerts.md",
        )
    return good(check, f"it ran {duration_text(age)} ago")
