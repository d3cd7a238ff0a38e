"""Requests by `recur`, with answers that stand there as if a tick had given them."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobServiceClient, ContainerClient

from orchestrator import ids
from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.attempt import Attempt, FrozenTask
from orchestrator.ledger.record import Action, Decided, Record, Versions, dump, metadata
from orchestrator.ledger.request import (
    Answer,
    Request,
    RequestKind,
    Status,
    dump_answer,
    load_request,
)
from orchestrator.ledger.state import ScheduleState, SubmitState, dump_submit
from orchestrator.model import Recurrence, Timing
from orchestrator.timing.zones import parse_zone
from recur.context import Context
from recur.errors import CliError, Exit
from recur.formats import local
from recur.output import Printer
from recur.requests import request_blobs
from recur.requests.new_request import make_requests, new_request
from recur.requests.options import RequestOptions
from tests.conftest import Containers
from tests.support.operator import Operator, Told

NIGHTLY = ScheduleId("nightly-report")
RUN = RunId("nightly-report-20261123T070000Z")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def _known(ledger: ContainerClient) -> None:
    """Let a tick have seen one schedule, of New York."""
    recurrence = Recurrence(cron=("0 2 * * *",), time_zone="America/New_York")
    timing = Timing(since=LONG_AGO, recurrence=recurrence)
    state = ScheduleState(timings=(timing,), decided_until=datetime.now(UTC))
    ledger.upload_blob(ids.SUBMIT_STATE, dump_submit(SubmitState(schedules={NIGHTLY: state})))


def made(ledger: ContainerClient) -> list[Request]:
    """Return the requests that wait."""
    names = ledger.list_blob_names(name_starts_with=ids.REQUEST_PREFIX)
    return [load_request(ledger.download_blob(name).readall()) for name in names]


@contextmanager
def answering(
    ledger: ContainerClient, status: Status, sentence: str, *runs: RunId
) -> Iterator[list[Request]]:
    """Answer the next request as a tick does: the answer first, then the removal."""
    seen: list[Request] = []
    over = threading.Event()

    def tick() -> None:
        while not over.wait(0.1):
            for request in made(ledger):
                now = datetime.now(UTC)
                answer = Answer(
                    request=request, made=now, at=now, status=status, sentence=sentence, runs=runs
                )
                ledger.upload_blob(ids.answer_blob(request.id), dump_answer(answer))
                ledger.delete_blob(ids.request_blob(request.id))
                seen.append(request)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def record(*, outcome: Outcome | None = None) -> Record:
    """Return the record of a run, final or open."""
    nominal = datetime(2026, 11, 23, 7, tzinfo=UTC)
    attempt = Attempt(
        number=1, job_id=RUN, state=AttemptState.SUBMITTED, claimed=nominal, submitted=nominal
    )
    task = FrozenTask(
        command="true",
        environment={},
        start_timeout=timedelta(minutes=30),
        run_timeout=timedelta(hours=1),
        catch_up_window=timedelta(days=1),
    )
    return Record(
        run_id=RUN,
        schedule=NIGHTLY,
        nominal=nominal,
        decision=Decided(action=Action.SUBMIT, at=nominal),
        task=task,
        attempts=(attempt,),
        outcome=outcome,
        reason=Reason.EXIT_CODE if outcome else None,
        versions=Versions(product="test", tzdata="test"),
    )


def refused(told: Told) -> dict[str, Any]:
    error: dict[str, Any] = told.json["error"]
    return error


@pytest.mark.usefixtures("_known")
def test_a_trigger_is_asked_for_with_parameters_and_a_time(
    someone: Operator, ledger: ContainerClient
) -> None:
    """A value may hold an equals sign; a wall time is that of the schedule's zone."""
    with answering(ledger, Status.DONE, "Claimed.") as seen:
        told = someone.recur(
            *("trigger", NIGHTLY, "--env", "SIDE=right = left", "--env", "EMPTY="),
            *("--for", "2026-06-01"),
        )

    assert told.code == Exit.DONE, told.err
    (request,) = seen
    assert request.environment == {"SIDE": "right = left", "EMPTY": ""}
    assert request.nominal == datetime(2026, 6, 1, 4, tzinfo=UTC)


