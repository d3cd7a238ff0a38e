"""The schedule document: every problem at once, with its place, what is wrong and what is right."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decisions.timings import take_over
from orchestrator.document.keys import ScheduleTable
from orchestrator.document.parse import MAX_SCHEDULES, parse
from orchestrator.document.text_bounds import MOST_BYTES
from orchestrator.enums import CatchUpMode, Fold, Gap, IntervalUnit, Outcome, Overlap
from orchestrator.errors import DocumentError
from orchestrator.ids import ScheduleId
from orchestrator.ledger.state import SubmitState, dump_submit
from orchestrator.model import About, CatchUp, Interval, Recurrence, Retries, Schedule
from tests.support.breadth import examples
from tests.support.documents import GOOD, PLAIN, table


def problems(text: str) -> list[str]:
    return [str(problem) for problem in parse(text).problems]


def test_every_key_is_read() -> None:
    """What the document says is what the schedule holds."""
    document = parse(GOOD)
    nightly, steady = document.schedules.values()

    assert document.problems == ()
    assert nightly.recurrence == Recurrence(
        cron=("0 2 * * MON-FRI", "0 0 1 * *"),
        time_zone="America/Montreal",
        gap=Gap.SKIP,
        fold=Fold.BOTH,
        except_=("2026-12-25", "2027-01-01", "* * * 8 *"),
        interval=Interval(every=2, unit=IntervalUnit.WEEKS, anchor=date(2026, 12, 7)),
        at=(
            datetime.fromisoformat("2026-12-24T18:00"),
            datetime.fromisoformat("2026-12-31T12:00"),
        ),
        end=datetime(2027, 12, 1, 5, tzinfo=UTC),
    )
    assert nightly.environment == {"REGION": "east", "LEVEL": "debug"}
    assert (nightly.overlap, nightly.max_queued) == (Overlap.QUEUE, 3)
    assert nightly.catch_up == CatchUp(mode=CatchUpMode.ALL, window=timedelta(hours=6), max=3)
    assert nightly.start_timeout == timedelta(seconds=90)
    assert nightly.run_timeout == timedelta(days=1, minutes=30)
    assert nightly.retries == Retries(
        max=2,
        on=(Outcome.FAILED, Outcome.TIMED_OUT),
        exit_codes=(75, -1, 137),
        backoff=timedelta(minutes=5),
    )
    assert nightly.outputs == ("report/*.csv", "**/*.[ch]", "summary.json")
    assert nightly.last_words is False
    assert (nightly.pause_after_failures, nightly.paused) == (5, True)
    assert nightly.start == datetime(2026, 12, 1, 5, tzinfo=UTC)
    assert nightly.about == About(
        description="Sales of the day, for finance",
        owner="finance-data@example.com",
        runbook="https://wiki.example/nightly?page=1#failed",
        tags=("finance", "tier:1"),
    )
    assert steady.about is None
    assert steady.recurrence == Recurrence(
        every=timedelta(minutes=30), anchor=datetime(2026, 12, 1, 0, 10, tzinfo=UTC)
    )
    assert (steady.overlap, steady.max_parallel, steady.max_queued) == (Overlap.ALLOW, 4, 1)


def test_what_is_not_said_has_a_default() -> None:
    """The same one as the values of the model have."""
    (plain,) = parse(PLAIN).schedules.values()

    assert plain == Schedule(
        id=ScheduleId("plain-1"),
        recurrence=Recurrence(cron=("* * * * *",)),
        command="true",
        environment={},
        overlap=Overlap.SKIP,
        max_queued=1,
        max_parallel=10,
        catch_up=CatchUp(),
        jitter=timedelta(),
        start_timeout=timedelta(minutes=30),
        run_timeout=timedelta(hours=6),
        retries=Retries(),
        outputs=(),
        last_words=True,
        pause_after_failures=None,
        start=None,
        paused=False,
    )


@pytest.mark.parametrize(
    ("keys", "anchor"),
    [
        ("", "2000-01-01T00:00:00Z"),
        ("start = 2026-01-01T03:00:00+01:00", "2026-01-01T02:00:00Z"),
        (
            "start = 2026-01-01T03:00:00Z\nanchor = 2026-01-01T00:00:01Z",
            "2026-01-01T00:00:01Z",
        ),
    ],
)
def test_an_interval_counts_from_its_anchor_or_its_start(keys: str, anchor: str) -> None:
    """Else from the year 2000, so that no edit moves it."""
    (one,) = parse(f'[schedules.ab]\nevery = "7m"\ncommand = "true"\n{keys}').schedules.values()

    assert one.recurrence.anchor == datetime.fromisoformat(anchor)


def test_a_schedules_own_recurrence_replaces_the_default_one() -> None:
    """A cron those of every, and the other way round."""
    document = parse(
        '[defaults]\nevery = "1h"\nanchor = 2026-01-01T00:00:00Z\ncommand = "true"\n'
        '[schedules.one]\ncron = "0 1 * * *"\n[schedules.two]\nevery = "2h"\n[schedules.ten]\n'
    )
    one, two, ten = (one.recurrence for one in document.schedules.values())

    assert (one.cron, one.every, one.anchor) == (("0 1 * * *",), None, None)
    assert (two.every, ten.every) == (timedelta(hours=2), timedelta(hours=1))
    assert two.anchor == ten.anchor == datetime(2026, 1, 1, tzinfo=UTC)


def test_single_times_stand_alone_or_beside_cron() -> None:
    """In their order, each once; a schedule's own times replace a default cron or every."""
    document = parse(
        '[defaults]\ncron = "0 2 * * *"\ncommand = "true"\n'
        '[schedules.one]\nat = [2026-12-31T12:00:00, "2026-12-24T18:00", 2026-12-31T12:00:00]\n'
        '[schedules.two]\ncron = "0 1 * * *"\nat = 2026-12-24T18:00:00\n[schedules.ten]\n'
    )
    one, two, ten = (one.recurrence for one in document.schedules.values())
    christmas, eve = (
        datetime.fromisoformat("2026-12-24T18:00"),
        datetime.fromisoformat("2026-12-31T12:00"),
    )

    assert document.problems == ()
    assert (one.cron, one.at) == ((), (christmas, eve))
    assert (two.cron, two.at) == (("0 1 * * *",), (christmas,))
    assert (ten.cron, ten.at) == (("0 2 * * *",), ())


