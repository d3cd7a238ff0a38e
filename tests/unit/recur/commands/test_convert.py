"""`recur convert`: what it prints, for people and programs, and its exit codes."""

import json

import pytest
from typer.testing import CliRunner, Result

from recur.app import app


def _convert(line: str, *options: str, before: tuple[str, ...] = ()) -> Result:
    return CliRunner().invoke(app, [*before, "convert", line, *options])


def test_one_reading_is_ready_to_paste() -> None:
    """Keys, with the rest as comments."""
    result = _convert("15 0 9 13 * FRI", "--from", "2026-12-01", "--time-zone", "Asia/Tokyo")

    assert result.output == (
        "# NCRONTAB (seconds first)\n"
        'cron = "0 9 * * FRI"\n'
        'except = ["* * 1-12,14-31 * *"]\n'
        'time_zone = "Asia/Tokyo"\n'
        "# changed: due on the whole minute instead of 15 seconds later\n"
        "# next in Asia/Tokyo: Fri 2027-08-13 09:00, Fri 2028-10-13 09:00, Fri 2029-04-13 09:00\n"
    )
    assert result.exit_code == 0


def test_programs_get_every_reading() -> None:
    """With times in UTC; exit code 1 says that there are two."""
    result = _convert("weekly", "--from", "2026-12-01T00:00:00Z", before=("--json",))

    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [one["toml"] for one in told["readings"]] == [
        'cron = "0 0 * * MON"\n',
        'cron = "0 0 * * SUN"\n',
    ]
    assert told["readings"][0] == {
        "dialect": "systemd",
        "how": None,
        "toml": 'cron = "0 0 * * MON"\n',
        "lacks": None,
        "changes": [],
        "next": ["2026-12-07T00:00:00Z", "2026-12-14T00:00:00Z", "2026-12-21T00:00:00Z"],
    }


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("0 2 * * MON", ['cron = "0 2 * * MON"']),
        ("@weekly", ['cron = "0 0 * * 0"']),
        (
            "0 2 * * * run.sh --all",
            ['cron = "0 2 * * *"', 'command = "run.sh --all"', 'overlap = "allow"'],
        ),
    ],
)
def test_lines_of_a_crontab_are_taken_as_they_are(line: str, written: list[str]) -> None:
    """Also with their commands."""
    result = _convert(line)

    assert [one for one in result.output.splitlines() if not one.startswith("#")] == written
    assert result.exit_code == 0


def test_a_line_that_kubernetes_reads_in_another_way_has_both() -> None:
    """Where one of two days begins with a star and has a step."""
    result = _convert("0 2 */2 * 1", "--from", "2026-12-01")

    written = [one for one in result.output.splitlines() if one.startswith("cron")]
    assert written == ['cron = "0 2 */2 * 1"', 'cron = ["0 2 */2 * *", "0 2 * * MON"]']
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("line", "ours", "theirs"),
    [
        (
            "0 2 15 * */2",
            ("0 2 15 * */2", "Tue 2026-12-15 02:00, Thu 2027-04-15 02:00, Sat 2027-05-15 02:00"),
            (
                "0 2 15 * TUE,THU,SAT,SUN",
                "Tue 2026-12-01 02:00, Thu 2026-12-03 02:00, Sat 2026-12-05 02:00",
            ),
        ),
        (
            "0 2 10,* * 1",
            ("0 2 10,* * 1", "Tue 2026-12-01 02:00, Wed 2026-12-02 02:00, Thu 2026-12-03 02:00"),
            ("0 2 * * MON", "Mon 2026-12-07 02:00, Mon 2026-12-14 02:00, Mon 2026-12-21 02:00"),
        ),
        (  # ours goes on to 7, a Sunday
            "0 2 * * MON/3",
            ("0 2 * * MON/3", "Thu 2026-12-03 02:00, Sun 2026-12-06 02:00, Mon 2026-12-07 02:00"),
            ("0 2 * * MON,THU", "Thu 2026-12-03 02:00, Mon 2026-12-07 02:00, Thu 2026-12-10 02:00"),
        ),
    ],
)
def test_two_readings_of_one_expression_each_have_their_occurrences(
    line: str, ours: tuple[str, str], theirs: tuple[str, str]
) -> None:
    """Crontab asks for both days where one begins with a star; Kubernetes only for ``*`` itself."""
    result = _convert(line, "--from", "2026-12-01")

    assert result.output == (
        "# 2 meanings: keep one\n"
        f'# 1. crontab (the same)\ncron = "{ours[0]}"\n# next in UTC: {ours[1]}\n'
        f'# 2. Kubernetes\ncron = "{theirs[0]}"\n# next in UTC: {theirs[1]}\n'
    )
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "line",
    [
        "0 2 */1 * 1",
        "0 2 L * */2",
        "0 2 15 * MON",
        "0 2 */2 * *",
        "0 2 * * 0/2",
        "0 2 * * 7/2",
        "0 2 * * 1-5/2",
    ],
)
def test_where_kubernetes_agrees_there_is_one_reading(line: str) -> None:
    """Or where it has no such line."""
    assert _convert(line).exit_code == 0