@pytest.mark.usefixtures("_known")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--env", "A=1", "--env", "A=2"), "--env A is given twice"),
        (("--env", "SIDE"), "--env 'SIDE' is not NAME=VALUE"),
        (("--env", "RECUR_X=1"), "--env RECUR_X: is set by Recur or by Batch"),
        (("--env", "=1"), "is not a valid variable name"),
        (("--for", "2199-01-01"), "--for '2199-01-01' is to come"),
        (("--for", "noon"), "--for 'noon' is not a time"),
    ],
)
def test_what_a_trigger_may_not_set_is_refused(
    someone: Operator, ledger: ContainerClient, given: tuple[str, str], said: str
) -> None:
    """Before anything is asked for."""
    told = someone.recur("trigger", NIGHTLY, *given)

    assert told.code == Exit.USAGE
    assert said in told.err
    assert not list(ledger.list_blobs(name_starts_with="open/request/"))


@pytest.mark.usefixtures("_known")
def test_a_trigger_is_asked_for_and_its_answer_told(
    someone: Operator, ledger: ContainerClient
) -> None:
    """With the key, by which it can be repeated, and the run that there is because of it."""
    run = ids.trigger_id(NIGHTLY, "ticket-4711")
    with answering(ledger, Status.DONE, "Claimed.", run) as seen:
        told = someone.recur(
            *(
                "trigger",
                NIGHTLY,
                "--key",
                "ticket-4711",
                "--note",
                "again",
                "--by",
                "eva",
                "--force",
            )
        )

    assert told.code == Exit.DONE, told.err
    (request,) = seen
    assert request == Request(
        id=request.id,
        kind=RequestKind.TRIGGER,
        by="eva",
        schedule=NIGHTLY,
        key="ticket-4711",
        force=True,
        note="again",
    )
    assert "Claimed." in told.out
    assert f"  {run}" in told.out.splitlines()


@pytest.mark.usefixtures("_known")
def test_whoever_asks_need_not_say_who_nor_name_a_key(
    someone: Operator, ledger: ContainerClient
) -> None:
    """Login name and host stand in the record, and each command has a key of its own."""
    with answering(ledger, Status.DONE, "Claimed.") as seen:
        told = [someone.recur("--json", "trigger", NIGHTLY) for _ in range(2)]

    first, second = seen
    assert "@" in first.by
    assert first.key
    assert first.key != second.key
    assert [one.json["request"]["key"] for one in told] == [first.key, second.key]
    assert [one.json["answer"]["status"] for one in told] == ["done", "done"]


@pytest.mark.usefixtures("_known")
def test_a_refusal_is_an_error_with_its_sentence(
    someone: Operator, ledger: ContainerClient
) -> None:
    """For people and for programs."""
    with answering(ledger, Status.REFUSED, "Run x is in the way."):
        people = someone.recur("trigger", NIGHTLY)
        programs = someone.recur("--json", "trigger", NIGHTLY)

    assert people.code == programs.code == Exit.REFUSED
    assert "recur: Run x is in the way." in people.err
    assert refused(programs)["message"] == "Run x is in the way."
    assert programs.json["answer"]["status"] == "refused"


@pytest.mark.usefixtures("_known")
@pytest.mark.parametrize("command", ["trigger", "pause", "resume", "backfill"])
def test_an_unknown_schedule_is_told_before_anything_is_asked_for(
    someone: Operator, ledger: ContainerClient, command: str
) -> None:
    """With the one that is meant perhaps."""
    period = ("--from", "2026-11-01", "--to", "2026-11-02") if command == "backfill" else ()

    told = someone.recur(command, "nightly-reprot", *period)

    assert told.code == Exit.REFUSED
    assert "did you mean nightly-report?" in told.err
    assert made(ledger) == []


def test_a_schedule_that_no_tick_has_seen_is_known_from_the_document(
    someone: Operator, ledger: ContainerClient
) -> None:
    """It was applied a moment ago."""
    ledger.upload_blob(ids.DOCUMENT, '[schedules.fresh]\ncron = "0 0 * * *"\ncommand = "true"\n')

    assert someone.recur("trigger", "fresh", "--no-wait").code == Exit.DONE
    assert [one.schedule for one in made(ledger)] == ["fresh"]
    assert "there are: fresh" in someone.recur("trigger", "x", "--no-wait").err


def test_a_ledger_without_schedules_says_what_to_do(someone: Operator) -> None:
    """Nothing was applied yet."""
    told = someone.recur("trigger", NIGHTLY)

    assert told.code == Exit.REFUSED
    assert "no schedule is in force" in told.err
    assert "recur apply" in told.err