def test_an_interval_belongs_to_cron() -> None:
    """It is inherited where there is a cron, and as a whole."""
    fortnight = 'interval = { every = 2, unit = "weeks", anchor = "2026-12-07" }'
    document = parse(
        f'[defaults]\n{fortnight}\ncommand = "true"\n[schedules.one]\ncron = "0 9 * * MON"\n'
        '[schedules.two]\nevery = "1h"\n[schedules.three]\nat = 2026-12-24T18:00:00\n'
        f"[schedules.four]\nat = 2026-12-24T18:00:00\n{fortnight}\n"
    )
    one, two, three = (one.recurrence for one in document.schedules.values())

    assert one.interval == Interval(every=2, unit=IntervalUnit.WEEKS, anchor=date(2026, 12, 7))
    assert (two.interval, three.interval) == (None, None)
    assert [str(problem) for problem in document.problems] == [
        "[schedules.four]: interval: works only with cron: it selects some of its dates"
    ]


@pytest.mark.parametrize(
    ("defaults", "own", "says"),
    [
        ("", "end = 2026-12-01T00:00:00Z", None),
        ("", "start = 2026-12-01T00:00:00Z\nend = 2026-12-01T00:00:01Z", None),
        (
            "",
            "start = 2026-12-01T00:00:00Z\nend = 2026-12-01T00:00:00Z",
            "end: must be after start",
        ),
        (
            "start = 2026-12-01T00:00:00Z",
            "end = 2026-11-01T00:00:00Z",
            "end: must be after start",
        ),
        (
            "end = 2026-12-01T00:00:00Z",
            "start = 2026-12-02T00:00:00Z",
            "start: must be before end",
        ),
    ],
)
def test_an_end_comes_after_the_start(defaults: str, own: str, says: str | None) -> None:
    """The key that the table has itself is named; a schedule without time would never be due."""
    text = f'[defaults]\n{defaults}\n[schedules.one]\ncron = "0 2 * * *"\ncommand = "true"\n{own}\n'
    found = [str(problem) for problem in parse(text).problems]
    assert len(found) == (says is not None)
    assert all(one.startswith(f"[schedules.one]: {says}") for one in found)


