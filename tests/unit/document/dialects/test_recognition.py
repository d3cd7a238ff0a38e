"""Lines of other schedulers: whose they are, and the keys of ours that say the same."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.document.dialects.reading import keys, missing, next_walls
from orchestrator.document.dialects.recognition import readings
from orchestrator.document.parse import parse
from orchestrator.model import Recurrence
from orchestrator.timing.placement import placements
from tests.support.foreign_cron import ForeignCron


def _written(line: str) -> list[tuple[str, str]]:
    """Return whose a line is and what to write instead, for each of its readings."""
    return [
        (one.dialect, "\n".join(f"{key} = {value}" for key, value in keys(one)))
        for one in readings(line)
    ]


@pytest.mark.parametrize(
    ("line", "dialect", "written"),
    [
        ("0 12 1 * ? *", "EventBridge", 'cron = "0 12 1 * *"'),
        ("cron(0 18 ? * MON-FRI *)", "EventBridge", 'cron = "0 18 * * MON-FRI"'),
        ("cron(0/5 8-17 ? * 2-6 *)", "EventBridge", 'cron = "*/5 8-17 * * MON-FRI"'),
        ("cron(0 9 ? * 2#1 *)", "EventBridge", 'cron = "0 9 * * MON#1"'),
        ("cron(0 9 ? * 6L *)", "EventBridge", 'cron = "0 9 * * 5L"'),
        ("cron(0 10 L * ? *)", "EventBridge", 'cron = "0 10 L * *"'),
        ("CRON(0 8 1 JAN,JUL ? *)", "EventBridge", 'cron = "0 8 1 JAN,JUL *"'),
        (
            "cron(0 8 1 * ? 2026/1)",
            "EventBridge",
            'cron = "0 8 1 * *"\nstart = 2026-01-01T00:00:00Z',
        ),
        (
            "cron(15 10 ? * 6L 2027-2028)",
            "EventBridge",
            'cron = "15 10 * * 5L"\nstart = 2027-01-01T00:00:00Z\nend = 2029-01-01T00:00:00Z',
        ),
        (
            "cron(0 8 1 * ? 1990-2030)",
            "EventBridge",
            'cron = "0 8 1 * *"\nend = 2031-01-01T00:00:00Z',
        ),
        ("cron(30 8 24 12 ? 2027)", "EventBridge", "at = [2027-12-24T08:30:00]"),
        ("at(2026-12-24T18:00:30)", "EventBridge", "at = [2026-12-24T18:00:00]"),
        ("at(2026-12-24T18:00:00-05:00)", "EventBridge", "at = [2026-12-24T23:00:00]"),
        ("at(2026-12-24T18:00:00.5Z)", "EventBridge", "at = [2026-12-24T18:00:00]"),
        ("at(2200-12-31T23:59:00)", "EventBridge", "at = [2200-12-31T23:59:00]"),
        (
            "TZ=Asia/Tokyo at(2026-12-24T18:00:00Z)",
            "EventBridge",
            'at = [2026-12-25T03:00:00]\ntime_zone = "Asia/Tokyo"',
        ),
        ("rate(5 minutes)", "EventBridge", 'every = "5m"'),
        ("1.00:00:00", "NCRONTAB", 'every = "1d"'),
        ("25:00:00:00", "NCRONTAB", 'every = "25d"'),
        ("rate(1 hour)", "EventBridge", 'every = "1h"'),
        ("rate(7 days)", "EventBridge", 'every = "7d"'),
        ("0 0 2 ? * 2#1", "Quartz", 'cron = "0 2 * * MON#1"'),
        ("0 0 12 * * ?", "Quartz", 'cron = "0 12 * * *"'),
        ("0 15 10 ? * 2-6", "Quartz", 'cron = "15 10 * * MON-FRI"'),
        ("0 15 10 ? * 6L", "Quartz", 'cron = "15 10 * * 5L"'),
        ("0 15 10 ? * FRIL", "Quartz", 'cron = "15 10 * * 5L"'),
        ("0 0 9 ? * L", "Quartz", 'cron = "0 9 * * SAT"'),
        ("0 0 9 ? * 1,7", "Quartz", 'cron = "0 9 * * SUN,SAT"'),
        ("0 0 9 ? * 2/2", "Quartz", 'cron = "0 9 * * MON,WED,FRI"'),
        ("0 0 2 ? * MON-2", "Quartz", 'cron = "0 2 * * MON"'),
        ("0 0 2 ? * 2-MON", "Quartz", 'cron = "0 2 * * MON"'),
        ("0 0 2 ? * MON-MONDAY", "Quartz", 'cron = "0 2 * * MON"'),
        ("0 0 2 ? * 1-7", "Quartz", 'cron = "0 2 * * *"'),
        ("15 0 9 * * 0-7", "NCRONTAB", 'cron = "0 9 * * *"'),
        ("15 0 9 * * SUN-7", "NCRONTAB", 'cron = "0 9 * * *"'),
        ("15 0 9 * * 7-SUN", "NCRONTAB", 'cron = "0 9 * * SUN"'),
        ("15 0 9 * * 0-SUN", "NCRONTAB", 'cron = "0 9 * * SUN"'),
        ("15 0 9 * * MON-1", "NCRONTAB", 'cron = "0 9 * * MON"'),
        ("15 0 9 * * 7-2", "NCRONTAB", 'cron = "0 9 * * SUN-TUE"'),
        ("15 0 22-2 * * FRI-MON", "NCRONTAB", 'cron = "0 2-22 * * MON-FRI"'),
        ("15 0 22-2/5 * Dec-Feb *", "NCRONTAB", 'cron = "0 2-22/5 * FEB-DEC *"'),
        ("0 0 9 ? * FRI-MON", "Quartz", 'cron = "0 9 * * MON,FRI,SAT,SUN"'),
        ("0 0 22-6/2 * * ?", "Quartz", 'cron = "0 0,2,4,6,22 * * *"'),
        ("0 0 9 LW * ?", "Quartz", 'cron = "0 9 LW * *"'),
        ("0 0 9 15W * ?", "Quartz", 'cron = "0 9 15W * *"'),
        ("0 0 9 L-3 * ?", "Quartz", 'cron = "0 9 L-3 * *"'),
        ("0 0 9 L-3W * ?", "Quartz", 'cron = "0 9 L-3W * *"'),
        ("0 0 9 24 DEC ? 2026", "Quartz", "at = [2026-12-24T09:00:00]"),
        (
            "0 0 9 L DEC ? 2026",
            "Quartz",
            'cron = "0 9 L DEC *"\nstart = 2026-01-01T00:00:00Z\nend = 2027-01-01T00:00:00Z',
        ),
        ("0 0 12 1/5 * ?", "Quartz", 'cron = "0 12 */5 * *"'),
        ("0 5/20 9-17 ? * MON", "Quartz", 'cron = "5-59/20 9-17 * * MON"'),
        ("0 0 2 * * ? *", "Quartz", 'cron = "0 2 * * *"'),
        ("0 0 2 ? NOV-FEB 1 *", "Quartz", 'cron = "0 2 * 1,2,11,12 SUN"'),
        ("0 0 2 ? * 0", "Go's cron", 'cron = "0 2 * * SUN"'),
        ("0 30 9 * * Monday", "NCRONTAB", 'cron = "30 9 * * MON"'),
        ("0 0 9 * January 1-5", "NCRONTAB", 'cron = "0 9 * JAN MON-FRI"'),
        ("0 */5 * * * *", "NCRONTAB", 'cron = "*/5 * * * *"'),
        ("15 0 9 * * 0", "NCRONTAB", 'cron = "0 9 * * SUN"'),
        ("15 0 9 * * 7", "NCRONTAB", 'cron = "0 9 * * SUN"'),
        ("15 0 9 * * 5-7", "NCRONTAB", 'cron = "0 9 * * FRI,SAT,SUN"'),
        (
            "15 0 9 13 * FRI",
            "NCRONTAB",
            'cron = "0 9 * * FRI"\nexcept = ["* * 1-12,14-31 * *"]',
        ),
        ("0 12 * * ?", "Kubernetes", 'cron = "0 12 * * *"'),
        ("0 12 ? * MON", "Kubernetes", 'cron = "0 12 * * MON"'),
        (
            "CRON_TZ=Europe/Paris 0 2 * * 1",
            "Kubernetes",
            'cron = "0 2 * * MON"\ntime_zone = "Europe/Paris"',
        ),
        ("TZ='Asia/Tokyo' @daily", "Kubernetes", 'cron = "0 0 * * *"\ntime_zone = "Asia/Tokyo"'),
        (
            "TZ=UTC 0 2 */2 * 1",
            "Kubernetes",
            'cron = ["0 2 */2 * *", "0 2 * * MON"]\ntime_zone = "UTC"',
        ),
        ("TZ=UTC 0 2 10,* * 1", "Kubernetes", 'cron = "0 2 * * MON"\ntime_zone = "UTC"'),
        ("cron(0 2 15 * */2)", "crontab", 'cron = "0 2 15 * */2"'),
        ("cron(0 2 15 * */2,FRI)", "crontab", 'cron = "0 2 15 * */2,TUE,THU,SAT,SUN,FRI"'),
        ("cron(0 2 */40 * MON)", "crontab", 'cron = "0 2 */40 * MON"'),
        ("cron(0 2 15 * MON,*)", "crontab", 'cron = "0 2 * * *"'),
        ("cron(0 2 1-31 * MON)", "crontab", 'cron = "0 2 * * *"'),
        ("cron(0 2 ? * */2)", "Kubernetes", 'cron = "0 2 * * TUE,THU,SAT,SUN"'),
        (
            "TZ=UTC 0 2 15 * */2",
            "Kubernetes",
            'cron = "0 2 15 * TUE,THU,SAT,SUN"\ntime_zone = "UTC"',
        ),
        ("TZ=UTC 0 2 */1 * MON", "Kubernetes", 'cron = "0 2 * * MON"\ntime_zone = "UTC"'),
        ("TZ=UTC 0 2 1-31 * 1", "Kubernetes", 'cron = "0 2 * * *"\ntime_zone = "UTC"'),
        ("TZ=UTC 0 2 13 * 1", "Kubernetes", 'cron = "0 2 13 * MON"\ntime_zone = "UTC"'),
        ("TZ=UTC @every 2h", "Go's cron", 'every = "2h"\ntime_zone = "UTC"'),
        ("@every 1h30m", "Go's cron", 'every = "1h30m"'),
        ("@every 1.5h", "Go's cron", 'every = "1h30m"'),
        ("@every 90s", "Go's cron", 'every = "1m30s"'),
        ("@every 90.5s", "Go's cron", 'every = "1m30s"'),
        ("2026-12-24T18:00", "ISO 8601", "at = [2026-12-24T18:00:00]"),
        ("2026-12-24T18:00:00Z", "ISO 8601", "at = [2026-12-24T18:00:00]"),
        ("2026-12-24T18:00:00+09:00", "ISO 8601", "at = [2026-12-24T09:00:00]"),
        ("@EVERY 1d", "Go's cron", 'every = "1d"'),
        ("@every 120000ms", "Go's cron", 'every = "2m"'),
        ("Mon..Fri 02:00", "systemd", 'cron = "0 2 * * MON-FRI"'),
        ("OnCalendar=Sat,Sun *-*-* 10:00", "systemd", 'cron = "0 10 * * SAT,SUN"'),
        (
            "Mon *-*-* 10:00 Asia/Tokyo",
            "systemd",
            'cron = "0 10 * * MON"\ntime_zone = "Asia/Tokyo"',
        ),
        ("*-*~01 06:00", "systemd", 'cron = "0 6 L * *"'),
        ("2026-12-24 18:00", "systemd", "at = [2026-12-24T18:00:00]"),
        (
            "2027-*-* 18:00 Asia/Tokyo",
            "systemd",
            """\
