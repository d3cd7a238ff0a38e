"""What a request may say, whoever wrote its blob."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from orchestrator.decisions.request_rules import broken_rule
from orchestrator.ids import RunId
from orchestrator.ledger.request import Request, RequestKind
from recur.errors import CliError, Exit
from recur.requests.options import RequestOptions
from recur.requests.request_blobs import make
from tests.support.schedules import ID

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
RUN = RunId(f"{ID}-20260601T120000Z")

GOOD: dict[RequestKind, dict[str, Any]] = {
    RequestKind.TRIGGER: {
        "key": "ticket 4711",
        "force": True,
        "environment": {"SIDE": "left"},
        "nominal": NOON,
    },
    RequestKind.BACKFILL: {"after": NOON, "until": NOON, "rerun": True},
    RequestKind.STOP: {"run_id": RUN},
    RequestKind.PAUSE: {"until": NOON},
    RequestKind.RESUME: {},
}


def _request(kind: RequestKind, **values: Any) -> Request:  # noqa: ANN401 - any field
    given = {"id": "a1", "by": "Éva@host", "schedule": ID, "note": "why", **GOOD[kind], **values}
    return Request(kind=kind, **given)


@pytest.mark.parametrize("kind", RequestKind)
def test_what_recur_asks_for_breaks_no_rule(kind: RequestKind) -> None:
    """With every field that the kind has, and with none that may be left out."""
    assert broken_rule(_request(kind), "a1") is None
    assert broken_rule(Request(id="a1", kind=kind, by="eva", schedule=ID), "a1") is None


@pytest.mark.parametrize("kind", RequestKind)
def test_fields_of_other_kinds_are_refused(kind: RequestKind) -> None:
    """Variables of a backfill, for one, would reach its tasks without having been looked at."""
    others = {name: one for values in GOOD.values() for name, one in values.items()}
    others |= {"rerun_failed": True} if kind is not RequestKind.BACKFILL else {}
    for name in others.keys() - GOOD[kind].keys():
        wrong = broken_rule(_request(kind, **{name: others[name]}), "a1")
        assert wrong == f"{name} is not a field of the request {kind}"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"id": "b2"}, "id is 'b2', but the name of its blob gives 'a1'"),
        ({"id": "../a"}, "id is '../a', but the name of its blob gives 'a1'"),
        ({"schedule": "Nightly"}, "schedule is 'Nightly', which is not a valid schedule id"),
        ({"schedule": "a\x1b[2J"}, "which is not a valid schedule id"),
        ({"by": ""}, "by must be one line of 1 to 200 visible characters"),
        ({"by": " "}, "by must be one line"),
        ({"by": "x" * 201}, "by must be one line"),
        ({"by": "eva\nrecur: all is well"}, "by must be one line"),
        ({"note": "\x1b]0;title\x07"}, "note must be one line of 1 to 1,000 visible characters"),
        ({"note": "\u202egnp.exe"}, "note must be one line"),
        ({"note": "x" * 1001}, "note must be one line"),
        ({"key": "a\x00"}, "key must be one line of 1 to 1,000 visible characters"),
        ({"nominal": NOON.replace(microsecond=1)}, "nominal must be a whole second"),
    ],
)
def test_what_the_command_line_refuses_the_tick_refuses_too(
    values: dict[str, Any], said: str
) -> None:
    """With the field; what stood in it is shown without its control characters, or not at all."""
    wrong = broken_rule(_request(RequestKind.TRIGGER, **values), "a1")

    assert wrong is not None
    assert said in wrong
    assert wrong.isprintable()


def test_a_stop_names_the_schedule_of_its_run() -> None:
    """Requests of one schedule wait for each other."""
    request = _request(RequestKind.STOP, run_id=RunId("other-20260601T120000Z"))

    assert broken_rule(request, "a1") == f"run_id belongs to schedule other, but schedule is {ID}"


def test_a_backfill_asks_for_one_kind_of_rerun() -> None:
    """Either is allowed alone; what both together would mean, nobody need guess."""
    failed = _request(RequestKind.BACKFILL, rerun=False, rerun_failed=True)
    both = _request(RequestKind.BACKFILL, rerun=True, rerun_failed=True)

    assert broken_rule(failed, "a1") is None
    assert broken_rule(both, "a1") == "rerun and rerun_failed exclude each other"


def test_the_bounds_of_a_text_may_be_reached() -> None:
    """One character more is refused above."""
    longest = _request(RequestKind.TRIGGER, by="x" * 200, note="x" * 1000, key="x" * 1000)

    assert broken_rule(longest, "a1") is None


def test_recur_makes_no_request_that_the_tick_would_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A login name, too, may be anything: it comes from the environment."""
    monkeypatch.setenv("LOGNAME", "\x1b]0;title\x07")
    who = RequestOptions.of(None, None, seconds=None)
    request = replace(_request(RequestKind.RESUME), by=who.by)

    with pytest.raises(CliError, match="by must be one line") as refused:
        make(cast("Any", None), request)  # storage is not reached

    assert refused.value.code is Exit.USAGE
    assert refused.value.next_step == "give your name with --by NAME"