@pytest.mark.parametrize("keys", ['cron = "0 1 * * *"', "at = 2026-12-24T18:00:00"])
def test_every_stands_alone(keys: str) -> None:
    """In a schedule and in [defaults]."""
    for table_name in ("defaults", "schedules.one"):
        found = parse(f'[{table_name}]\n{keys}\nevery = "1h"\ncommand = "true"\n')
        (problem,) = map(str, found.problems)
        assert problem.startswith(f"[{table_name}]: every: cron or at and every exclude")


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("cron", '"0 2 * *"', "instead of five"),
        ("cron", '"0 0 31 2 *"', "has no day '31'"),
        ("cron", '"0 0 2 * * * * *"', "8 field(s)"),
        ("cron", "5", "or a list of expressions, not 5"),
        ("cron", "[]", "at least 1"),
        ("cron[1]", "[1]", "must be a string, not 1"),
        ("cron[2]", '["0 2 * * *", "0 2 * *"]', "instead of five"),
        ("except[1]", "[2026-12-01T00:00:00Z]", "a date such as 2026-12-25, or a cron"),
        ("except[1]", '["2026-02-30"]', "no date '2026-02-30'"),
        ("except[2]", '["* * * 8 *", "20261225"]', "1 field(s)"),
        ("except", '"2026-12-25"', "must be a list"),
        ("description", '" "', "one line of 1 to 200 visible characters"),
        ("description", '"""two\nlines"""', "one line of 1 to 200"),
        ("description", f'"{"x" * 201}"', "one line of 1 to 200"),
        ("owner", f'"{"x" * 101}"', "one line of 1 to 100"),
        ("owner", '["eva", "tom"]', "must be a string"),
        ("runbook", '"wiki/nightly"', "must be the URL of a page, such as https://"),
        ("runbook", '"ftp://wiki.example/nightly"', "must be the URL"),
        ("runbook", '"https:///nightly"', "must be the URL"),
        ("runbook", '"https://[wiki/nightly"', "must be the URL"),
        ("runbook", '"https://wiki.example/a b"', "must be the URL"),
        ("runbook", f'"https://wiki.example/{"x" * 480}"', "at most 500 characters"),
        (
            "runbook",
            '"https://eva:secret@wiki.example/"',
            "must not contain a user name or a password",
        ),
        ("tags", '"finance"', "must be a list"),
        ("tags[2]", '["finance", "Two words"]', "'Two words' must be 1 to 32 lower-case letters"),
        ("tags[1]", f'["{"x" * 33}"]', "must be 1 to 32"),
        ("tags", '["finance", "finance"]', "contains 'finance' twice"),
        ("tags", f"{[f'tag-{n}' for n in range(11)]}", "at most 10"),
        ("dst.gap", '{ gap = "first" }', "must be 'auto', 'shift' or 'skip'"),
        ("dst.overlap", '{ overlap = "shift" }', "must be 'auto', 'first', 'second' or 'both'"),
        ("dst.folds", "{ folds = 1 }", "unknown key"),
        ("anchor", "2026-12-01T00:00:00Z", "works only with every"),
        ("every", '"30m"', "exclude each other"),
        ("at", "[]", "at least 1"),
        ("at[1]", "5", "must be a local time such as 2026-12-24T18:00:00, unquoted"),
        ("at[1]", "[2026-12-24]", "such as 2026-12-24T09:00:00"),
        ("at[2]", '["2026-12-24T18:00", "tonight"]', "such as 2026-12-24T18:00:00"),
        ("at", '"2026-02-30T18:00"', "is not a valid date and time"),
        ("at[1]", "[2026-12-24T18:00:00Z]", "write 2026-12-24T18:00:00 without an offset"),
        ("at[1]", "[2026-12-24T18:00:30]", "a whole minute"),
        ("at[1]", "[1999-12-31T18:00:00]", "between the years"),
        ("at", "[" + "2026-12-24T18:00:00," * 401 + "]", "at most 400"),
        ("end", "2026-12-01T00:00:00", "with its offset"),
        ("interval", "2", "must be a table such as { every = 2, unit"),
        ("interval.anchor", '{ every = 2, unit = "weeks" }', "is missing: give a date"),
        (
            "interval.every",
            '{ unit = "weeks", anchor = 2026-12-07 }',
            "is missing: give the number of units",
        ),
        ("interval.unit", "{ every = 2, anchor = 2026-12-07 }", "is missing: give the unit"),
        (
            "interval.unit",
            '{ every = 2, unit = "week", anchor = 2026-12-07 }',
            "must be 'days', 'weeks' or 'months', not 'week'",
        ),
        (
            "interval.every",
            '{ every = 0, unit = "weeks", anchor = 2026-12-07 }',
            "must be at least 1",
        ),
        (
            "interval.anchor",
            '{ every = 2, unit = "weeks", anchor = 2026-12-07T00:00:00Z }',
            "must be a date such as 2026-12-07",
        ),
        (
            "interval.anchor",
            '{ every = 2, unit = "weeks", anchor = "2026-02-30" }',
            "there is no date '2026-02-30'",
        ),
        (
            "interval.until",
            '{ every = 2, unit = "weeks", anchor = 2026-12-07, until = 1 }',
            "unknown key",
        ),
        ("time_zone", '"America/Montreel"', "did you mean 'America/Montreal'"),
        ("time_zone", '"Eastern Standard Time"', "no time zone"),
        ("command", '"  "', "must not be empty"),
        (
            "overlap",
            '"sometimes"',
            "must be 'skip', 'queue', 'replace' or 'allow', not 'sometimes'",
        ),
        ("catch_up", '{ mode = "some" }', "must be 'latest', 'all' or 'none', not 'some'"),
        ("catch_up", '{ windows = "1d" }', "did you mean 'window'"),
        ("start_timeout", '"half an hour"', '"PT30M"'),
        ("start_timeout", '"0s"', "above zero"),
        ("run_timeout", "3600", '"PT30M"'),
        ("run_timeout", '"200d"', "180 days"),
        ("start", "2026-12-01T00:00:00", "with its offset"),
        ("start", '"2026-12-01T00:00:00Z"', "unquoted"),
        ("start", "9999-12-31T23:59:59-14:00", "between the years"),
        ("start", "0001-01-01T00:00:00Z", "between the years"),
        ("start_timeout", '"٣h"', '"PT30M"'),
        ("catch_up", '"latest"', "must be a table"),
        ("catch_up", '{ window = "1s" }', "from 5 minutes to 400 days"),
        (
            "time_zone",
            '"EST"',
            "time zone 'EST' is not accepted: name an area and a place, or UTC; did you mean",
        ),
        ("paused", '"yes"', "must be true or false, not 'yes'"),
        ("start", "2026-12-01T00:00:00.5Z", "whole second"),
        ("max_queued", "2", 'works only with overlap = "queue"'),
        ("max_parallel", "2", 'works only with overlap = "allow"'),
        ("jitter", '"2d"', "at most a day"),
        ("run_timeout", '"999999999d"', "180 days"),
        ("run_timeout", '"P999999DT99999999M"', "180 days"),
        ("command", "'" + "x" * 40_000 + "'", "at most 32 KiB"),
        ("command", '"a\\u0000b"', "NUL"),
        ("command", "5", "must be a string"),
        ("retries", "5", "must be a table"),
        ("retries.max", "{ max = 11 }", "at most 10, not 11"),
        ("retries.max", '{ max = "1" }', "must be a whole number, not '1'"),
        (
            "retries.on[1]",
            '{ on = ["terminated"] }',
            "must be 'lost', 'never_started', 'timed_out'",
        ),
        ("retries.on", '{ on = ["lost", "lost"] }', "contains 'lost' twice"),
        ("retries.on", "{ on = [] }", "at least 1"),
        ("retries.exit_codes[2]", "{ exit_codes = [1, 0] }", "0 is success"),
        ("retries.exit_codes[1]", "{ exit_codes = [true] }", 'or a signal such as "SIGKILL"'),
        ("retries.exit_codes[1]", "{ exit_codes = [1.5] }", 'or a signal such as "SIGKILL"'),
        ("retries.exit_codes[1]", "{ exit_codes = [-2147483649] }", "from -2147483648 to"),
        ("retries.exit_codes[1]", "{ exit_codes = [4294967296] }", "to 4294967295"),
        ("retries.exit_codes[2]", '{ exit_codes = [1, "KILL"] }', 'did you mean "SIGKILL"?'),
        ("retries.exit_codes[1]", '{ exit_codes = ["sigterm"] }', 'did you mean "SIGTERM"?'),
        ("retries.exit_codes[1]", '{ exit_codes = ["9"] }', "write a number"),
        ("retries.exit_codes", '{ exit_codes = ["SIGINT", "SIGINT"] }', "contains 'SIGINT' twice"),
        ("retries.backoff", '{ backoff = "2h" }', "at most an hour"),
        ("retries.backoff", '{ backoff = "0s" }', "above zero"),
        ("retries.attempts", "{ attempts = 1 }", "unknown key"),
        ("environment", '"A=b"', "must be a table"),
        ("environment.A", "{ A = 1 }", "must be a string"),
        ("environment.1A", '{ 1A = "b" }', "not a valid variable name"),
        ("environment.A", '{ A = "\\u0000" }', "NUL"),
        ("environment.RECUR_X", '{ RECUR_X = "b" }', "choose another name"),
        ("environment.az_batch_x", '{ az_batch_x = "b" }', "choose another name"),
        ("environment.AZURE_CLIENT_ID", '{ AZURE_CLIENT_ID = "b" }', "choose another name"),
        ("environment", '{ A = "' + "x" * 16_384 + '" }', "16,385 bytes"),
        ("outputs[1]", '["/etc/passwd"]', "relative"),
        ("outputs[1]", '["C:/x"]', "relative"),
        ("outputs[2]", '["a", "x/../../y"]', "leave out '..'"),
        ("outputs[1]", '["a\\\\b"]', "with /"),
        ("outputs[1]", '["$HOME/x"]', "must not contain variables"),
        ("outputs[1]", '["report/"]', "a file name"),
        ("outputs[1]", '["./x"]', "a file name"),
        ("outputs[1]", '[""]', "1 to 200 characters"),
        ("outputs", '["a", "a"]', "contains 'a' twice"),
        ("outputs", "[" + ",".join(f'"{n}"' for n in range(21)) + "]", "at most 20"),
        ("last_words", '"no"', "must be true or false"),
        ("pause_after_failures", "0", "at least 1"),
        ("catch_up.max", "{ max = 0 }", "at least 1"),
        ("comand", '"x"', "did you mean 'command'"),
        ("zzz", "1", "unknown key"),
    ],
)
def test_a_bad_value_is_told_with_table_and_key(key: str, value: str, says: str) -> None:
    """One problem, its place first, and the table is known to be invalid."""
    found = parse(table(**{re.split(r"[.[]", key)[0]: value}))

    (problem,) = [str(problem) for problem in found.problems]
    assert problem.startswith(f"[schedules.bad]: {key}")
    assert says in problem
    assert found.invalid == {"bad"}
    assert not found.schedules


