"""`recur apply` of holidays that move occurrences over the present, on real storage."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.storage.blob import ContainerClient

from orchestrator.ids import DOCUMENT
from recur.errors import Exit
from tests.support.operator import Operator

DAILY = '[schedules.daily]\ncron = "0 0 * * *"\ncommand = "true"\n'


def with_holidays() -> str:
    """Write a document in which tomorrow's midnight, and the next one's, would have been earlier."""
    today = datetime.now(UTC).date()
    days = ", ".join(f"{today + timedelta(days=n)}" for n in (1, 2))
    return (
        f'{DAILY}holidays = ["bank"]\non_holiday = "previous_working_day"\nweekend = []\n'
        f"[calendars.bank]\ndates = [{days}]\n"
    )


def test_what_holidays_move_into_the_past_is_asked_for(
    someone: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """Named, and refused where nobody can answer; a dry run only names it."""
    file = tmp_path / "schedules.toml"
    file.write_text(DAILY)
    someone.recur("apply", str(file))
    file.write_text(with_holidays())

    refused = someone.recur("apply", str(file))
    dry = someone.recur("apply", str(file), "--dry-run")

    assert refused.code == Exit.USAGE
    assert "nothing was applied" in refused.err
    assert dry.code == Exit.DONE
    assert "which is in the past: it will not run" in dry.out
    assert ledger.download_blob(DOCUMENT).readall().decode() == DAILY

    applied = someone.recur("--json", "apply", str(file), "--moved")

    assert applied.code == Exit.DONE
    assert {(one["schedule"], one["again"]) for one in applied.json["moves"]} == {("daily", False)}
    assert ledger.download_blob(DOCUMENT).readall().decode() == file.read_text()
