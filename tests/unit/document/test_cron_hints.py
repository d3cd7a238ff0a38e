"""Cron as people write it: what is read, what is refused, and what is said of it."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orchestrator.document.cron_hints import check_cron, normalised
from orchestrator.errors import ScheduleSyntaxError
from orchestrator.timing.cron import parse_cron


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@Midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        (" @annually ", "0 0 1 1 *"),
        ("0 0 2 * * *", "0 2 * * *"),
        ("00  0 2 * * *", "0 2 * * *"),
        (" 0\t2 * *  MON ", "0 2 * * MON"),
        ("5 0 2 * * *", "5 0 2 * * *"),
    ],
)
def test_what_other_programs_write_is_read_where_its_meaning_is_plain(
    written: str, means: str
) -> None:
    """Names for common expressions, and a field of seconds that is 0."""
    assert normalised(written) == means


@pytest.mark.parametrize(
    "good",
    [
        "*/15 0-23/2 1,15 JAN-MAR mon-fri",
        "59 23 31 12 7",
        "0 0 L * *",
        "0 0 LW * *",
        "0 0 1,LW * *",
        "0 0 * * 5L",
        "0 0 * * MON#1,WED#3",
        "5/20 * * * *",
        "0 0 29 2 *",
        "0 0 31 4 MON",
        "0 0 * * 0-7",
    ],
)
def test_the_dialect_is_debians_with_last_days(good: str) -> None:
    """Names, steps, lists, L, LW, 5L and MON#1."""
    check_cron(good)


@pytest.mark.parametrize(
    ("cron", "says"),
    [
        ("0 4-4/3 * * *", "hour '4-4/3': '4-4/3' is one value with a step: write 4"),
        ("5 0 2 * * *", "six fields; a schedule's cron has five"),
        ("0 0 12 1 1 ? 2026", "7 field"),
        ("* 0 2 * * *", "leave out '\\*': the schedule is then due once in each"),
        ("0 2 * *", "4 field"),
        ("", "0 field"),
        ("@reboot", "@reboot is unknown"),
        ("@dayly", "did you mean @daily"),
        ("@every 5m", 'write every = "5m"'),
        ("@EVERY 1h30m", 'write every = "1h30m"'),
        ("@every 1d", 'write every = "1d"'),
        ("@every 1.5h", 'write every = "1h30m"'),
        ("@every 90000ms", 'write every = "1m30s"'),
        ("@every", 'as in every = "30m"'),
        ("@every 1500ms", 'as in every = "30m"'),
        ("CRON_TZ=UTC 0 2 * * *", "leave out 'CRON_TZ=UTC' and write time_zone = \"UTC\""),
        ("TZ=Asia/Tokyo 2 * * *", 'write time_zone = "Asia/Tokyo"'),
        ("CRON_TZ=Europe/Paris @daily", 'write time_zone = "Europe/Paris"'),
        ("TZ='Asia/Tokyo' 0 0 2 * * *", 'leave out .* and write time_zone = "Asia/Tokyo"'),
        ("61 * * * *", "minute '61': 61 is not from 0 to 59"),
        ("0 24 * * *", "24 is not from 0 to 23"),
        ("0 0 0 * *", "day of month '0': 0 is not from 1 to 31"),
        ("0 0 * 13 *", "13 is not from 1 to 12"),
        ("0 0 * * 8", "8 is not from 0 to 7"),
        ("0 0 31 2 *", "month '2' has no day '31': write L"),
        ("0 0 */16 * MON#5", "no date matches"),
        ("0 22-2 * * *", "write 22-23,0-2"),
        ("0 22-6/2 * * *", "write 22,0-6/2"),
        ("0 20-6/3 * * *", "write 20-23/3,2-5/3"),
        ("0 23-6/5 * * *", "write 23,4"),
        ("50-10/5 * * * *", "write 50-55/5,0-10/5"),
        ("0 0 * * FRI-MON/2", "write FRI,SUN"),
        ("0 0 * * 7-3/2", "write 0-2/2"),
        ("0 0 * * 7-1", "write 0-1"),
        ("0 0 * NOV-MAR/2 *", "write NOV,JAN-MAR/2"),
        ("0 0 * OCT-FEB *", "write OCT-DEC,JAN-FEB"),
        ("0 0 * * FRI-SUN", "write FRI-SAT,SUN"),
        ("0 0 * * 6-1", "write 6,0-1"),
        ("0 0 * * FOO", "'FOO' is unknown: write a number from 0 to 7, or one of SUN, MON"),
        ("0 0 * JANN *", "did you mean 'JAN'"),
        ("0 0 * * MO", "did you mean 'MON'"),
        ("0 0 ? * MON", "'\\?' is not supported: recur convert"),
        ("H 2 * * *", "the key jitter"),
        ("H/15 * * * *", "the key jitter"),
        ("*/0 * * * *", "'0' is not a step"),
        ("*/x * * * *", "'X' is not a step"),
        ("0/0 * * * *", "'0' is not a step"),
        ("0 0 * * FRIL", "5L"),
        ("0 0 * * MON#6", "write MON#1 to MON#5"),
        ("0,,5 * * * *", "'' cannot be read"),
        ("0 0 L-31 * *", "up to L-30"),
        ("0 0 5L * *", "write L, the last day; LW, the last weekday"),
        ("0 0 32W * *", "1W to 31W"),
        ("0 0 L-29 2 *", "no date matches it"),
        ("٣ 0 * * *", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_told_with_what_to_write(cron: str, says: str) -> None:
    """Which field, which part of it, and what would be right."""
    with pytest.raises(ScheduleSyntaxError, match=says):
        check_cron(cron)


@given(st.integers(0, 23), st.integers(0, 23), st.integers(1, 24))
def test_what_is_written_for_a_range_that_goes_round_has_its_values(
    low: int, high: int, step: int
) -> None:
    """Hours counted on past midnight."""
    assume(low > high)
    with pytest.raises(ScheduleSyntaxError) as caught:
        check_cron(f"0 {low}-{high}/{step} * * *")

    instead = str(caught.value).rpartition(" ")[2]

    hours = {hour % 24 for hour in range(low, high + 25, step)}
    assert parse_cron(f"0 {instead} * * *").times == sum(1 << hour * 60 for hour in hours)


def test_all_fields_are_looked_at() -> None:
    """One complaint does not hide another."""
    with pytest.raises(ScheduleSyntaxError, match=r"^minute '61'.*; hour 'H'.*; month 'JANN'"):
        check_cron("61 H * JANN *")