def test_exit_codes_are_numbers_or_names_of_signals() -> None:
    """A signal becomes its exit code; a code that is written in two ways counts once."""
    text = table(retries='{ on = ["failed"], exit_codes = ["SIGKILL", 137, -9, 75, 4294967295] }')

    found = parse(text)

    assert found.schedules[ScheduleId("bad")].retries.exit_codes == (137, -9, 75, 4294967295)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ('"[key]"', "1"),
        ("max_queued", "0x" + "f" * 4000),
        ("zzz", "0x" + "f" * 4000),
        ("cron", "[0x" + "f" * 4000 + "]"),
        ("dst", '{ "[key]" = 1 }'),
        ("environment", '{ "[key]" = 1 }'),
        ("environment", '{ "" = "1" }'),
    ],
)
def test_whatever_a_table_holds_it_stops_no_other(key: str, value: str) -> None:
    """A key that looks like one of pydantic's own, and a number that Python does not spell."""
    found = parse(GOOD + table(**{key: value}))
    inherited = parse(f"[defaults]\n{key} = {value}\n")

    assert set(found.schedules) == {"nightly", "steady"}
    assert {problem.schedule for problem in found.problems} == {"bad"}
    assert all(str(problem.key).startswith(key.strip('"')) for problem in found.problems)
    assert {problem.in_defaults for problem in inherited.problems} == {True}


