"""Records and outputs that try to steer the terminal of whoever looks at them."""

import json
import re
from dataclasses import replace

import pytest

from orchestrator import ids
from orchestrator.enums import Outcome, Reason
from orchestrator.ledger.record import How, LastWords, Output, Record
from tests.support.history_world import Past, nights, past
from tests.support.records import NIGHTLY, TASK, ran
from tests.support.terminal import at_a_terminal, read_until

__all__ = ["past"]

TITLE = "\x1b]0;owned\x07\x9b2J\u202e"
ESCAPED = r"\x1b]0;owned\x07\x9b2J\u202e"
FORGED = "\nnightly-20260101T000000Z: succeeded [red]all is well[/red]"
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


def _hostile() -> Record:
    record = ran(nights(2), Outcome.FAILED, Reason.EXIT_CODE)
    record = record.with_attempt(
        replace(record.attempt, sentence=f"It failed.{TITLE}{FORGED}", node=f"node{TITLE}")
    )
    return replace(
        record,
        sentence=f"It failed.{TITLE}{FORGED}",
        by=f"eva{TITLE}{FORGED}",
        note=f"why{TITLE}{FORGED}",
        request="a1",
        parameters={"SIDE": f"left{TITLE}{FORGED}"},
        task=replace(TASK, command=f"echo{TITLE}{FORGED}\n  batch         job completed"),
        outputs=(
            Output(path="stdout.txt", bytes=3, how=How.PUSHED),
            Output(path=f"files/{TITLE}{FORGED}.csv", how=How.MISSING, why=f"gone{TITLE}{FORGED}"),
        ),
        unmatched=(f"*{TITLE}{FORGED}",),
        last_words=LastWords(stderr=f"oh{TITLE}"),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", ids.run_id(NIGHTLY, nights(2))),
        ("explain", "nightly", nights(2).isoformat()),
        ("runs", "nightly"),
        ("--json", "show", ids.run_id(NIGHTLY, nights(2))),
    ],
    ids=["show", "explain", "runs", "json"],
)
def test_a_hostile_record_is_shown_in_plain_text(past: Past, arguments: tuple[str, ...]) -> None:
    """Its command, its file names, who asked for it and why: no control, no line of their own."""
    past.nightly(since=nights(9), decided_until=nights(1))
    past.put(_hostile())

    told = past.recur(*arguments)

    assert not CONTROLS.search(told.out + told.err)
    assert FORGED not in told.out
    if arguments[0] == "show":
        assert rf"echo{ESCAPED}" in told.out
        assert "[red]all is well[/red]" in told.out
        assert f"\n{' ' * 18}batch         job completed\n" in told.out, "behind the indent"


def test_an_output_reaches_a_pipe_as_it_is_and_a_terminal_as_text(past: Past) -> None:
    """A program reads the bytes; a person sees what they would have done."""
    data = f"one\r\n{TITLE}two\tZürich\n".encode() + b"\xff\n"
    past.nightly(since=nights(9), decided_until=nights(1))
    record = replace(
        _hostile(), outputs=(Output(path="stdout.txt", bytes=len(data), how=How.PUSHED),)
    )
    past.put(record)
    folder = ids.output_prefix(record.schedule, record.nominal, record.run_id, 1)
    past.outputs.upload_blob(f"{folder}stdout.txt", data)

    piped = past.recur("logs", record.run_id)
    with at_a_terminal(past.someone, "logs", record.run_id) as (terminal, _):
        shown = read_until(terminal, r"\xff")

    assert piped.raw == data
    assert not CONTROLS.search(shown.replace("\r\n", "\n").replace("\t", " "))
    assert f"{ESCAPED}two" in shown
    assert json.loads(past.recur("--json", "logs", record.run_id).out)["text"] is None