@pytest.mark.parametrize("blob", [ids.SUBMIT_STATE, ids.DOCUMENT])
def test_what_cannot_be_read_keeps_nobody_from_asking(
    someone: Operator, ledger: ContainerClient, blob: str
) -> None:
    """The tick has the last word; that nothing was checked is told."""
    ledger.upload_blob(blob, "[[ this is nothing")

    told = someone.recur("pause", NIGHTLY, "--no-wait")

    assert told.code == Exit.DONE
    assert f"not checked: {blob}" in told.err
    assert [one.kind for one in made(ledger)] == [RequestKind.PAUSE]


@pytest.mark.usefixtures("_known")
def test_a_request_that_nobody_answers_stays(someone: Operator, ledger: ContainerClient) -> None:
    """The command ends in time, and says how to look later; that finds the answer."""
    told = someone.recur("--json", "resume", NIGHTLY, "--wait", "0")

    assert told.code == Exit.UNAVAILABLE
    (request,) = made(ledger)
    assert f"recur answer {request.id}" in refused(told)["next"]
    assert told.json["request"]["id"] == request.id
    assert told.json["answer"] is None
    assert someone.recur("answer", request.id, "--wait", "0").code == Exit.UNAVAILABLE
    listed = someone.recur("answer")
    assert listed.code == Exit.DONE
    assert request.id in listed.out
    assert NIGHTLY in listed.out

    with answering(ledger, Status.DONE, "It was not paused."):
        later = someone.recur("answer", request.id)

    assert later.code == Exit.DONE
    assert "It was not paused." in later.out
    assert "no requests are waiting" in someone.recur("answer").out


def test_a_request_that_never_was_is_told(someone: Operator) -> None:
    """Nothing is waited for."""
    told = someone.recur("answer", "0" * 32)

    assert told.code == Exit.REFUSED
    assert "there is no request" in told.err


@pytest.mark.parametrize("text", ["../x", "..", "", "A", "a/b", "0" * 65])
def test_what_is_no_request_id_is_refused(someone: Operator, text: str) -> None:
    """Before storage is asked, which would take it for another blob's name."""
    told = someone.recur("answer", text)

    assert told.code == Exit.REFUSED
    assert "lower-case letters and digits" in told.err
    assert "recur answer" in told.err


def test_a_request_that_cannot_be_read_waits_as_well(
    someone: Operator, ledger: ContainerClient
) -> None:
    """It is listed, and the tick answers it too."""
    ledger.upload_blob(ids.request_blob("abc"), "{}")

    listed = someone.recur("--json", "answer").json

    assert [(one["id"], one["request"]) for one in listed] == [("abc", None)]
    assert someone.recur("answer", "abc", "--wait", "0").code == Exit.UNAVAILABLE


@pytest.mark.usefixtures("_known")
@pytest.mark.parametrize(
    ("until", "instant"),
    [
        ("2036-12-01T06:00", "2036-12-01T11:00:00+00:00"),
        ("2036-12-01", "2036-12-01T05:00:00+00:00"),
        ("2036-12-01T06:00Z", "2036-12-01T06:00:00+00:00"),
    ],
)
def test_a_pause_ends_by_the_wall_of_its_schedule(
    someone: Operator, ledger: ContainerClient, until: str, instant: str
) -> None:
    """Unless an offset says otherwise."""
    told = someone.recur("pause", NIGHTLY, "--until", until, "--no-wait", "--note", "moving")

    assert told.code == Exit.DONE, told.err
    (request,) = made(ledger)
    assert request.until == datetime.fromisoformat(instant)
    assert request.note == "moving"


@pytest.mark.usefixtures("_known")
@pytest.mark.parametrize(
    ("until", "length"),
    [
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("1d", timedelta(days=1)),
        ("PT2H", timedelta(hours=2)),
    ],
)
def test_a_pause_may_be_so_long_from_now_on(
    someone: Operator, ledger: ContainerClient, until: str, length: timedelta
) -> None:
    """As durations are written in the document."""
    begun = datetime.now(UTC).replace(microsecond=0)
    told = someone.recur("pause", NIGHTLY, "--until", until, "--no-wait")

    assert told.code == Exit.DONE, told.err
    (request,) = made(ledger)
    assert request.until is not None
    assert abs(request.until - length - begun) < timedelta(minutes=1)
    assert f"until {local(request.until, parse_zone('America/New_York'))}" in told.out


