"""Requests and answers as JSON."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId
from orchestrator.ledger.request import (
    Answer,
    Request,
    RequestKind,
    Status,
    dump_answer,
    dump_request,
    load_answer,
    load_request,
)
from tests.support.schedules import ID

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
REQUEST = Request(
    id="a1", kind=RequestKind.BACKFILL, by="eva", schedule=ID, after=NOON, until=NOON, rerun=True
)
ANSWER = Answer(
    request=REQUEST,
    made=NOON,
    at=NOON,
    status=Status.DONE,
    sentence="Done.",
    runs=(RunId("nightly-20260601T120000Z"),),
)


def test_requests_and_answers_are_read_back() -> None:
    """What is not said of them is not written."""
    assert load_request(dump_request(REQUEST)) == REQUEST
    assert load_answer(dump_answer(ANSWER)) == ANSWER
    assert b"note" not in dump_request(REQUEST)
    assert dump_answer(replace(ANSWER, request=None)).endswith(b"\n")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("schema", "2", "a request of schema 2; this version reads 1"),
        ("kind", '"dance"', "not a request: kind: Input should be 'trigger'"),
        ("by", f'"{"x" * 1001}"', "not a request: by: String should have at most 1000 characters"),
        ("until", '"2026-06-01T12:00:00"', "not a request: until: Input should have timezone info"),
        ("until", '"1969-12-31T23:59:59Z"', "must lie between the years 1970 and 2200"),
        ("until", '"2201-01-01T00:00:00Z"', "must lie between the years 1970 and 2200"),
        ("until", "1780000000", "not a request: until: Value error, must be a time such as"),
        ("until", '"1780000000"', "not a request: until: Value error, must be a time such as"),
        ("force", '"yes"', "not a request: force: Input should be a valid boolean"),
        ("rerun", "1", "not a request: rerun: Input should be a valid boolean"),
        ("environment", '{"A": 1}', "not a request: environment.A: Input should be a valid string"),
        ("environment", '{"\\u001b[2J": 1}', r"not a request: 'environment\.\\x1b\[2J': Input"),
        ("note", f'"{"x" * 300_000}"', "not a request: it has more than 256 KiB"),
    ],
)
def test_a_bad_request_says_what_is_wrong(key: str, value: str, said: str) -> None:
    """With its field."""
    text = f'{{"id": "a1", "kind": "trigger", "by": "eva", "schedule": "ab", "{key}": {value}}}'
    with pytest.raises(RecordUnreadable, match=said):
        load_request(text.encode())


def test_a_bad_answer_is_called_one() -> None:
    """It is not a bad request."""
    with pytest.raises(RecordUnreadable, match=r"^not an answer: made: "):
        load_answer(b"{}")


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00+00:00", "2200-12-31T23:59:59+00:00"])
def test_times_of_the_first_and_the_last_year_are_taken(time: str) -> None:
    """With an offset they are told in UTC."""
    instant = datetime.fromisoformat(time)
    assert load_request(dump_request(replace(REQUEST, after=instant))).after == instant