def test_one_bad_table_leaves_the_good_ones() -> None:
    """Its schedule stands still, the others go on, and all of its problems are told at once."""
    found = parse(GOOD + table(cron='"x"', time_zone='"Mars"', colour='"red"'))

    assert set(found.schedules) == {"nightly", "steady"}
    assert len(found.problems) == 3


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """What is missing, what excludes something, what cannot be read: nothing hides another."""
    text = """
[schedules.Bad]
colour = "red"
every = "30s"
cron = ["0 2 * * *", "x"]
dst = { gap = 1, fold = 2 }
environment = { RECUR_A = "1", B = 2 }
max_parallel = 3
anchor = 5
"""
    found = [str(problem).removeprefix("[schedules.Bad]: ") for problem in parse(text).problems]

    assert [one.partition(": ")[0] for one in found] == [
        (
            "a schedule's id has 2 to 40 lower-case letters, digits and hyphens; it begins with a "
            "letter and does not end with a hyphen"
        ),
        "cron[2]",
        "every",
        "anchor",
        "dst.gap",
        "dst.fold",
        "environment.RECUR_A",
        "environment.B",
        "colour",
        "every",
        "command",
        "max_parallel",
    ]


def test_a_bad_default_is_told_once_and_stops_those_that_inherit_it() -> None:
    """Who says something else is not concerned."""
    document = parse("""
[defaults]
time_zone = "Mars"
catch_up = { mode = "some", max = 3 }
comand = "x"
[schedules.inherits]
cron = "0 2 * * *"
command = "true"
[schedules.too]
cron = "61 2 * * *"
command = "true"
catch_up = { mode = "all" }
time_zone = "UTC"
""")

    assert [str(problem).partition(": ")[0] for problem in document.problems] == [
        *["[defaults]"] * 3,
        "[schedules.too]",
    ]
    assert [problem.key for problem in document.problems] == [
        *("time_zone", "catch_up.mode", "comand", "cron")
    ]
    assert document.invalid == {"inherits", "too"}