cron = "0 18 * * *"
time_zone = "Asia/Tokyo"
start = 2027-01-01T00:00:00+09:00
end = 2028-01-01T00:00:00+09:00""",
        ),
        ("*-*~4", "systemd", 'cron = "0 0 L-3 * *"'),
        ("*-*~03..07/2", "systemd", 'cron = "0 0 L-2,L-4,L-6 * *"'),
        ("*-*~03..06/2", "systemd", 'cron = "0 0 L-2,L-4 * *"'),
        ("*-*~5..5/2", "systemd", 'cron = "0 0 L-4 * *"'),
        ("*-*~*", "systemd", 'cron = "0 0 * * *"'),
        ("Mon *-*~*", "systemd", 'cron = "0 0 * * MON"'),
        (
            "CRON_TZ=Asia/Tokyo *-*~01..03/2 10:00",
            "systemd",
            'cron = "0 10 L,L-2 * *"\ntime_zone = "Asia/Tokyo"',
        ),
        ("quarterly", "systemd", 'cron = "0 0 1 1,4,7,10 *"'),
        ("2026/1-*-1", "systemd", 'cron = "0 0 1 * *"\nstart = 2026-01-01T00:00:00Z'),
    ],
)
def test_a_line_has_an_equivalent(line: str, dialect: str, written: str) -> None:
    """One, that our document takes."""
    assert _written(line) == [(dialect, written)]
    assert parse(f"[schedules.it]\ncommand = 'true'\n{written}\n").problems == ()


@pytest.mark.parametrize(
    ("line", "first", "second"),
    [
        ("5 0 2 * * *", ("NCRONTAB", 'cron = "0 2 * * *"'), ("Nomad", 'cron = "5 0 2 * *"')),
        (
            "0 12 ? * 2",
            ("Quartz", 'cron = "0 12 * * MON"'),
            ("Kubernetes", 'cron = "0 12 * * TUE"'),
        ),
        (
            "cron(0 2 * * 2)",
            ("Quartz", 'cron = "0 2 * * MON"'),
            ("crontab", 'cron = "0 2 * * TUE"'),
        ),
        ("0 0 2 * * 2 *", ("Quartz", 'cron = "0 2 * * MON"'), ("Nomad", 'cron = "0 2 * * TUE"')),
        ("weekly", ("systemd", 'cron = "0 0 * * MON"'), ("crontab", 'cron = "0 0 * * SUN"')),
        ("00:05:00", ("NCRONTAB", 'every = "5m"'), ("systemd", 'cron = "5 0 * * *"')),
    ],
)
def test_a_line_of_two_readings_has_both(
    line: str, first: tuple[str, str], second: tuple[str, str]
) -> None:
    """Nobody guesses which was meant."""
    assert _written(line) == [first, second]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("@every 30s", "from 1 minute"),
        ("@every 1500ms", "seconds are too fine for a document: every is from 1 minute"),
        ("@every 0.5s", "seconds are too fine for a document"),
        ("@every 59.9s", "seconds are too fine for a document"),
        ("@every 367d", "to 366 days"),
        ("rate(400 days)", "to 366 days"),
        ("at(1999-12-24T18:00:00)", "it ended before 2000"),
        ("cron(0 8 1 * ? 1990-1995)", "it ended before 2000"),
        ("at(2201-01-01T00:00:00)", "between the years 2000 and 2200"),
        ("at(9998-01-01T00:00:00)", "between the years 2000 and 2200"),
        ("at(2200-12-31T23:00:00-05:00)", "between the years 2000 and 2200"),
        ("at(9999-12-31T23:00:00-05:00)", "between the years 2000 and 2200"),
        ("at(2026-12-24)", "'2026-12-24' is not a date with a time"),
        ("TZ=EST 0 2 * * *", "did you mean 'America/New_York'?"),
        (
            "04:00 CET",
            "time zone 'CET' is not accepted: name an area and a place, or UTC; did you mean 'Europe/Paris'?",
        ),
        ("0 0 12 1 * ? 2026,2028", "cannot restrict the year to '2026,2028'"),
        ("*-*~0/2", "day of the month 0 is not from 1 to 31"),
        ("*-*~3/0", "the step of '3/0' is 0"),
        ("*-*~1..32/2", "day of the month 32 is not from 1 to 31"),
        ("OnCalendar = Mon *-*-32", "day of the month 32 is not from 1 to 31"),
        ("25:00", "hour 25 is not from 0 to 23"),
        ("22..4:00", "the range 22..4 wraps around"),
        ("0 0 24 * * ?", "hour 24 is not from 0 to 23"),
        ("0 0 24 * * ? 2027", "hour 24 is not from 0 to 23"),
        ("CRON_TZ=UTC 0 0 24 * * ?", "hour 24 is not from 0 to 23"),
        ("CRON_TZ=UTC 0 24 * * *", "hour 24 is not from 0 to 23"),
        ("cron(0 24 * * ? *)", "hour 24 is not from 0 to 23"),
        ("0 60 2 * * *", "minute 60 is not from 0 to 59"),
        ("61 0 2 * * *", "second 61 is not from 0 to 59"),
        ("0 0 2 1 * 9", "day of the week 9 is not from 0 to 7"),
        ("0 0 2 ? * MON-FRI/2", "Quartz ignores the step of MON-FRI/2"),
        ("0 0 2 1 JAN/3 ?", "Quartz ignores the step of JAN/3"),
        ("0 0 2 ? * 9", "day of the week 9 is not from 1 to 7"),
        ("0 0 2 ? * 9L", "day of the week 9 is not from"),
        ("0 0 2 ? 13 MON", "month 13 is not from 1 to 12"),
        ("0 0 2 ? * MON#6", "'MON#6' must be the first to the fifth"),
        ("0 0 2 ? * */0", "the step of '*/0' is 0"),
        ("0 0 2 */0 * ?", "the step of '*/0' is 0"),
        ("0 0 ? 1 * 2", "year 2 is not from"),
        ("Mon *-*~1 10:00", "a weekday with days counted from the end of a month"),
    ],
)
def test_a_line_without_an_equivalent_is_known(line: str, why: str) -> None:
    """It is said what our document lacks."""
    (reading,) = readings(line)

    assert why in (missing(reading) or "")
    assert keys(reading) == []


@pytest.mark.parametrize(
    "line",
    [
        *(
            "",
            "hello",
            "0 2 * *",
            "*/15 * * * *",
            "0 2 * * MON-FRI",
            "61 * * * *",
            "@daily",
            "@every",
        ),
        *(
            "@every x",
            "@every 0s",
            "@every 0ms",
            "2026-02-30T18:00",
            "61 0 2 * * run",
            "0 0 2 * * backup",
            "cron()",
            "cron(1 2 3)",
            "rate(x)",
            "May",
            "0 0 2 1 * 2 3 4",
            "00:00:00 x",
        ),
        *(
            "1-2-3-4",
            "x" * 501,
            "CRON_TZ=UTC",
            "CRON_TZ=UTC 0 2 * *",
        ),
        *(
            "CRON_TZ=UTC 5 0 2 * *  x",
            "15 0 9 L * FRI",
            "0 0 2 ? JANN *",
            "0 0 2 ,1 * ?",
        ),
    ],
)
def test_other_lines_are_left_to_our_own_messages(line: str) -> None:
    """Also those of our own dialect."""
    assert readings(line) == ()


@pytest.mark.parametrize(
    ("line", "change"),
    [
        ("15 0 9 * * 7", "due on the whole minute instead of 15 seconds later"),
        ("0/10 0 9 * * ?", "due once a minute instead of 6 times"),
        ("0 0 22-2 * * *", "NCRONTAB reads 22-2 as 2-22"),
        ("rate(5 minutes)", "counted from 2000-01-01T00:00:00Z"),
        ("*:0/10:30", "30 seconds later"),
        ("@every 90.5s", "the fraction of a second is dropped, as Go's cron does: 1m30s"),
        ("at(2026-12-24T18:00:00-05:00)", "at has no offset: 2026-12-24T18:00:00-05:00"),
    ],
)
def test_what_changes_is_said(line: str, change: str) -> None:
    """Seconds, and where an interval counts from."""
    reading, *_ = readings(line)

    assert change in " ".join(reading.changes)


_AFTER = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "elapses"),
    [
        # expression, then what `systemd-analyze calendar --iterations=3` of systemd 252 shows in UTC
        ("Mon..Fri 02:00", ("2026-11-30 02:00", "2026-12-01 02:00", "2026-12-02 02:00")),
        ("daily", ("2026-12-01 00:00", "2026-12-02 00:00", "2026-12-03 00:00")),
        ("weekly", ("2026-12-07 00:00", "2026-12-14 00:00", "2026-12-21 00:00")),
        ("quarterly", ("2027-01-01 00:00", "2027-04-01 00:00", "2027-07-01 00:00")),
        ("semiannually", ("2027-01-01 00:00", "2027-07-01 00:00", "2028-01-01 00:00")),
        ("minutely", ("2026-11-30 00:01", "2026-11-30 00:02", "2026-11-30 00:03")),
        ("Mon *-*-1..7 09:00", ("2026-12-07 09:00", "2027-01-04 09:00", "2027-02-01 09:00")),
        ("*:0/15", ("2026-11-30 00:15", "2026-11-30 00:30", "2026-11-30 00:45")),
        ("*-*~03..07/2", ("2026-12-25 00:00", "2026-12-27 00:00", "2026-12-29 00:00")),
        ("*-*~03..06/2", ("2026-12-27 00:00", "2026-12-29 00:00", "2027-01-27 00:00")),
        ("*-*~01..03/2 10:00", ("2026-11-30 10:00", "2026-12-29 10:00", "2026-12-31 10:00")),
        ("*-*~7/2", ("2026-12-25 00:00", "2026-12-27 00:00", "2026-12-29 00:00")),
        ("*-*~01", ("2026-12-31 00:00", "2027-01-31 00:00", "2027-02-28 00:00")),
        ("Mon *-05~07/1", ("2027-05-31 00:00", "2028-05-29 00:00", "2029-05-28 00:00")),
        ("Mon,Wed..Fri *-*-* 10:00", ("2026-11-30 10:00", "2026-12-02 10:00", "2026-12-03 10:00")),
        ("*-*-* 0/2:00", ("2026-11-30 02:00", "2026-11-30 04:00", "2026-11-30 06:00")),
        ("Mon", ("2026-12-07 00:00", "2026-12-14 00:00", "2026-12-21 00:00")),
        ("12-24", ("2026-12-24 00:00", "2027-12-24 00:00", "2028-12-24 00:00")),
        ("Sat,Sun 12-* 10:00", ("2026-12-05 10:00", "2026-12-06 10:00", "2026-12-12 10:00")),
        (
            "Mon *-*-* 10:00 Asia/Tokyo",
            ("2026-11-30 01:00", "2026-12-07 01:00", "2026-12-14 01:00"),
        ),
        ("*-1,4-01", ("2027-01-01 00:00", "2027-04-01 00:00", "2028-01-01 00:00")),
        ("*-*-1..10/3 8:00", ("2026-12-01 08:00", "2026-12-04 08:00", "2026-12-07 08:00")),
        ("*:*", ("2026-11-30 00:01", "2026-11-30 00:02", "2026-11-30 00:03")),
        ("Monday 3:00", ("2026-11-30 03:00", "2026-12-07 03:00", "2026-12-14 03:00")),
        ("*-*-* 5..23/6:00", ("2026-11-30 05:00", "2026-11-30 11:00", "2026-11-30 17:00")),
        ("*-*-5/10", ("2026-12-05 00:00", "2026-12-15 00:00", "2026-12-25 00:00")),
        ("*:15..45/10", ("2026-11-30 00:15", "2026-11-30 00:25", "2026-11-30 00:35")),
        ("*-*-* 00/6,3:00", ("2026-11-30 03:00", "2026-11-30 06:00", "2026-11-30 12:00")),
        ("Fri *-*-13 10:00", ("2027-08-13 10:00", "2028-10-13 10:00", "2029-04-13 10:00")),
        ("Mon..Wed *-*-22..28 6:30", ("2026-12-22 06:30", "2026-12-23 06:30", "2026-12-28 06:30")),
        ("1/5-*", ("2027-01-01 00:00", "2027-01-02 00:00", "2027-01-03 00:00")),
        ("Sun *-*~07/1 4:00", ("2026-12-27 04:00", "2027-01-31 04:00", "2027-02-28 04:00")),
        ("Wed *-*-1/2 12:00", ("2026-12-09 12:00", "2026-12-23 12:00", "2027-01-13 12:00")),
        ("Fri *-*-29..31 9:00", ("2027-01-29 09:00", "2027-04-30 09:00", "2027-07-30 09:00")),
        ("Mon,Tue *-*-8..14 1,13:05", ("2026-12-08 01:05", "2026-12-08 13:05", "2026-12-14 01:05")),
    ],
)
def test_calendar_expressions_mean_what_systemd_says(
    expression: str, elapses: tuple[str, ...]
) -> None:
    """The same instants as systemd's own."""
    reading = readings(expression)[0]

    found = [one.astimezone(UTC) for one in next_walls(reading, _AFTER)]
    assert [f"{one:%Y-%m-%d %H:%M}" for one in found] == list(elapses)


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    """Return fields with lists, ranges that may go round, and steps."""
    value, step = st.integers(low, high).map(str), st.integers(1, high).map(str)
    ends = st.tuples(value, value).map("-".join)
    whole = st.one_of(value, ends, st.just("*"))
    term = st.one_of(value, ends, st.tuples(whole, step).map("/".join))
    return st.one_of(st.just("*"), st.lists(term, min_size=1, max_size=2).map(",".join))