@pytest.mark.usefixtures("_known")
@pytest.mark.parametrize(
    ("until", "says"),
    [
        ("0m", "from 1 minute to 366 days"),
        ("400d", "from 1 minute to 366 days"),
        ("2 days", 'must be a duration such as "PT30M"'),
        ("P1Y", 'must be a duration such as "PT30M"'),
        ("soon", "or 30m, 2h, 1d or PT2H (counted from now)"),
        ("2", "or 30m, 2h, 1d or PT2H (counted from now)"),
    ],
)
def test_what_is_no_end_of_a_pause_is_told_with_what_would_be(
    someone: Operator, ledger: ContainerClient, until: str, says: str
) -> None:
    """A time or a duration."""
    told = someone.recur("pause", NIGHTLY, "--until", until)

    assert told.code == Exit.USAGE
    assert says in told.err
    assert made(ledger) == []


@pytest.mark.usefixtures("_known")
@pytest.mark.parametrize(
    "arguments",
    [
        ("--until", "2020-01-01"),
        ("--until", "soon"),
        ("--note", ""),
        ("--by", "a\nb"),
        ("--note", "x" * 1001),
    ],
)
def test_what_makes_no_sense_is_not_asked_for(
    someone: Operator, ledger: ContainerClient, arguments: tuple[str, str]
) -> None:
    """A slip of the hand; the option is named."""
    told = someone.recur("pause", NIGHTLY, *arguments)

    assert told.code == Exit.USAGE
    assert arguments[0] in told.err
    assert made(ledger) == []


@pytest.mark.usefixtures("_known")
def test_a_backfill_from_long_ago_is_read_by_the_tick(
    someone: Operator, ledger: ContainerClient
) -> None:
    """Or is refused at once, as what no recurrence reaches."""
    to = ("--to", "2026-01-05", "--yes", "--no-wait")

    told = someone.recur("backfill", NIGHTLY, "--from", "1990-01-01", *to)
    beyond = someone.recur("backfill", NIGHTLY, "--from", "1970-06-01", *to)

    assert told.code == Exit.DONE, told.err
    (request,) = made(ledger)
    assert request.after == datetime(1990, 1, 1, 5, tzinfo=UTC)
    assert beyond.code == Exit.USAGE
    assert "--from '1970-06-01' is out of range" in beyond.err


@pytest.mark.usefixtures("_known")
@pytest.mark.parametrize(("to", "count"), [("2025-12-31", 0), ("2026-01-03", 2)])
def test_a_backfill_says_since_when_the_schedule_is_known(
    someone: Operator, to: str, count: int
) -> None:
    """Where all of the period lies before that, and where a part of it does; else it is silent."""
    period = (NIGHTLY, "--from", "2025-12-01", "--to", to, "--dry-run")
    told = someone.recur("backfill", *period)
    programs = someone.recur("--json", "backfill", *period)
    later = someone.recur(
        "backfill", NIGHTLY, "--from", "2026-01-01", "--to", "2026-01-03", "--dry-run"
    )

    assert told.code == later.code == Exit.DONE
    assert (
        f"what is known of {NIGHTLY} begins after 2025-12-31 19:00-05:00: "
        "a backfill cannot reach before that"
    ) in told.out
    assert f"to run: {count}" in told.out
    assert programs.json["plan"]["known_after"] == "2026-01-01T00:00:00Z"
    assert "begins after" not in later.out


@pytest.mark.usefixtures("_known")
def test_a_long_plan_says_what_it_leaves_out(someone: Operator) -> None:
    """How many runs are not shown, and what shows them."""
    period = (NIGHTLY, "--from", "2026-01-01", "--to", "2026-01-20", "--dry-run")

    told = someone.recur("backfill", *period)
    programs = someone.recur("--json", "backfill", *period)

    assert "and 9 more between them: --json has all of them\n" in told.out
    assert len(programs.json["plan"]["runs"]) == 19


@pytest.mark.usefixtures("_known")
def test_a_backfill_leaves_a_record_that_cannot_be_read(
    someone: Operator, ledger: ContainerClient
) -> None:
    """The plan says so as the tick will, and which blob it is."""
    blob = f"runs/{NIGHTLY}/2026/01/{NIGHTLY}-20260103T070000Z.json"
    ledger.upload_blob(blob, b"{")

    told = someone.recur(
        *("--json", "backfill", NIGHTLY, "--from", "2026-01-02", "--to", "2026-01-05", "--dry-run")
    )

    assert told.code == Exit.DONE
    assert told.json["plan"]["to_run"]["count"] == 2
    assert told.json["plan"]["left"]["of_them"] == {"with a record that cannot be read": 1}
    assert f"{blob} cannot be read" in told.err


