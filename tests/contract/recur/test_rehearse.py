"""`recur rehearse` on real storage: runs take as long as the newest of their schedule did."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.ledger.record import Record, dump
from orchestrator.ledger.result import result_metadata
from recur.errors import Exit
from tests.support.history_world import Past, past
from tests.support.records import missed, ran

__all__ = ["past"]

TEXT = """
[schedules.nightly]
cron = "0 2 * * *"
command = "true"

[schedules.unknown]
cron = "0 4 * * *"
command = "true"
"""


def half_an_hour(now: datetime, days: int) -> Record:
    """Return the record of a run some days ago."""
    record = ran(now - timedelta(days=days))
    return record.with_attempt(replace(record.attempt, task_seconds=1800.0))


def test_durations_are_those_of_the_newest_runs(past: Past, tmp_path: Path) -> None:
    """Of half an hour each; a schedule without runs needs one on the command line."""
    now = datetime.now(UTC).replace(microsecond=0)
    range_ = missed(now - timedelta(days=3), now - timedelta(days=3) + timedelta(hours=2), 3)
    for record in (half_an_hour(now, 1), half_an_hour(now, 2), range_):
        past.ledger.upload_blob(record.blob, dump(record), metadata=result_metadata(record))
    file = tmp_path / "schedules.toml"
    file.write_text(TEXT)
    words = ("rehearse", str(file), "--days", "3", "--from", "2027-01-01")

    without = past.recur(*words)
    told = past.recur("--json", *words, "--duration", "unknown=5m")

    assert without.code == Exit.USAGE
    assert "is not known for 1 schedule(s): unknown" in without.err
    assert told.code == Exit.DONE
    nightly, unknown = told.json["schedules"]
    assert (nightly["runs"], nightly["node_seconds"]) == (3, 3 * 1800)
    assert (unknown["runs"], unknown["node_seconds"]) == (3, 3 * 300)