_DAYS = st.one_of(_field(1, 31), st.sampled_from(["L", "LW"]))
_NTH = st.tuples(st.integers(1, 7).map(str), st.integers(1, 5).map(str)).map("#".join)
_LAST = st.integers(1, 7).map(lambda one: f"{one}L")
_WEEKDAYS = st.one_of(_field(1, 7), _NTH, _LAST, st.sampled_from(["MON", "SAT,SUN", "FRI-MON"]))
_ONE_KIND_OF_DAY = st.one_of(st.tuples(_DAYS, st.just("?")), st.tuples(st.just("?"), _WEEKDAYS))
_BEGINS = st.dates(date(2026, 1, 1), date(2028, 12, 1))
_DAYS_SHOWN = 3


def _same_minutes(line: str, cron: ForeignCron, begin: date) -> None:
    """Compare three days of a line's first reading with those of its own rules."""
    reading = readings(line)[0]
    first = datetime.combine(begin, time(), UTC)
    recurrence = Recurrence(cron=reading.cron, except_=reading.except_)
    last = first + timedelta(days=_DAYS_SHOWN) - timedelta(minutes=1)
    found = placements(recurrence, after=first - timedelta(minutes=1), until=last, excluded=False)
    days = [begin + timedelta(days=n) for n in range(_DAYS_SHOWN)]
    expected = [
        first + timedelta(days=n, minutes=m)
        for n, day in enumerate(days)
        for m in cron.minutes(day)
    ]
    assert [one.nominal for one in found] == expected


