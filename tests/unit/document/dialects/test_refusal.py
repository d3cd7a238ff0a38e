"""What a document says of a line that another scheduler would take."""

from datetime import UTC, datetime

import pytest

from orchestrator.document.parse import parse


def _message(line: str, *, key: str = "cron", after: datetime | None = None) -> str:
    value = f"['{line}']" if key == "except" else f"'{line}'"
    cron = "" if key == "cron" else "cron = '0 2 * * *'\n"
    text = f"[schedules.it]\ncommand = 'true'\n{cron}{key} = {value}\n"
    (problem,) = parse(text, after=after).problems
    return problem.message


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            "0 12 1 * ? *",
            'the syntax of EventBridge (the year last, 1 is Sunday): write cron = "0 12 1 * *"',
        ),
        (
            "0 0 2 ? * 2#1",
            'the syntax of Quartz (seconds first, 1 is Sunday): write cron = "0 2 * * MON#1"',
        ),
        ("rate(1 hour)", 'the syntax of EventBridge: write every = "1h"; counted from 2000-01-01'),
        ("CRON_TZ=Asia/Tokyo 0 2 * * *", 'write cron = "0 2 * * *" and time_zone = "Asia/Tokyo"'),
        ("15 0 9 * * FRI", "due on the whole minute instead of 15 seconds later"),
        ("@every 30s", "the syntax of Go's cron, without an equivalent: every is from 1 minute"),
        ("0 0 0 30 2 ? *", "without an equivalent: no date matches it"),
    ],
)
def test_a_line_of_another_scheduler_is_refused_with_ours(line: str, says: str) -> None:
    """Whose it is, the keys to paste, and what changes."""
    assert says in _message(line)
    assert _message(line).startswith(f"{line!r} cannot be used: it uses the syntax of ")


def test_two_readings_are_shown_with_their_next_occurrences() -> None:
    """Three each, after the time that is given."""
    message = _message("0 12 ? * 2", after=datetime(2026, 12, 6, tzinfo=UTC))

    assert message == (
        "'0 12 ? * 2' cannot be used: it can be read in 2 ways: "
        'in the syntax of Quartz (without its seconds, 1 is Sunday): write cron = "0 12 * * MON" '
        "(next Mon 2026-12-07 12:00, Mon 2026-12-14 12:00, Mon 2026-12-21 12:00); "
        'or in the syntax of Kubernetes (1 is Monday): write cron = "0 12 * * TUE" '
        "(next Tue 2026-12-08 12:00, Tue 2026-12-15 12:00, Tue 2026-12-22 12:00)"
    )


def test_without_a_time_the_same_document_gets_the_same_message() -> None:
    """A tick reports it again and again."""
    assert "next Sat 2027-01-02 00:05" in _message("5 0 2 * * *")


def test_an_exception_is_refused_with_an_expression() -> None:
    """Without a key, since it stands in a list."""
    assert _message("0 * * * AUG ?", key="except").endswith(': write "* * * AUG *"')
    assert "except takes dates and expressions" in _message("rate(1 hour)", key="except")


@pytest.mark.parametrize(
    ("line", "means"), [("0 0 2 * * *", "0 2 * * *"), ("00 */5 * * * 1", "*/5 * * * 1")]
)
def test_what_a_document_took_before_it_takes_still(line: str, means: str) -> None:
    """NCRONTAB whose seconds are 0."""
    document = parse(f"[schedules.it]\ncommand = 'true'\ncron = '{line}'\n")

    assert [one.recurrence.cron for one in document.schedules.values()] == [(means,)]


