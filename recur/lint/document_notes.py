"""What is valid in a schedule and yet may not be meant: notes that never keep it from running."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from orchestrator.document.parse import Document, merged, read
from orchestrator.duration_text import duration_text
from orchestrator.enums import CatchUpMode, Outcome, Overlap
from orchestrator.model import Prices, Schedule
from recur.lint.command_notes import command_notes, environment_notes
from recur.lint.command_secrets import secret_in_command
from recur.lint.notes import (
    Code,
    KeyNote,
    Note,
    key_note,
    most_within,
    shortest_period,
    timing_key,
    usual_distance,
)
from recur.lint.recurrence_notes import recurrence_notes
from recur.lint.secret_patterns import looks_secret
from recur.progress import Advance

# How long a pool from zero needs for its first node: it is evaluated every 5 minutes
# (autoScaleEvaluationInterval in infra/pool/pool.json), and a virtual machine and the start task
# take some minutes more; 5 to 15 together is usual.
COLD_START = timedelta(minutes=10)
_COLD_START = duration_text(COLD_START)
_STORM = 5
_LONGEST_OUTAGE, _YEAR = timedelta(days=30), timedelta(days=365)
_KEY_VAULT = "the ledger shows it; let the job read it from Key Vault (docs/data-and-secrets.md)"


def lint(
    text: str, document: Document, now: datetime, *, advance: Advance = lambda _: None
) -> list[Note]:
    """
    Return the notes on all schedules of a document, and on its prices.

    Args:
        text: The document.
        document: The same, read.
        now: From when on schedules are to come due.
        advance: Is called with the number of schedules that were looked at since the last call.
    """
    content = read(text)
    defaults: Mapping[str, object] = content.get("defaults", {})
    found: list[Note] = []
    for id_, schedule in document.schedules.items():
        table = merged(content["schedules"][id_], defaults)
        found += (
            Note(code=code, schedule=id_, key=key, message=message)
            for code, key, message in _schedule_notes(schedule, table, now)
        )
        advance(1)
    found += (
        Note(code=code, schedule=None, key=key, message=message)
        for code, key, message in _price_notes(document.prices)
    )
    return found


def _price_notes(prices: Prices | None) -> Iterator[KeyNote]:
    """Note Spot nodes that cost as much as dedicated ones, as where both prices are swapped."""
    if prices is None:
        return
    tables = {"": prices.every, **{f"pools.{pool}.": one for pool, one in prices.pools.items()}}
    for place, one in tables.items():
        if one.spot is not None and one.dedicated is not None and one.spot >= one.dedicated > 0:
            yield key_note(
                Code.SPOT_DEARER,
                f"{place}spot",
                f"is {one.spot:g}, and a dedicated node costs {one.dedicated:g}: Spot nodes cost "
                "less; check whether the two are swapped",
            )


def _schedule_notes(
    schedule: Schedule, table: Mapping[str, object], now: datetime
) -> Iterator[KeyNote]:
    yield from recurrence_notes(schedule, table, now)
    period = shortest_period(schedule.recurrence)
    if period:
        yield from _period(schedule, period)
        yield from _catch_up_notes(schedule, period)
        yield from _retries(schedule, period)
    yield from _window(schedule)
    yield from _start_timeout(schedule)
    yield from command_notes(schedule.command)
    yield from environment_notes(schedule.environment)
    if schedule.retries.exit_codes and Outcome.FAILED not in schedule.retries.on:
        yield key_note(
            Code.EXIT_CODES_UNUSED,
            "retries.exit_codes",
            'failed runs are not retried; add "failed" to retries.on, or leave exit_codes out',
        )
    yield from _secret_notes(schedule)


def _period(schedule: Schedule, period: timedelta) -> Iterator[KeyNote]:
    """Note what does not fit between two occurrences."""
    key = timing_key(schedule.recurrence)
    if period <= COLD_START and schedule.overlap is Overlap.REPLACE:
        yield key_note(
            Code.REPLACED_TOO_SOON,
            "overlap",
            f"each run is replaced after {duration_text(period)}, but an empty pool needs about {_COLD_START} "
            "for its first node",
        )
    elif period < COLD_START:
        yield key_note(
            Code.SHORT_PERIOD,
            key,
            f"is due every {duration_text(period)}; an empty pool needs about {_COLD_START} for a node: "
            "Batch evaluates it every 5 minutes",
        )
    if schedule.overlap is Overlap.SKIP and schedule.run_timeout > period:
        lost = int(schedule.run_timeout / period)
        yield key_note(
            Code.TIMEOUT_OVER_PERIOD,
            "run_timeout",
            f"is {duration_text(schedule.run_timeout)}, but the next can be due after {duration_text(period)}: "
            f"one hanging run can cause {lost:,} skips",
        )
    if schedule.jitter > period:
        yield key_note(
            Code.JITTER_CUT,
            "jitter",
            f"is limited to the time until the next occurrence, which can be {duration_text(period)}",
        )


def _start_timeout(schedule: Schedule) -> Iterator[KeyNote]:
    """Note that no run can wait for a node."""
    if schedule.start_timeout < COLD_START:
        yield key_note(
            Code.SHORT_START_TIMEOUT,
            "start_timeout",
            f"is {duration_text(schedule.start_timeout)}, but an empty pool needs about {_COLD_START} for its first "
            "node: runs end as never_started",
        )


def _window(schedule: Schedule) -> Iterator[KeyNote]:
    """Note that an outage can leave out an occurrence for which nothing stands until the next."""
    policy, recurrence = schedule.catch_up, schedule.recurrence
    if policy.mode is CatchUpMode.NONE or policy.window >= _LONGEST_OUTAGE:
        return
    distance = usual_distance(recurrence)
    if (recurrence.cron or recurrence.every) and policy.window < distance:
        yield key_note(
            Code.WINDOW_UNDER_PERIOD,
            "catch_up.window",
            f"is {duration_text(policy.window)}, and occurrences are {_days(distance)} apart: after a longer "
            "outage, one is not caught up",
        )


def _days(distance: timedelta) -> str:
    return duration_text(distance) if distance < _YEAR else "a year or more"


def _catch_up_notes(schedule: Schedule, period: timedelta) -> Iterator[KeyNote]:
    """Note how many runs an outage lets begin at once."""
    policy = schedule.catch_up
    if policy.mode is not CatchUpMode.ALL:
        return
    together = min(policy.max, int(policy.window / period))
    together = most_within(schedule.recurrence, policy.window, together) if together > 1 else 0
    if together <= 1:
        return
    if schedule.overlap is Overlap.REPLACE:
        yield key_note(
            Code.CATCH_UP_LAST_ONLY,
            "catch_up.mode",
            f"{together} runs are claimed at once, and each replaces the one before: only the newest finishes, "
            'as with "latest"',
        )
        return
    room = {
        Overlap.SKIP: 1,
        Overlap.QUEUE: 1 + schedule.max_queued,
        Overlap.ALLOW: schedule.max_parallel,
    }[schedule.overlap]
    if room < together:
        yield key_note(
            Code.CATCH_UP_FIRST_ONLY,
            "catch_up.mode",
            f'of {together} late occurrences, "{schedule.overlap}" runs the oldest {room} and skips the '
            'rest; "latest" runs the newest',
        )
    if min(room, together) >= _STORM:
        yield key_note(
            Code.CATCH_UP_STORM,
            "catch_up.max",
            f"after an outage of {duration_text(policy.window)} or less, {min(room, together)} runs are "
            'claimed at once; lower it, or use "latest"',
        )


def _retries(schedule: Schedule, period: timedelta) -> Iterator[KeyNote]:
    """Note attempts that could only begin when the next occurrence is due already."""
    retries = schedule.retries
    if not retries.max or schedule.overlap is Overlap.QUEUE:
        return
    before = {
        Outcome.NEVER_STARTED: schedule.start_timeout,
        Outcome.TIMED_OUT: schedule.run_timeout,
    }
    late = [one for one in retries.on if before.get(one, timedelta()) + retries.backoff >= period]
    if late:
        yield key_note(
            Code.RETRY_TOO_LATE,
            "retries",
            f"after {' or '.join(late)} no retry can start before the next occurrence, "
            f"{duration_text(period)} later",
        )


def _secret_notes(schedule: Schedule) -> Iterator[KeyNote]:
    """Note what everybody who may read the ledger would read."""
    for name, value in schedule.environment.items():
        if looks_secret(name, value):
            yield key_note(
                Code.SECRET,
                f"environment.{name}",
                f"looks like a secret: {_KEY_VAULT}",
            )
    if secret_in_command(schedule.command):
        yield key_note(
            Code.SECRET,
            "command",
            f"contains what looks like a secret: {_KEY_VAULT}",
        )


def note_lines(notes: Sequence[Note]) -> Iterator[str]:
    """Yield the lines that tell people of notes."""
    if notes:
        yield f"{len(notes)} note(s), which do not keep anything from running:"
        yield from (f"  {one}" for one in notes)