def test_an_open_run_is_stopped(someone: Operator, ledger: ContainerClient) -> None:
    """The request names it and its schedule."""
    one = record()
    ledger.upload_blob(ids.open_blob(RUN), dump(one), metadata=metadata(one))

    with answering(ledger, Status.DONE, "Marked.", RUN) as seen:
        told = someone.recur("stop", RUN, "--note", "wrong input")

    assert told.code == Exit.DONE, told.err
    (request,) = seen
    assert (request.kind, request.run_id, request.schedule) == (RequestKind.STOP, RUN, NIGHTLY)


def test_several_runs_are_stopped_at_once(someone: Operator, ledger: ContainerClient) -> None:
    """Each by a request of its own; programs get a list, and the worst answer is the exit code."""
    runs = [RUN, RunId("nightly-report-20261124T070000Z")]
    for run in runs:
        one = replace(record(), run_id=run)
        ledger.upload_blob(ids.open_blob(run), dump(one), metadata=metadata(one))

    with answering(ledger, Status.DONE, "Marked.") as seen:
        told = someone.recur("--json", "stop", *runs, runs[0])
    with answering(ledger, Status.REFUSED, "It has ended."):
        refusal = someone.recur("stop", *runs)
    mistyped = someone.recur("stop", RUN, "nightly-report-20261125T070000Z")

    assert told.code == Exit.DONE, told.err
    assert sorted(request.run_id or "" for request in seen) == runs
    assert [one["request"]["run_id"] for one in told.json] == runs
    assert {one["answer"]["status"] for one in told.json} == {"done"}
    assert refusal.code == Exit.REFUSED
    assert refusal.err.count("It has ended.") == 2
    assert mistyped.code == Exit.REFUSED
    assert made(ledger) == []