@pytest.mark.no_cover
@given(
    minute=_field(0, 59),
    hour=_field(0, 23),
    days=_ONE_KIND_OF_DAY,
    month=_field(1, 12),
    begin=_BEGINS,
)
def test_a_quartz_line_keeps_its_minutes(
    minute: str, hour: str, days: tuple[str, str], month: str, begin: date
) -> None:
    """Whatever its lists, ranges and steps; 1 is Sunday."""
    day, weekday = days
    cron = ForeignCron(minute=minute, hour=hour, day=day, month=month, weekday=weekday, sunday=1)
    assume(cron.has_dates())

    _same_minutes(f"0 {minute} {hour} {day} {month} {weekday} *", cron, begin)


_WORDS = st.one_of(
    _field(0, 70),
    st.sampled_from(
        [
            "?",
            "L",
            "15W",
            "L-3W",
            "LW",
            "2#1",
            "6L",
            "MON#1",
            "FRI-MON",
            "1990-2030",
            "2026",
            "2026,2028",
        ]
    ),
    st.sampled_from(
        [
            "Mon..Fri",
            "*-*~1",
            "*-*~03..07/2",
            "2026-1/2-1..7",
            "2026-12-24T18:00:00-05:00",
            "9998-01-01T00:00:00",
            "*:0/15",
            "24:00",
            "UTC",
            "weekly",
            "@daily",
            "99999",
        ]
    ),
    st.text("0123456789*?/-,.:~#@()LW=", min_size=1, max_size=8),
)
_SHAPES = st.sampled_from(
    ["{}", "cron({})", "CRON_TZ=UTC {}", "@every {}", "at({})", "rate({} days)"]
)


