"""Tables of one document put into another: what is kept stays to the byte, and means the same."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.document.parse import parse
from recur.errors import CliError, Exit
from recur.schedules.table_merge import merge_tables, table_text

IN_FORCE = '''#:schema ./schedules.schema.json
# Schedules of finance.

[defaults]                # for all
time_zone = "America/Montreal"
retries = { max = 1 }

# ---- every night ----

# Ask eva before you change it.
[schedules.nightly]
cron = "0 2 * * *"        # before the banks open
command = """
echo \\
[schedules.other]
# not a comment
"""
# end of nightly

[schedules.nightly.environment]
REPORT = "daily"

# ---- every hour ----

# The import.
[schedules.hourly]
every = "1h"
command = "true"
environment = { A = "b" }
# last words
'''
NIGHTLY = """# New, by tom.
[schedules.nightly]
cron = "0 3 * * *"
command = "false"
"""
FILE = Path("part.toml")


def merged(given: str, in_force: str = IN_FORCE) -> str:
    return merge_tables(in_force, given, FILE).text


def test_a_table_takes_the_place_of_the_one_in_force() -> None:
    """With its comment and its inner tables; every other line stays."""
    begin, _, rest = IN_FORCE.partition("# Ask eva")
    end = rest[rest.index("\n# ---- every hour") :]

    assert merged(NIGHTLY) == begin + NIGHTLY + end


def test_a_new_table_stands_at_the_end() -> None:
    """Below a blank line, also where the last line has no end."""
    new = '[schedules.weekly]\ncron = "@weekly"\ncommand = "true"'

    assert merged(new) == f"{IN_FORCE}\n{new}\n"
    assert merged(new, IN_FORCE.rstrip("\n")) == f"{IN_FORCE}\n{new}\n"


def test_several_tables_at_once() -> None:
    """In place and at the end; the order of the file does not matter for what is there."""
    hourly = '[schedules.hourly]\nevery = "2h"\ncommand = "true"\n'
    weekly = '[schedules.weekly]\ncron = "@weekly"\ncommand = "true"\n'

    text = merged(f"{weekly}\n{hourly}\n{NIGHTLY}")

    document = tomllib.loads(text)
    assert [*document["schedules"]] == ["nightly", "hourly", "weekly"]
    assert document["schedules"]["hourly"] == {"every": "2h", "command": "true"}
    assert text.startswith(IN_FORCE.partition("# Ask eva")[0])
    assert "# ---- every hour ----" in text


BANK = "[calendars.bank]\ndates = [2026-12-25]\n"
BANKED = NIGHTLY + 'holidays = ["bank"]\n'


def test_a_calendar_that_is_not_in_force_comes_with_its_schedule() -> None:
    """One that is in force stays as it is written there; another one of its name is refused."""
    text = merged(f"{BANK}\n{BANKED}")

    assert parse(text).problems == ()
    assert text.endswith(f"\n{BANK}")
    again = text.replace(BANK, f"# The bank's.\n{BANK}")
    assert merged(f"{BANK}\n{BANKED}", again) == again
    with pytest.raises(CliError, match=r"\[calendars.bank\] of part.toml differs"):
        merged(f"{BANK.replace('25', '26')}\n{BANKED}", again)


def test_the_same_tables_again_change_nothing() -> None:
    """So that the second `recur apply --only` finds nothing to change."""
    once = merged(NIGHTLY)

    assert merged(NIGHTLY, once) == once
    assert merged(IN_FORCE) == IN_FORCE


def test_what_is_kept_means_what_it_meant() -> None:
    """By its own [defaults], which the new table inherits as well."""
    before, after = parse(IN_FORCE).schedules, parse(merged(NIGHTLY)).schedules

    assert [id_ for id_ in after if after[id_] != before[id_]] == ["nightly"]
    assert {one.recurrence.time_zone for one in after.values()} == {"America/Montreal"}
    assert merge_tables(IN_FORCE, NIGHTLY, FILE).inherits
    whole = merge_tables(IN_FORCE, IN_FORCE, FILE)
    assert not whole.inherits
    assert whole.schedules == {"nightly", "hourly"}


@pytest.mark.parametrize(
    ("in_force", "given", "says"),
    [
        (IN_FORCE, f'[defaults]\ntime_zone = "UTC"\n{NIGHTLY}', "[defaults] of part.toml differs"),
        (IN_FORCE, f'[prices]\ncurrency = "USD"\nspot = 1.0\n{NIGHTLY}', "[prices] of part.toml"),
        (IN_FORCE, "# nothing\n", "has no table [schedules.<id>]"),
        (IN_FORCE, "schedules = 1\n", "has no table [schedules.<id>]"),
        (IN_FORCE, "[schedules", "part.toml is refused"),
        ("[schedules", NIGHTLY, "the document in force is refused"),
        ("[schedules]\nnightly = { every = '1h', command = 'x' }\n", NIGHTLY, "cannot be merged"),
        ("schedules.nightly.every = '1h'\n", NIGHTLY, "cannot be merged"),
        (IN_FORCE, "[schedules]\nnightly = { every = '1h', command = 'x' }\n", "cannot be merged"),
    ],
)
def test_what_cannot_be_put_together_is_refused(in_force: str, given: str, says: str) -> None:
    """Rather than guessed: another [defaults] would change what stays."""
    with pytest.raises(CliError, match=says.replace("[", r"\[")) as refused:
        merged(given, in_force)

    assert refused.value.code == Exit.REFUSED
    assert refused.value.next_step


def test_the_table_of_one_schedule_is_cut_out() -> None:
    """With its comment and its inner tables; of one that is written in another way, nothing."""
    own = "# its own\n[schedules.one]\ncron = '0 2 * * *'\n[schedules.one.dst]\ngap = 'skip'\n"
    inline = "[schedules]\ntwo = { cron = '0 2 * * *', command = 'true' }\n"

    assert table_text(f"{inline}\n{own}\n[schedules.three]\ncron = '0 3 * * *'\n", "one") == own
    assert table_text(inline, "two") is None
    assert table_text(own, "two") is None
    assert table_text("[schedules.one]\ncron = ", "one") is None


def test_tables_in_odd_spellings_are_found() -> None:
    """Quoted names, blanks within the brackets, comments behind them, Windows' line ends."""
    odd = '[ schedules . "nightly" ]  # old\r\nevery = "1h"\r\ncommand = "x"\r\n\r\n[defaults]\r\n'

    assert merged(NIGHTLY, odd) == f"{NIGHTLY}\r\n[defaults]\r\n"


