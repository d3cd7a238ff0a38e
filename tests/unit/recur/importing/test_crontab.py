"""Crontabs: each kind of line becomes what crond did with it."""

import subprocess
import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.document.parse import parse
from recur.importing.crontab import command_name
from recur.importing.files import read_imported
from recur.importing.tables import Table, checked, document_text, toml_text, with_ids


def _tables(text: str, *, time_zone: str | None = None, with_user: bool = False) -> list[Table]:
    imported = read_imported(
        text, now=datetime(2026, 12, 1, tzinfo=UTC), time_zone=time_zone, with_user=with_user
    )
    return checked(with_ids(imported.tables))


def _schedules(text: str, time_zone: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the schedules of a crontab as TOML has them; the document is valid."""
    imported = read_imported(
        text,
        now=datetime(2026, 12, 1, tzinfo=UTC),
        time_zone=time_zone,
        with_user=False,
    )
    written = document_text(imported, checked(with_ids(imported.tables)), "crontab.txt")
    assert parse(written).problems == ()
    found: dict[str, dict[str, Any]] = tomllib.loads(written).get("schedules", {})
    return found


def test_variables_hold_for_the_lines_below() -> None:
    """The zone, the shell, a random delay, and the environment."""
    found = _schedules(
        "0 1 * * * one\n"
        "CRON_TZ = Asia/Tokyo\n"
        "SHELL=/bin/bash\n"
        "RANDOM_DELAY=10\n"
        "GREETING = 'hello world'\n"
        "0 2 * * * two it's\n",
        time_zone="Europe/Paris",
    )

    assert found["one"] == {
        "cron": "0 1 * * *",
        "time_zone": "Europe/Paris",
        "command": "one",
        "overlap": "allow",
    }
    assert found["two"] == {
        "cron": "0 2 * * *",
        "time_zone": "Asia/Tokyo",
        "command": "/bin/bash -c 'two it'\"'\"'s'",
        "environment": {"GREETING": "hello world"},
        "overlap": "allow",
        "jitter": "10m",
    }


@pytest.mark.parametrize("time_zone", ["Europe/Paris", None])
@pytest.mark.parametrize("empty", ["CRON_TZ=", 'CRON_TZ=""'])
def test_an_empty_zone_goes_back_to_that_of_the_machine(empty: str, time_zone: str | None) -> None:
    """That of --time-zone, or none."""
    found = _schedules(f"CRON_TZ=Asia/Tokyo\n0 1 * * * one\n{empty}\n0 1 * * * two\n", time_zone)

    assert found["one"]["time_zone"] == "Asia/Tokyo"
    assert found["two"].get("time_zone") == time_zone


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("cat%one%two", "one\ntwo\n"),
        ("echo 50\\%", "50%\n"),
        ("cat # a comment%END%END_", "END\nEND_\n"),
        ("cat; cat %a", "a\n"),
        ("cat%'''%\"", "'''\n\"\n"),
        ("cat%", ""),
        ("cat%one%%two%", "one\n\ntwo\n"),
        ("cat%%", "\n"),
        ("printf '\\\\a'%", "\\a"),
    ],
)
def test_percent_signs_become_standard_input(line: str, printed: str) -> None:
    """What /bin/sh runs prints the same as under crond."""
    (schedule,) = _schedules(f"0 0 * * * {line}").values()

    done = subprocess.run(
        ["/bin/sh", "-c", schedule["command"]],
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
        stdin=subprocess.DEVNULL,
    )
    assert done.stdout == printed


def test_a_crontab_of_the_system_names_users() -> None:
    """Known by its heading, by root where a command would stand, or told by an option."""
    heading = "# m h dom mon dow user\tcommand\n"
    line = "17 *\t* * *\troot\tcd / && run-parts --report /etc/cron.hourly\n"

    (by_heading,) = _tables(heading + line)
    (by_root,) = _tables(line)
    by_option, _ = _tables(line.replace("root", "app") + "0 1 * * * app run\n", with_user=True)

    assert "It ran as the user app; a task runs as a user that Batch creates." in by_option.comments
    assert dict(by_option.keys) == dict(by_root.keys)
    (program,) = _tables("0 1 * * * root -b -q fit.C\n")
    assert dict(program.keys)["command"] == '"root -b -q fit.C"'
    for table in (by_heading, by_root):
        assert dict(table.keys)["command"] == '"cd / && run-parts --report /etc/cron.hourly"'
        assert table.name == "run-parts"
        assert (
            "It ran as the user root; a task runs as a user that Batch creates." in table.comments
        )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("@reboot run", "Recur has no schedule that is due when a machine starts"),
        ("0 25 * * * run", "25 is not from 0 to 23"),
        ("0~59 1 * * * run", "cannot be read"),
        ("0 1 * * *", "it has no command"),
        ("@fortnightly run", "@fortnightly is unknown"),
        ("@every_minute run", "@every_minute is unknown"),
        ("hello world", "it has no command"),
    ],
)
def test_a_line_without_an_equivalent_is_a_comment(line: str, why: str) -> None:
    """It says why, and the document stays valid."""
    (table,) = _tables(line)

    assert why in (table.refused or "")
    assert _schedules(line) == {}


def test_what_a_document_refuses_is_a_comment_too() -> None:
    """A zone that does not exist, a variable that Recur gives itself."""
    zone, variable = _tables(
        "CRON_TZ=Mars/Base\n0 1 * * * a1\nCRON_TZ=UTC\nRECUR_X=1\n0 1 * * * b1\n"
    )

    assert "there is no time zone 'Mars/Base'" in (zone.refused or "")
    assert "RECUR_X" in (variable.refused or "")


def test_comments_stay_with_the_line_below() -> None:
    """Others are left."""
    (table,) = _tables("# far away\n\n# The\n# reason\n-0 1 * * * run\n")

    assert table.comments == ("The", "reason")
    assert table.source == "line 5: -0 1 * * * run"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/usr/local/bin/backup.sh --full", "backup"),
        ("cd /srv/app && python3 -u clean_up.py", "clean_up"),
        ("test -x /usr/sbin/anacron || ( cd / && run-parts /etc/cron.daily )", "run-parts"),
        ("DAY=1 nice -n 10 /opt/tool", "tool"),
        ("sleep 30; curl -s https://example.com/ping", "curl"),
        ("[ -f /x ] && /y/z", "z"),
        ("timeout 5m report", "report"),
        ("$HOME/run", "job"),
    ],
)
def test_a_schedule_is_named_after_its_program(command: str, name: str) -> None:
    """Not after a shell, or a word that only prepares."""
    assert command_name(command) == name


def test_ids_are_valid_and_different() -> None:
    """Also where names are equal, long, or have no letters."""
    names = [
        one.name
        for one in with_ids(
            [
                Table(name=name, source="")
                for name in ("Same", "same", "x" * 50, "x" * 50, "1", "é", "MonthEnd")
            ]
        )
    ]

    assert names == ["same", "same-2", "x" * 40, f"{'x' * 38}-2", "job-1", "job", "month-end"]


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        'a "b"',
        "it's",
        'it\'s "x"',
        "a\\b",
        "two\nlines",
        "'''\n",
        "ends'\n'",
        "tab\tbell\a",
        "é 😀 \u200b",
    ],
)
def test_a_text_survives_toml(text: str) -> None:
    """Whatever characters it has."""
    assert tomllib.loads(f"x = {toml_text(text)}")["x"] == text


def test_a_file_without_schedules_has_none() -> None:
    """Comments and variables alone."""
    assert _tables("# nothing\nA=1\n") == []