def test_a_bad_default_that_nobody_inherits_stops_nobody() -> None:
    """It is told all the same."""
    document = parse('[defaults]\ntime_zone = "Mars"\n' + PLAIN + 'time_zone = "UTC"\n')

    assert set(document.schedules) == {"plain-1"}
    assert [problem.in_defaults for problem in document.problems] == [True]


def test_what_belongs_to_another_policy_is_not_inherited() -> None:
    """A default for those that queue is none for those that skip."""
    document = parse("[defaults]\nmax_queued = 5\nanchor = 2026-01-01T00:00:00Z\n" + PLAIN)

    assert document.problems == ()
    assert [one.max_queued for one in document.schedules.values()] == [1]


# What may stand in a TOML string as it is, or as JSON escapes it.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f"), max_size=12)
LITERALS = st.recursive(
    st.one_of(
        st.integers(-(10**9), 10**12).map(str),
        st.floats().map(str),
        st.booleans().map(lambda one: str(one).lower()),
        TEXTS.map(lambda one: json.dumps(one, ensure_ascii=False)),
        st.sampled_from(
            [
                *('"* * * * *"', '"0 2 * * MON"', '"UTC"', '"1h"', '"PT0S"', '"lost"', '"both"'),
                *("2026-12-25", "2026-12-25T00:00:00Z", "2026-12-25T00:00:00", "12:00:00"),
            ]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda many: f"[{', '.join(many)}]"),
        st.dictionaries(st.sampled_from(["gap", "max", "on", "window", "A", '"b c"']), inner).map(
            lambda table: "{ " + ", ".join(f"{key} = {one}" for key, one in table.items()) + " }"
        ),
    ),
    max_leaves=4,
)
KEYS = st.sampled_from(
    [*(f.alias or name for name, f in ScheduleTable.model_fields.items()), "colour", '"x.y"']
)