LINES = st.lists(
    st.sampled_from(
        [
            "# a remark",
            "",
            "every = '1h'",
            "command = '''\n[schedules.aa]\n# within'''",
            "outputs = [\n  'a',\n\n  # within\n  'b',\n]",
            "environment.A = '#'",
        ]
    ),
    max_size=6,
    unique=True,
)


@given(lines=st.lists(LINES, min_size=3, max_size=3), new=LINES, which=st.integers(0, 3))
def test_no_layout_changes_what_other_tables_say(
    lines: list[list[str]], new: list[str], which: int
) -> None:
    """Whatever stands in them; every remark outside the table that is replaced is still there."""
    names = ["aa", "bb", "cc", "dd"]
    parts = [
        "\n".join([f"[schedules.{name}]", *some, "", f"# {name} ends", ""])
        for name, some in zip(names, lines, strict=False)
    ]
    given_ = "\n".join([f"[schedules.{names[which]}]", *new, ""])
    in_force = "\n".join(parts)

    text = merged(given_, in_force)

    wanted = tomllib.loads(in_force)["schedules"] | tomllib.loads(given_)["schedules"]
    assert tomllib.loads(text)["schedules"] == wanted
    for n, part in enumerate(parts):
        assert n == which or part in text
        assert f"# {names[n]} ends" in text