class _RefusesTheSecond(RequestsTransport):  # type: ignore[misc] # its module leaves it untyped
    """Sends one upload, and then has no access any more."""

    uploads = 0

    def send(self, request: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the transport's own types
        self.uploads += request.method == "PUT"
        if request.method == "PUT" and self.uploads > 1:
            raise ClientAuthenticationError("no access")
        return super().send(request, **kwargs)


@pytest.mark.parametrize("invalid", [True, False])
def test_what_was_not_asked_for_after_a_failure_is_named(
    someone: Operator,
    containers: Containers,
    ledger: ContainerClient,
    capsys: pytest.CaptureFixture[str],
    invalid: bool,
) -> None:
    """Whether the request or the storage is at fault; programs get those that were made."""
    transport = RequestsTransport() if invalid else _RefusesTheSecond()
    storage = BlobServiceClient.from_connection_string(
        containers.connection_string, transport=transport
    )
    options = RequestOptions(by="eva", note=None, wait=None)
    names = [ScheduleId(one) for one in ("first", "second", "third")]
    requests = [new_request(RequestKind.RESUME, one, options) for one in names]
    if invalid:
        requests[1] = replace(requests[1], note="x" * 1001)
    asked = [(one, f"the end of a pause of {one.schedule}") for one in requests]
    given = Context(settings=someone.settings, output=Printer(as_json=True))

    code = make_requests(given, storage.get_container_client(containers.ledger), asked, options)

    told = capsys.readouterr()
    assert code == (Exit.USAGE if invalid else Exit.NO_ACCESS)
    assert "the end of a pause of second: " in told.err
    assert "not asked for: the end of a pause of third" in told.err
    assert [one["request"]["id"] for one in json.loads(told.out)] == [requests[0].id]
    assert made(ledger) == requests[:1]


@pytest.mark.usefixtures("_known")
def test_a_backfill_does_not_begin_in_the_future(
    someone: Operator, ledger: ContainerClient
) -> None:
    """Nor does a comparison: it would find no gap there."""
    backfill = someone.recur("backfill", NIGHTLY, "--from", "2190-01-01", "--to", "2190-01-02")
    gaps = someone.recur("gaps", "--since", "tomorrow")

    assert {backfill.code, gaps.code} == {Exit.USAGE}
    assert all("is in the future" in one.err for one in (backfill, gaps))
    assert made(ledger) == []


def test_all_schedules_of_an_empty_ledger_are_none(someone: Operator) -> None:
    """That is said, since nothing was requested."""
    told = someone.recur("pause", "--all", "--no-wait")

    assert told.code == Exit.DONE
    assert "there is no schedule to pause" in told.out


@pytest.mark.usefixtures("_known")
def test_all_schedules_are_paused_and_resumed_at_once(
    someone: Operator, ledger: ContainerClient
) -> None:
    """Of those that are not paused none is resumed."""
    paused = someone.recur("--json", "pause", "--all", "--until", "1h", "--no-wait")
    resumed = someone.recur("--json", "resume", "--all", "--no-wait")

    assert paused.code == resumed.code == Exit.DONE
    assert [one["request"]["schedule"] for one in paused.json] == [NIGHTLY]
    assert resumed.json == []
    assert [one.kind for one in made(ledger)] == [RequestKind.PAUSE]
    assert someone.recur("pause").code == Exit.USAGE


def test_a_run_that_is_not_open_is_told_at_once(someone: Operator, ledger: ContainerClient) -> None:
    """It has ended, it did not run, or there is none: then those that may be meant are named."""
    one = record(outcome=Outcome.FAILED)
    ledger.upload_blob(one.blob, dump(one))
    skipped = replace(
        record(),
        run_id=RunId("nightly-report-20261124T070000Z"),
        nominal=datetime(2026, 11, 24, 7, tzinfo=UTC),
        decision=Decided(action=Action.SKIPPED, reason="paused", at=LONG_AGO),
    )
    ledger.upload_blob(skipped.blob, dump(skipped))
    ledger.upload_blob(ids.open_blob(RunId("nightly-report-20261125T070000Z")), b"{}")

    ended, not_run = someone.recur("stop", RUN), someone.recur("stop", skipped.run_id)
    unknown = someone.recur("stop", "nightly-report-20261125T080000Z")
    nonsense = someone.recur("stop", "x")

    assert {told.code for told in (ended, not_run, unknown, nonsense)} == {Exit.REFUSED}
    assert "has already ended: failed (exit_code)" in ended.err
    assert "did not run: skipped (paused)" in not_run.err
    assert "did you mean nightly-report-20261125T070000Z?" in unknown.err
    assert "open runs: nightly-report-20261125T070000Z" in nonsense.err
    assert made(ledger) == []


class _LosesAnswers(RequestsTransport):  # type: ignore[misc] # its module leaves it untyped
    """Sends what it is given, and loses the answers to the first few uploads."""

    lost = 0

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def send(self, request: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the transport's own types
        reply = super().send(request, **kwargs)
        if request.method == "PUT" and self.lost < self._most:
            self.lost += 1
            raise ServiceResponseError("the connection was reset")
        return reply


@pytest.fixture
def losing(containers: Containers) -> Callable[[int], ContainerClient]:
    """Return a ledger whose first uploads arrive, and their answers do not."""

    def ledger(most: int) -> ContainerClient:
        storage = BlobServiceClient.from_connection_string(
            containers.connection_string,
            transport=_LosesAnswers(most),
            retry_total=2,
            initial_backoff=0,
            increment_base=0,
        )
        return storage.get_container_client(containers.ledger)

    return ledger


def test_an_upload_whose_answer_is_lost_makes_one_request(
    losing: Callable[[int], ContainerClient], ledger: ContainerClient
) -> None:
    """The second try finds the first one's blob: the id is nobody else's."""
    request = Request(
        id=request_blobs.new_id(), kind=RequestKind.RESUME, by="eva", schedule=NIGHTLY
    )

    request_blobs.make(losing(1), request)

    assert made(ledger) == [request]


def test_an_upload_that_is_never_answered_says_how_to_look(
    losing: Callable[[int], ContainerClient], ledger: ContainerClient
) -> None:
    """It may have arrived, so nobody is told that it did not."""
    request = Request(
        id=request_blobs.new_id(), kind=RequestKind.RESUME, by="eva", schedule=NIGHTLY
    )

    with pytest.raises(CliError, match="may or may not have been made") as error:
        request_blobs.make(losing(9), request)

    assert error.value.code is Exit.UNAVAILABLE
    assert f"recur answer {request.id}" in (error.value.next_step or "")
    assert made(ledger) == [request]


def test_requests_are_public_json(ledger: ContainerClient) -> None:
    """Others may write them: the names of the fields are kept."""
    request = Request(id="1", kind=RequestKind.STOP, by="eva", schedule=NIGHTLY, run_id=RUN)

    request_blobs.make(ledger, request)

    data = json.loads(ledger.download_blob("open/request/1.json").readall())
    assert data == {
        "schema": 1,
        "id": "1",
        "kind": "stop",
        "by": "eva",
        "schedule": "nightly-report",
        "run_id": "nightly-report-20261123T070000Z",
        "force": False,
        "rerun": False,
    }