@pytest.mark.no_cover  # measuring it would double its time; examples cover the same
@examples(300)
@given(st.dictionaries(KEYS, LITERALS), st.dictionaries(KEYS, LITERALS))
def test_whatever_a_table_holds_is_a_schedule_or_told(
    defaults: dict[str, str], own: dict[str, str]
) -> None:
    """Never an exception, and never a schedule that stands still without a word."""
    lines = ["[defaults]", *(f"{key} = {one}" for key, one in defaults.items())]
    lines += ["[schedules.some]", *(f"{key} = {one}" for key, one in own.items())]

    document = parse("\n".join(lines))

    assert document.invalid ^ document.schedules.keys() == {"some"}
    assert not document.invalid or document.problems
    assert all(str(problem).startswith("[") for problem in document.problems)


def test_many_schedules_are_read() -> None:
    """As many as there may be, each with all keys."""
    _, _, table = GOOD.partition("[schedules.nightly]\n")
    table, _, _ = table.partition("[schedules.steady]")

    document = parse("".join(f"[schedules.s-{n}]\n{table}" for n in range(MAX_SCHEDULES)))

    assert document.problems == ()
    assert len(document.schedules) == MAX_SCHEDULES


@pytest.mark.parametrize("name", ["A", "a", "Nightly", '"a b"', "1st", "a-", "x" * 41])
def test_a_bad_name_is_told(name: str) -> None:
    """Ids become Batch job ids and blob names."""
    (problem,) = problems(f'[schedules.{name}]\ncron = "* * * * *"\ncommand = "true"\n')
    assert "2 to 40 lower-case letters" in problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[schedules.a\n", "not TOML"),
        ("schedules = 1\n", "must be tables"),
        ("n = " + "9" * 5000, "not TOML"),
        ("n = " + "[" * 3000, "nested too deeply"),
        ("[schedule.ab]\n", "unknown; did you mean 'schedules'"),
        ("[jobs.ab]\n", "unknown; write schedules as"),
        ("defaults = 1\n", "must be a table"),
        ("[default]\n", "unknown; did you mean 'defaults'"),
        ("\n".join(f"[schedules.s{n}]" for n in range(MAX_SCHEDULES + 1)), "at most 1000"),
    ],
)
def test_a_document_that_cannot_be_used_decides_nothing(text: str, says: str) -> None:
    """It is refused as a whole, with the reason."""
    with pytest.raises(DocumentError, match=says):
        parse(text)


def test_an_unknown_table_hides_no_other_problem() -> None:
    """And what schedules inherit from a misspelt one is not said to be missing."""
    text = '[default]\ncommand = "true"\n[jobs]\n[schedules.ab]\ncron = "61 * * * *"\n'

    with pytest.raises(DocumentError) as refused:
        parse(text)

    assert tuple(map(str, refused.value.problems)) == (
        "default: unknown; did you mean 'defaults'?",
        "jobs: unknown; write schedules as [schedules.<id>]",
        "[schedules.ab]: cron: '61 * * * *' cannot be used: minute '61': 61 is not from 0 to 59",
    )


