"""What earlier versions stored: today's code reads it, and keeps what it does not know."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator import ids
from orchestrator.decisions.backfill import Reopened, claim
from orchestrator.decisions.due import Due
from orchestrator.decisions.pauses import after_failures, pause, resume
from orchestrator.decisions.plan import Decisions, plans
from orchestrator.decisions.retry import again
from orchestrator.decisions.timings import take_over
from orchestrator.document.parse import parse
from orchestrator.enums import AttemptState, Outcome
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Record, load, metadata
from orchestrator.ledger.request import Request, RequestKind
from orchestrator.ledger.results import CollectState, ScheduleResults, finished, load_collect
from orchestrator.ledger.state import SubmitState, load_submit, read_open_run
from orchestrator.ledger.versions import digest, read_version, version_metadata
from recur.schedules.document_changes import toml_values
from tests.golden.blobs import (
    EXPECTED,
    FOLDER,
    METADATA,
    UNKNOWN,
    blobs,
    injected,
    kind_of,
    lost,
    unknown_fields,
    without_unknown,
)
from tests.support.records import comes_to

VERSIONS = sorted(path for path in FOLDER.iterdir() if path.is_dir() and path.name[0] == "v")
EVERY = [
    pytest.param(name, data, id=f"{version.name}/{name}")
    for version in VERSIONS
    for name, data in blobs(version).items()
]
HOUR = timedelta(hours=1)
LATER = datetime(2027, 1, 1, tzinfo=UTC)
"""After everything in the golden ledger."""

NIGHTLY, HALF_HOURLY = ScheduleId("nightly-report"), ScheduleId("half-hourly")
V1 = blobs(FOLDER / "v1")


def unknowing(name: str) -> bytes:
    """Return a golden blob with unknown fields in each of its objects."""
    return injected(V1[name])


def submit_state() -> SubmitState:
    return load_submit(unknowing(ids.SUBMIT_STATE))


def open_records() -> list[Record]:
    return [load(unknowing(name)) for name in V1 if ids.open_run_id(name)]


def holding(file: str) -> list[Path]:
    """Return the versions that stored something new of this kind; the first holds every kind."""
    found = [version for version in VERSIONS if (version / file).exists()]
    assert VERSIONS[0] in found
    return found


@pytest.mark.parametrize(("name", "data"), EVERY)
def test_each_stored_field_is_read_and_written_with_its_value(name: str, data: bytes) -> None:
    """Nothing of it is unknown to today's code, nothing is dropped, no value changes."""
    kind = kind_of(name)

    assert unknown_fields(kind.load(data)) == []
    assert list(lost(json.loads(data), json.loads(kind.rewrite(data)))) == []


@pytest.mark.parametrize(("name", "data"), EVERY)
def test_unknown_fields_survive_a_rewrite_at_every_level(name: str, data: bytes) -> None:
    """Each object keeps them beside its own; a second rewrite changes no byte."""
    kind = kind_of(name)
    given = injected(data)

    value, written = kind.load(given), kind.rewrite(given)

    assert list(without_unknown(value)) == []
    assert list(lost(json.loads(given), json.loads(written))) == []
    assert kind.rewrite(written) == written
    assert value == kind.load(data), "unknown fields make no value differ"


@pytest.mark.parametrize("version", holding(METADATA), ids=lambda version: version.name)
def test_stored_names_and_metadata_are_those_of_today(version: Path) -> None:
    """Records lie where today's code looks, and the work list says what the record says."""
    found = blobs(version)
    stored = json.loads((version / METADATA).read_text())
    for name in found:
        if name.startswith(ids.FINAL_PREFIX):
            record = load(found[name])
            assert record.blob == name
            assert record.range or ids.blob_of(record.run_id) == name
        elif ids.open_run_id(name):
            record = load(found[name])
            attempt, line = record.attempt, read_open_run(name, stored[name])
            assert line is not None
            assert list(lost(stored[name], metadata(record))) == []
            assert (line.run_id, line.schedule) == (record.run_id, record.schedule)
            assert (line.nominal, line.kind) == (record.nominal, record.kind)
            assert (line.forced, line.stop) == (record.forced, record.stop is not None)
            assert (line.state, line.attempt) == (attempt.state, attempt.number)
            assert (line.not_before, line.after) == (attempt.not_before, attempt.after)
            assert line.blocked == (attempt.blocked is not None)
            assert line.untried == (attempt.after is not None and attempt.ready is None)


@pytest.mark.parametrize("version", holding(EXPECTED), ids=lambda version: version.name)
def test_a_stored_document_means_what_it_meant(version: Path) -> None:
    """Each schedule has the values that it had, those of [defaults] included."""
    document = parse((version / ids.DOCUMENT).read_text())
    expected = json.loads((version / EXPECTED).read_text())

    assert document.problems == ()
    assert document.schedules.keys() == expected.keys()
    for id_, schedule in document.schedules.items():
        assert list(lost(expected[id_], toml_values(schedule))) == []