@pytest.mark.no_cover
@given(words=st.lists(_WORDS, min_size=1, max_size=8).map(" ".join), shape=_SHAPES)
def test_what_is_written_for_a_line_is_a_document(words: str, shape: str) -> None:
    """Whatever the line: each reading has keys that a document takes, or says why it has none."""
    line = shape.format(words)
    for reading in readings(line):
        written = keys(reading)
        table = "\n".join(f"{key} = {value}" for key, value in written)
        assert bool(written) != bool(missing(reading))
        if written:
            assert parse(f"[schedules.it]\ncommand = 'true'\n{table}\n").problems == ()
            assert len(next_walls(reading, _AFTER)) <= 3
    for problem in parse(f"[schedules.it]\ncommand = 'true'\ncron = '{line}'\n").problems:
        assert "cannot be understood" not in problem.message


@pytest.mark.no_cover
@given(
    minute=_field(0, 59), hour=_field(0, 23), day=_field(1, 31), weekday=_field(0, 6), begin=_BEGINS
)
def test_an_ncrontab_line_asks_for_both_days(
    minute: str, hour: str, day: str, weekday: str, begin: date
) -> None:
    """Day of month and day of week must match, and 0 is Sunday."""
    cron = ForeignCron(
        minute=minute, hour=hour, day=day, month="*", weekday=weekday, sunday=0, turned=True
    )

    _same_minutes(f"0 {minute} {hour} {day} * {weekday}", cron, begin)
