"""`recur trigger`, `stop`, `pause`, `resume` and `answer`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import load
from orchestrator.ledger.request import Request, RequestKind
from recur.app import Context
from recur.errors import CliError, Exit
from recur.history.logs import Wish, show_output
from recur.known import Known, check_schedule, look_at, meant, open_run_ids, zone_of
from recur.requests import post
from recur.requests.manner import Manner, checked
from recur.requests.until import parse_until
from recur.requests.waiting import Count, conclude, wait_for_answer


def trigger(  # noqa: PLR0913 - one argument for each option
    given: Context,
    schedule: str,
    manner: Manner,
    *,
    key: str | None,
    force: bool,
    follow: bool = False,
) -> Exit:
    """
    Ask for a run of a schedule now; the same key never makes a second run.

    Raises:
        CliError: It was refused, or not answered in time.
    """
    if follow and (given.output.as_json or manner.wait is None):
        raise CliError(
            Exit.USAGE,
            "--follow goes with neither --json nor --no-wait",
            "leave it out; `recur logs RUN --follow` follows a run at any time",
        )
    key = checked(key, "--key") if key is not None else uuid4().hex
    ledger, known = look_around(given)
    id_ = check_schedule(known, schedule)
    request = replace(request_of(RequestKind.TRIGGER, id_, manner), key=key, force=force)
    run = ids.trigger_id(id_, key)
    code = ask(given, ledger, request, manner, f"a run of {id_}, {run}, with --key {key}")
    return show_output(given, Wish(run=run, follow=True)) if follow else code


def stop(given: Context, run: str, manner: Manner) -> Exit:
    """Ask for the end of an open run."""
    ledger = given.target().ledger()
    run_id, schedule = _open_run(ledger, run)
    request = replace(request_of(RequestKind.STOP, schedule, manner), run_id=run_id)
    return ask(given, ledger, request, manner, f"the end of {run_id}")


def pause(given: Context, schedule: str, manner: Manner, *, until: str | None) -> Exit:
    """Ask for a pause: occurrences from now on are skipped, and recorded as such."""
    ledger, known = look_around(given)
    id_ = check_schedule(known, schedule)
    end = parse_until(until, zone_of(known, id_), known.now) if until is not None else None
    request = replace(request_of(RequestKind.PAUSE, id_, manner), until=end)
    length = f"until {end:%Y-%m-%dT%H:%M:%SZ}" if end else "until somebody resumes it"
    return ask(given, ledger, request, manner, f"a pause of {id_} {length}")


def resume(given: Context, schedule: str, manner: Manner) -> Exit:
    """Ask for the end of a pause, by whomever."""
    ledger, known = look_around(given)
    id_ = check_schedule(known, schedule)
    request = request_of(RequestKind.RESUME, id_, manner)
    return ask(given, ledger, request, manner, f"the end of a pause of {id_}")


def ask(  # noqa: PLR0913, PLR0917 - what is asked, how, and how it is told
    given: Context,
    ledger: ContainerClient,
    request: Request,
    manner: Manner,
    what: str,
    count: Count | None = None,
    details: Mapping[str, object] | None = None,
) -> Exit:
    """
    Make a request, and wait for its answer if that is wanted.

    Args:
        given: What every command is given.
        ledger: Where to.
        request: What is asked for.
        manner: How.
        what: The same for people.
        count: Tells how far the tick has come with it.
        details: What else programs are told.
    """
    post.make(ledger, request)
    given.output.say(f"request {request.id}: {what}")
    found = (
        wait_for_answer(given, ledger, request.id, manner.wait, count)
        if manner.wait is not None
        else None
    )
    waited = manner.wait is not None
    return conclude(given, request.id, request, found, waited=waited, details=details or {})


def answer(given: Context, request_id: str, wait: timedelta) -> Exit:
    """
    Tell how a request was answered, waiting for it where it waits.

    Raises:
        CliError: There is neither a request nor an answer of this id, or it is none.
    """
    if not ids.REQUEST_ID.fullmatch(request_id):
        raise CliError(
            Exit.REFUSED,
            f"{request_id!r} is no request id: 1 to 64 lower-case letters and digits",
            "`recur answer` alone lists those that wait",
        )
    ledger = given.target().ledger()
    asked: Request | None = None
    found = post.find_answer(ledger, request_id)
    if found is None:
        waiting = post.find_request(ledger, request_id)
        asked = waiting.request if waiting else None
        # A tick answers first and removes then: whoever finds neither looks once more.
        limit = wait if waiting else timedelta()
        found = wait_for_answer(given, ledger, request_id, limit)
        if found is None and waiting is None:
            raise CliError(
                Exit.REFUSED,
                f"there is no request {request_id!r}: it was never made, or was answered more "
                "than 30 days ago",
                "`recur answer` alone lists those that wait; else ask again",
            )
    return conclude(given, request_id, found.request if found else asked, found, waited=True)


def list_waiting(given: Context) -> Exit:
    """Tell which requests no tick has answered yet, the oldest first."""
    ledger = given.target().ledger()
    found = [post.find_request(ledger, one) for one in post.waiting_ids(ledger)]
    waiting = sorted((one for one in found if one), key=lambda one: (one.made, one.id))
    for one in waiting:
        asked = one.request
        what = f"{asked.kind} {asked.run_id or asked.schedule}, by {asked.by}" if asked else "?"
        given.output.say(f"{one.id}  {one.made:%Y-%m-%dT%H:%M:%SZ}  {what}")
    if not waiting:
        given.output.say("no request waits")
    given.output.result(
        [
            {"id": one.id, "made": one.made} | {"request": post.told(one.request, None)["request"]}
            for one in waiting
        ]
    )
    return Exit.DONE


def look_around(given: Context) -> tuple[ContainerClient, Known]:
    """Return the ledger and what it says of schedules; doubts are told on stderr."""
    ledger = given.target().ledger()
    known = look_at(ledger)
    for doubt in known.doubts:
        given.output.progress.print(f"not checked: {doubt}", markup=False)
    return ledger, known


def request_of(kind: RequestKind, schedule: ScheduleId, manner: Manner) -> Request:
    """Return a new request with what all of them hold."""
    return Request(
        id=post.new_id(),
        kind=kind,
        by=manner.by,
        schedule=schedule,
        note=manner.note,
    )


def _open_run(ledger: ContainerClient, text: str) -> tuple[RunId, ScheduleId]:
    """
    Return an open run and its schedule.

    Raises:
        CliError: It has ended, or there is none; the message has those that are meant perhaps.
    """
    parsed = ids.parse_run_id(text)
    if parsed is not None:
        run = RunId(text)
        if ledger.get_blob_client(ids.open_blob(run)).exists():
            return run, parsed[0]
        if ended := _ended(ledger, ids.blob_of(run)):
            raise CliError(Exit.REFUSED, f"{text} {ended}", "there is nothing left to stop")
    there = list(open_run_ids(ledger))
    listed = f"open are: {', '.join(there[:10])}" if there else "no run is open"
    raise CliError(Exit.REFUSED, f"there is no open run {text!r}", meant(text, there) or listed)


def _ended(ledger: ContainerClient, final: str) -> str | None:
    """Say what a final record says; None if there is none."""
    try:
        record = load(ledger.download_blob(final).readall())
    except ResourceNotFoundError:
        return None
    except RecordUnreadable:
        return "has a final record, which this version cannot read"
    if record.outcome is None:
        return f"did not run: {record.decision.action} ({record.decision.reason})"
    return f"has ended already: {record.outcome} ({record.reason})"
