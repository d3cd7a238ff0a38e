"""A change of holidays that moves an occurrence over the present is named: it would be lost, or run twice."""

from datetime import UTC, datetime

import pytest

from orchestrator.document.parse import parse
from orchestrator.errors import Problem
from recur.errors import CliError, Exit
from recur.output import Printer
from recur.schedules.moves import confirm_moves, moves_over_now

NOW = datetime(2026, 12, 24, 12, tzinfo=UTC)  # a Thursday; the 25th is a Friday
NONE: tuple[Problem, ...] = ()


def moves(before: str, after: str, now: datetime = NOW, cron: str = "0 9 * * *") -> list[str]:
    """Return what is named where a schedule changes its keys of holidays, as `keys; dates`."""
    old, new = (parse(_text(one, cron)) for one in (before, after))
    assert old.problems == new.problems == NONE
    found = moves_over_now(old if before != "none" else None, new, now)
    return [f"{one.origin:%d %H} > {one.to:%d %H}{' again' if one.again else ''}" for one in found]


def _text(keys: str, cron: str) -> str:
    policy, _, dates = keys.partition(": ")
    text = f'[schedules.one]\ncron = "{cron}"\ncommand = "true"\n'
    if not dates:
        return text
    days = ", ".join(f"2026-12-{day}" for day in dates.split())
    return f'{text}holidays = ["x"]\non_holiday = "{policy}"\n[calendars.x]\ndates = [{days}]\n'


NEXT, BACK = "next_working_day", "previous_working_day"


@pytest.mark.parametrize(
    ("before", "after", "cron", "expected"),
    [
        # The 25th moves back to this morning: nothing would run for it
        ("", f"{BACK}: 25", "0 9 25 * *", ["25 09 > 24 09"]),
        ("none", f"{BACK}: 25", "0 9 25 * *", ["25 09 > 24 09"]),
        ("skip: 25", f"{BACK}: 25", "0 9 25 * *", ["25 09 > 24 09"]),
        ("", f"{BACK}: 25", "0 9,17 25 * *", ["25 09 > 24 09"]),
        # Behind one that ran this morning
        ("", f"{BACK}: 25", "0 9 * * *", ["25 09 > 24 09"]),
        # Still to come this afternoon
        ("", f"{BACK}: 25", "0 17 25 * *", []),
        ("", "skip: 25", "0 9 25 * *", []),
        ("", f"{NEXT}: 25", "0 9 25 * *", []),
        (f"{BACK}: 25", f"{BACK}: 25", "0 9 25 * *", []),
        # What ran this morning moves to the 25th and would run once more
        ("", f"{NEXT}: 24", "0 9 24 * *", ["24 09 > 25 09 again"]),
        ("", f"{NEXT}: 24", "0 17 24 * *", []),
        ("", f"{NEXT}: 24", "0 9 * * *", []),
        ("skip: 24", f"{NEXT}: 24", "0 9 24 * *", []),
        # What moved back to this morning and ran is no holiday any more
        (f"{BACK}: 25", "", "0 9 25 * *", ["25 09 > 25 09 again"]),
        (f"{BACK}: 25", "skip: 25", "0 9 25 * *", []),
        # What moved on from yesterday to tomorrow now moves back
        (f"{NEXT}: 23 24", f"{BACK}: 23 24", "0 9 23 * *", ["23 09 > 22 09"]),
        (f"{NEXT}: 23", f"{NEXT}: 23 24", "0 9 23 * *", ["23 09 > 25 09 again"]),
    ],
)  # fmt: skip
def test_what_moves_over_the_present_is_named(
    before: str, after: str, cron: str, expected: list[str]
) -> None:
    """And nothing else: what stays on one side of it is decided as every change is."""
    assert moves(before, after, cron=cron) == expected


def test_without_holidays_nothing_moves() -> None:
    """Whatever else changes."""
    text = '[schedules.one]\nevery = "1h"\ncommand = "true"\n'
    assert moves_over_now(parse(_text("", "0 9 * * *")), parse(text), NOW) == ()
    assert moves_over_now(parse(text), parse(_text("", "0 9 * * *")), NOW) == ()


def test_it_is_asked_for_where_nobody_can_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """Elsewhere than on a terminal an option says that it is meant."""
    old, new = parse(_text("", "* 9 25 * *")), parse(_text(f"{BACK}: 25", "* 9 25 * *"))
    found = moves_over_now(old, new, NOW)
    printer = Printer(as_json=False)

    assert len(found) == 60
    with pytest.raises(CliError) as refused:
        confirm_moves(printer, found, accepted=False)
    assert refused.value.code == Exit.USAGE
    assert "--moved" in str(refused.value.next_step)
    capsys.readouterr()
    confirm_moves(printer, found, accepted=True)
    confirm_moves(printer, (), accepted=False)
    told = capsys.readouterr().out.splitlines()
    assert (
        told[0]
        == "one of 2026-12-25 09:00 moves to 2026-12-24 09:00, which is in the past: it will not run"
    )
    assert told[-1] == "and 55 more"