@pytest.mark.parametrize(
    ("line", "options", "code", "says"),
    [
        (
            "@every 30s",
            (),
            3,
            "uses the syntax of Go's cron, without an equivalent: every is from 1 minute",
        ),
        (
            "hello",
            (),
            3,
            "'hello' is not a line of a known scheduler; in a document: 1 field(s)",
        ),
        ("61 * * * *", (), 3, "61 is not from 0 to 59"),
        ("X=1", (), 3, "is not a line of a known scheduler"),
        ("@reboot run.sh", (), 3, "is not a line of a known scheduler"),
        (
            "at(9998-01-01T00:00:00)",
            (),
            3,
            "without an equivalent: times in a document must be between the years 2000 and 2200",
        ),
        (
            "0 0 24 * * ?",
            (),
            3,
            "the syntax of Quartz (seconds first, 1 is Sunday), without an equivalent: hour 24 is not",
        ),
        (
            "0 0 24 * * *",
            (),
            3,
            "the syntax of NCRONTAB (seconds first), without an equivalent: hour 24",
        ),
        ("0 0 12 * * ?", ("--time-zone", "Europe/Pari"), 2, "did you mean 'Europe/Paris'?"),
        ("0 0 12 * * ?", ("--from", "soon"), 2, "--from 'soon' is not a time"),
    ],
)
def test_a_refusal_says_why(line: str, options: tuple[str, ...], code: int, says: str) -> None:
    """And where to read on."""
    result = _convert(line, *options)

    assert says in result.output
    assert result.exit_code == code


@pytest.mark.parametrize(
    ("line", "begin", "told"),
    [
        (
            "cron(0 12 1 JAN ? 2027-2028)",
            "2026-12-01",
            """\
cron = "0 12 1 JAN *"
start = 2027-01-01T00:00:00Z
end = 2029-01-01T00:00:00Z
# next in UTC: Fri 2027-01-01 12:00, Sat 2028-01-01 12:00
""",
        ),
        (
            "cron(0 12 1 JAN ? 2027-2028)",
            "2027-12-01",
            'cron = "0 12 1 JAN *"\nend = 2029-01-01T00:00:00Z\n# next in UTC: Sat 2028-01-01 12:00\n',
        ),
        (
            "at(2026-12-24T18:00:00)",
            "2026-12-24T18:00",
            "at = [2026-12-24T18:00:00]\n# next in UTC: Thu 2026-12-24 18:00\n",
        ),
        (
            "at(2026-12-24T18:00:00)",
            "2026-12-24T18:01",
            "at = [2026-12-24T18:00:00]\n# it is never due again\n",
        ),
        (
            "at(2026-12-24T18:00:00-05:00)",
            "2026-12-24T18:01",
            """\
at = [2026-12-24T23:00:00]
# changed: at has no offset: 2026-12-24T18:00:00-05:00 is written as local time of time_zone
# next in UTC: Thu 2026-12-24 23:00
""",
        ),
    ],
)
def test_a_start_that_is_over_is_left_out(line: str, begin: str, told: str) -> None:
    """It would only make up for the past. What has no occurrence to come is said."""
    result = _convert(line, "--from", begin)

    assert result.output == f"# EventBridge\n{told}"
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("0 0 12 1 1 ? 2099", "# next in UTC: Thu 2099-01-01 12:00"),
        ("at(2099-12-24T18:00:00)", "# next in UTC: Thu 2099-12-24 18:00"),
        ("0 0 12 * 1 ? 2099", "# next in UTC: Thu 2099-01-01 12:00, Fri 2099-01-02 12:00"),
        ("0 0 12 1 1 ? 2025", "# it is never due again"),
        ("0 0 12 * 1 ? 2025", "# it is never due again"),
        ("15 0 9 29 FEB FRI", "# it is not due within nine years"),
    ],
)
def test_what_is_due_later_than_nine_years_is_not_over(line: str, says: str) -> None:
    """A single time is shown however far it is; the 29th of February is no Friday before 2036."""
    result = _convert(line, "--from", "2026-12-01")

    assert result.output.splitlines()[-1].startswith(says)
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("line", "zone", "dst"),
    [
        ("cron(30 2 * * ? *)", "Europe/Paris", 'dst = { gap = "skip", overlap = "first" }'),
        ("CRON_TZ=Europe/Paris 30 2 * * *", "UTC", 'dst = { gap = "skip", overlap = "both" }'),
        ("cron(30 2 * * ? *)", "Asia/Tokyo", None),
        ("0 30 2 * * ?", "Europe/Paris", None),
        ("rate(1 hour)", "Europe/Paris", None),
    ],
)
def test_what_a_scheduler_does_where_clocks_change_is_kept(
    line: str, zone: str, dst: str | None
) -> None:
    """Where that is known, in a zone whose clock changes, for times on the clock."""
    lines = _convert(line, "--time-zone", zone).output.splitlines()

    assert [one for one in lines if one.startswith("dst")] == ([dst] if dst else [])