def test_defaults_that_are_no_table_hide_no_other_problem() -> None:
    """And nothing is said to be missing that they might have held."""
    text = 'defaults = 1\n[schedules.ab]\ncron = "61 * * * *"\n[schedules.cd]\n'

    with pytest.raises(DocumentError) as refused:
        parse(text)

    assert [(one.schedule, one.key) for one in refused.value.problems] == [
        (None, "defaults"),
        ("ab", "cron"),
    ]


def test_too_many_schedules_hide_no_problem_of_the_first_ones() -> None:
    """The number is told first, then what is wrong with the first thousand."""
    text = "\n".join(f'[schedules.s{n}]\ncron = "0 * * * *"' for n in range(MAX_SCHEDULES + 1))

    with pytest.raises(DocumentError) as refused:
        parse(text)

    first, *others = refused.value.problems
    assert str(first) == "schedules: 1001 schedules; at most 1000 are supported"
    assert [(one.schedule, one.key) for one in others] == [
        (f"s{n}", "command") for n in range(MAX_SCHEDULES)
    ]


def test_an_empty_document_has_no_schedules() -> None:
    """Which is how the last schedule is removed."""
    assert not parse("").schedules


@pytest.mark.parametrize("value", ["1", "[]", '"0 2 * * *"'])
def test_a_schedule_that_is_no_table_stops_no_other(value: str) -> None:
    """It is told with its name."""
    document = parse(f"schedules.ab = {value}\n{PLAIN}")
    assert [str(problem) for problem in document.problems] == ["[schedules.ab]: must be a table"]
    assert list(document.schedules) == ["plain-1"]


def test_a_document_has_a_largest_size() -> None:
    """It is written in one piece; a byte more is refused, with the number of bytes there is."""
    filler = "#" + "x" * (MOST_BYTES - len(GOOD.encode()) - 2) + "\n"
    assert parse(GOOD + filler).problems == ()
    with pytest.raises(DocumentError) as refused:
        parse(GOOD + "#" + filler)
    assert str(refused.value.problems[0]) == (
        "4,194,305 bytes; at most 4,194,304 are supported: move scripts into application packages"
    )


def with_exceptions(schedules: int, dates: int) -> str:
    """Write a document whose schedules inherit so many dates."""
    days = ", ".join(f"{date(2026, 1, 1) + timedelta(days=n)}" for n in range(dates))
    tables = (
        f'[schedules.schedule-number-{n}]\ncron = "0 2 * * MON-FRI"\ncommand = "true"\n'
        for n in range(schedules)
    )
    return f"[defaults]\nexcept = [{days}]\n" + "".join(tables)


def test_what_is_inherited_counts_for_each_schedule() -> None:
    """A few dates of [defaults] may become more than one blob is to hold."""
    largest = parse(with_exceptions(MAX_SCHEDULES, 52))
    assert largest.problems == ()
    with pytest.raises(DocumentError) as refused:
        parse(with_exceptions(MAX_SCHEDULES, 53))
    (problem,) = refused.value.problems
    assert str(problem).startswith(
        "schedules: cron, at, except and holidays of all schedules have 707,000 bytes, counting inherited keys"
    )


def test_the_longest_timings_fit_into_submit_json_twice() -> None:
    """A document changes all of them, and the next tick has decided nothing yet: below 2 MB."""
    largest = parse(with_exceptions(MAX_SCHEDULES, 52)).schedules
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    state = take_over(SubmitState(), largest, frozenset(), document="1", modified=begin, version=1)
    changed = {id_: replace(one, paused=True) for id_, one in largest.items()}
    later = begin + timedelta(hours=1)
    state = take_over(state, changed, frozenset(), document="2", modified=later, version=2)
    assert {len(one.timings) for one in state.schedules.values()} == {2}
    assert len(dump_submit(state)) < 2_000_000