def test_stored_versions_of_a_document_form_the_chain_that_they_formed() -> None:
    """Who, why and what was before; content and digest belong together."""
    folder = FOLDER / "v5"
    stored = json.loads((folder / METADATA).read_text())
    names = {number: ids.version_blob(number) for number in range(1, 5)}

    versions = {number: read_version(name, stored[name]) for number, name in names.items()}

    for number, version in versions.items():
        assert version.number == number
        assert version.sha256 == digest((folder / names[number]).read_bytes())
        assert version_metadata(version) == stored[names[number]]
    before = [version.before and version.before.number for version in versions.values()]
    assert before == [None, 1, 2, 3]
    assert [version.by for version in versions.values()] == ["someone", "someone", "eva", None]
    assert versions[3].note == "Shut at 3:40: the bank's day is longer"
    assert load_submit(blobs(folder)[ids.SUBMIT_STATE]).version == 4


def test_unknown_fields_of_a_schedule_survive_what_the_submit_pass_does() -> None:
    """Changed and removed tables, pauses and their ends, and decisions."""
    state = submit_state()
    at = LATER
    document = parse('[schedules.half-hourly]\nevery = "15m"\ncommand = "true"\n')
    table = replace(document.schedules[HALF_HOURLY], pause_after_failures=1)
    ask = Request(id="a", kind=RequestKind.PAUSE, by="me", schedule=HALF_HOURLY)

    changed = take_over(
        state, document.schedules, frozenset({NIGHTLY}), document="new", modified=at
    )
    one = changed.schedules[HALF_HOURLY]
    one = pause(one, ask, at)
    one = resume(one, replace(ask, id="b"), at + HOUR, ScheduleResults())
    one = after_failures(one, table, ScheduleResults(failed=(ids.run_id(HALF_HOURLY, at),)))
    changed = replace(changed, schedules={**changed.schedules, HALF_HOURLY: one})
    due = Decisions(schedule=table, due=Due(occurrences=(), until=at + 2 * HOUR), decisions=())
    (written,) = plans(changed, {HALF_HOURLY: due}, CollectState(), now=at + 2 * HOUR)

    assert written.extra == UNKNOWN
    for id_, before in state.schedules.items():
        after = written.schedules[id_]
        assert after.extra == UNKNOWN, id_
        kept = after.timings[: len(before.timings)]
        assert list(without_unknown(kept, id_)) == []
        assert list(without_unknown(after.pauses[: len(before.pauses)], id_)) == []
    assert len(one.pauses) == len(state.schedules[HALF_HOURLY].pauses) + 2


def test_unknown_fields_make_no_new_timing() -> None:
    """A document whose timing is in force changes nothing, whatever a later version added."""
    text = (FOLDER / "v1" / ids.DOCUMENT).read_text()
    state, document = submit_state(), parse(text)
    at = LATER

    after = take_over(
        state,
        document.schedules,
        frozenset(state.schedules.keys() - document.schedules.keys()),
        document="touched",
        modified=at,
    )

    assert after.schedules == state.schedules
    assert list(without_unknown(after.schedules)) == []


@pytest.mark.parametrize("succeeded", [True, False])
def test_unknown_fields_of_results_survive_what_the_collect_pass_does(*, succeeded: bool) -> None:
    """A success, which forgets failures, and a failure."""
    state = load_collect(unknowing(ids.COLLECT_STATE))
    record = next(one for one in open_records() if one.attempt.state is AttemptState.ENDED)

    for id_ in state.schedules:
        later = replace(record, schedule=id_, nominal=record.nominal + timedelta(days=1))
        after = finished(state, comes_to(later, succeeded=succeeded))

        assert after != state
        assert list(without_unknown(after)) == []


def test_unknown_fields_of_a_record_survive_its_next_attempt() -> None:
    """Those of the run, its task and its earlier attempts."""
    record = next(one for one in open_records() if one.attempt.state is AttemptState.ENDED)
    lost_run = record.with_attempt(replace(record.attempt, outcome=Outcome.LOST))

    following = again(lost_run, lost_run.attempt.claimed + HOUR)

    assert following is not None
    assert len(following.attempts) == len(record.attempts) + 1
    assert list(without_unknown(replace(following, attempts=record.attempts))) == []
    assert list(without_unknown(following.attempts[:-1])) == []


def test_unknown_fields_of_a_final_record_go_into_the_history_of_its_rerun() -> None:
    """The fields of the old run are the past of the new one; its attempts keep theirs."""
    name = next(name for name in V1 if name.startswith("runs/rerun/"))
    old = load(unknowing(name))
    new = load(V1[name])
    new = replace(new, attempts=new.attempts[:1], history=())

    reopened = claim(new, Reopened(old, "etag"))

    assert reopened.extra == {}
    assert len(reopened.history) == len(old.history) + 1
    assert list(without_unknown(reopened.history)) == []
    assert list(without_unknown(reopened.attempts[:-1])) == []