def test_a_document_of_many_lines_takes_no_longer_for_them() -> None:
    """200 lines are looked at, 20 shown with occurrences; equal ones count once."""
    crons = [f"{n % 50 + 1} {n // 50} 2 * * *" for n in range(250)]
    tables = "".join(
        f"[schedules.s{n}]\ncommand = 'true'\ncron = ['{cron}']\n"
        for n, cron in enumerate([crons[0], *crons])
    )

    told = [one.message for one in parse(tables).problems]

    assert [text.count("(next") for text in told] == [2] * 21 + [0] * 230
    assert ["it can be read in 2 ways" in text for text in told] == [True] * 201 + [False] * 50
    assert "recur convert translates lines of other schedulers" in told[-1]


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("rate(5 minutes)", '; it uses the syntax of EventBridge: write "5m"'),
        ("@every 1.5h", '; it uses the syntax of Go\'s cron: write "1h30m"'),
        (
            "@every 1500ms",
            "too fine for a document: every is from 1 minute to 366 days",
        ),
        ("90 minutes", '; write "1h30m"'),
        ("at(x)", "'at(x)'"),
    ],
)
def test_an_interval_in_place_of_a_length_is_known(written: str, hint: str) -> None:
    """`every` takes the length alone."""
    (problem,) = parse(f"[schedules.it]\ncommand = 'true'\nevery = '{written}'\n").problems

    assert problem.message.endswith(hint)


_AT = "write at = [2026-12-24T18:00:00]"
_YEARS = "cron(0 0 1 1 ? 2027-2028)"
_IN_TOKYO = "start = 2027-01-01T00:00:00+09:00 and end = 2029-01-01T00:00:00+09:00"
_IN_UTC = "start = 2027-01-01T00:00:00Z and end = 2029-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("defaults", "own", "line", "says"),
    [
        ("", "Asia/Tokyo", _YEARS, f'write cron = "0 0 1 1 *" and {_IN_TOKYO}'),
        ("Asia/Tokyo", "", _YEARS, f'write cron = "0 0 1 1 *" and {_IN_TOKYO}'),
        ("Asia/Tokyo", "UTC", _YEARS, f'write cron = "0 0 1 1 *" and {_IN_UTC}'),
        ("", "", _YEARS, f'write cron = "0 0 1 1 *" and {_IN_UTC}'),
        ("", "Asia/Tokyo", "TZ=UTC 0 2 * * *", 'cron = "0 2 * * *" and time_zone = "UTC"'),
        ("", "Asia/Tokyo", "at(2026-12-24T18:00:00Z)", "write at = [2026-12-25T03:00:00]"),
        ("", "Asia/Toky", _YEARS, f'write cron = "0 0 1 1 *" and {_IN_UTC}'),
    ],
)
def test_the_zone_of_the_table_is_that_of_the_times(
    defaults: str, own: str, line: str, says: str
) -> None:
    """Its own, or that of ``[defaults]``: what is pasted means what is shown."""
    inherited = f"[defaults]\ntime_zone = '{defaults}'\n" if defaults else ""
    zone = f"time_zone = '{own}'\n" if own else ""
    table = f"[schedules.it]\ncommand = 'true'\ncron = '{line}'\n{zone}"

    told = [one.message for one in parse(inherited + table).problems if one.key == "cron"]

    assert len(told) == 1
    assert says in told[0]
    assert "Tokyo" not in told[0]


@pytest.mark.parametrize(
    ("written", "key", "says"),
    [
        ("'at(2026-12-24T18:00:00)'", "at", f"of EventBridge: {_AT}"),
        ("[2026-12-23T18:00:00, 'at(2026-12-24T18:00:00)']", "at[2]", f"of EventBridge: {_AT}"),
        ("'0 0 12 * * ?'", "at", '(seconds first, 1 is Sunday): write cron = "0 12 * * *"'),
        ("'soon'", "at", "must be a local time such as 2026-12-24T18:00:00, unquoted"),
    ],
)
def test_a_foreign_line_in_place_of_a_time_is_known(written: str, key: str, says: str) -> None:
    """As in place of an expression."""
    (problem,) = parse(f"[schedules.it]\ncommand = 'true'\nat = {written}\n").problems

    assert problem.key == key
    assert problem.message.endswith(says)
