"""Tables fit the terminal by leaving columns out: nothing is folded, ids and times stay whole."""

import ast
import itertools
import re
from collections.abc import Iterator
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from orchestrator.decisions.last_words import escape_controls
from recur.commands import LISTS, NAMES
from recur.output import Format, Printer
from recur.tables import Column, layout, show_table

WIDTHS = (40, 80, 200)
RUN = "nightly-report-20261123T070000Z"
TIME = "2026-11-23 02:00-05:00"
LONGEST = "a-schedule-whose-id-has-40-characters-xy"
ROOT = Path(__file__).parents[3]
SOURCES = sorted((ROOT / "recur").rglob("*.py"))


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Yield the modules of the command line, by their names."""
    for path in SOURCES:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name.removesuffix(".__init__"), ast.parse(path.read_text())


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    """Yield the calls that print a table."""
    for node in ast.walk(tree):
        named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if named and node.func.id == "show_table":  # type: ignore[attr-defined]
            yield cast("ast.Call", node)


def tables() -> list[tuple[str, tuple[Column, ...]]]:
    """Return every table that the command line prints, with the name of its constant."""
    found = {}
    for module, tree in trees():
        for call in calls(tree):
            constant = ast.unparse(call.args[1])
            found[f"{module}.{constant}"] = getattr(import_module(module), constant)
    return sorted(found.items())


TABLES = tables()
EACH = pytest.mark.parametrize(("name", "table"), TABLES, ids=[name for name, _ in TABLES])


def text_of(laid_out: tuple[list[Column], list[Text]]) -> list[str]:
    return [line.plain for line in laid_out[1]]


def test_every_table_is_printed_here_and_is_a_constant() -> None:
    """So the laws below are about all of them, also about those that are still to come."""
    makers = re.compile(r"rich\.(table|columns|panel|tree|layout)")
    for module, tree in trees():
        imports = [
            ast.unparse(one)
            for one in ast.walk(tree)
            if isinstance(one, ast.Import | ast.ImportFrom)
        ]
        assert not makers.search("\n".join(imports)), f"{module} has a table of its own"
        assert module == "recur.tables" or "recur.tables import layout" not in str(imports)
    listing = {name.removeprefix("recur.").split(".")[-2] for name, _ in TABLES}
    missing = {*LISTS, "publish", "backfill"} - listing - {"status", "logs"}
    assert not missing
    assert {"rendering", "overview", "listing"} <= listing, "of status, next --file and logs --list"
    assert {*LISTS} <= {*NAMES}


@EACH
def test_one_column_always_stays_and_the_others_have_an_order(
    name: str, table: tuple[Column, ...]
) -> None:
    """So that it is clear which goes next."""
    ranks = [one.rank for one in table]

    assert ranks.count(0) == 1, name
    assert len({*ranks}) == len(ranks), name
    assert not any(one.prose or one.optional for one in table if not one.rank), name


words = st.sampled_from(
    [
        RUN,
        TIME,
        LONGEST,
        f"{LONGEST}-20261123T070000Z",
        f"{LONGEST}:",
        "2026-11-23 02:00:01Z",
        "skipped",
        "(overlap)",
        "夜間",
        "\x1b[2J",
        "two\nlines",
        "\u202eturned",
        "x" * 90,
        "because the account holds as many active jobs as it may",
    ]
)
cells = st.lists(words, max_size=6).map(" ".join) | st.text(max_size=60)
DAY = r"\d{4}-\d\d-\d\d"
COPIED = re.compile(rf"{LONGEST}(?:-\d{{8}}T\d{{6}}Z)?|{RUN}")
"""What people copy."""


@EACH
@given(width=st.sampled_from(WIDTHS), data=st.data())
@settings(max_examples=20)
def test_the_laws_of_tables_hold(
    name: str, table: tuple[Column, ...], width: int, data: st.DataObject
) -> None:
    """
    A line for each row, none wider than the terminal, no id and no time cut.

    One column alone may be wider: that of the ids.
    """
    rows = data.draw(st.lists(st.tuples(*[cells] * len(table)), max_size=3))
    output = printer(width=width)

    left_out = show_table(output, table, rows)

    heading, *lines = printed(output).split("\n")[:-1]
    assert len(lines) == len(rows), name
    (always,) = [n for n, one in enumerate(table) if not one.rank]
    plain = [[escape_controls(cell) for cell in row] for row in rows]
    alone = max(map(cell_len, [table[always].name, *(row[always] for row in plain)]))
    assert max(map(cell_len, [heading, *lines])) <= max(width, alone)
    for row, line in zip(plain, lines, strict=True):
        for n, one in enumerate(table):
            assert one.prose or one.wide or one.name in left_out or row[n].rstrip() in line
        there = {word for cell in row for word in cell.split()}
        for cut in {*re.findall(r"(\S+)…", line)} - there:
            assert not any(word.startswith(cut) for word in there if COPIED.match(word))
        assert not re.search(rf"{DAY}…", line)


@pytest.mark.parametrize("width", [None, 1000])
@EACH
def test_where_there_is_room_nothing_is_left_out(
    name: str, table: tuple[Column, ...], width: int | None
) -> None:
    """Off a terminal, and on a wide one."""
    row = [f"{n}{'x' * 30}" for n in range(len(table))]

    heading, line = text_of(layout(table, [[*map(Text, row)]], width))

    assert line.split() == row, name
    assert all(one.name in heading for one in table)


def test_the_least_important_columns_go_first() -> None:
    """By their rank, wherever they stand; what stays keeps its place."""
    table = (
        Column(name="LATE", rank=2),
        Column(name="RUN", rank=0),
        Column(name="STATE", rank=1),
    )
    row = [Text("5 s"), Text(RUN), Text("running")]

    shown = {width: text_of(layout(table, [row], width)) for width in (46, 45, 40, 39, 20)}

    assert shown[46][1] == f"5 s   {RUN}  running"
    assert shown[45] == shown[40] == ["RUN".ljust(33) + "STATE", f"{RUN}  running"]
    assert shown[39] == shown[20] == ["RUN", RUN]


def test_prose_is_cut_before_a_column_goes() -> None:
    """Behind a word, down to the first one, with a sign that it is cut."""
    table = (Column(name="RUN", rank=0), Column(name="NOTE", rank=1, prose=True))
    row = [Text("a-1"), Text("the base moves")]

    shown = {width: text_of(layout(table, [row], width))[1] for width in (19, 18, 14, 13, 12)}

    assert shown == {
        19: "a-1  the base moves",
        18: "a-1  the base…",
        14: "a-1  the base…",
        13: "a-1  the…",
        12: "a-1",
    }


def test_prose_is_cut_in_no_id_and_no_time() -> None:
    """A note that begins with an id goes, rather than half of it is shown."""
    table = (Column(name="RUN", rank=0), Column(name="NOTE", rank=1, prose=True))
    rows = [[Text("a-1"), Text(f"{RUN}: stopped")], [Text("b"), Text(f"until {TIME} by eva")]]

    shown = {width: text_of(layout(table, rows, width))[1:] for width in (42, 39, 38)}

    assert shown == {
        42: [f"a-1  {RUN}:…", f"b    until {TIME} by eva"],
        39: [f"a-1  {RUN}:…", f"b    until {TIME} by…"],
        38: [f"a-1  {RUN}:…", f"b    until {TIME} by…"],
    }
    assert text_of(layout(table, rows, 37)) == ["RUN", "a-1", "b"]
    assert text_of(layout(table, rows[1:], 24)) == ["RUN  NOTE", "b    until…"]


def test_a_column_without_content_is_left_out_where_that_is_no_loss() -> None:
    """Whether it is empty or has dashes; -o wide has it all the same."""
    table = (Column(name="RUN", rank=0), Column(name="TAGS", rank=1, optional=True))
    rows = [("a-1", "-"), ("a-2", "")]

    assert show_table(narrow := printer(width=40), table, rows) == ()
    assert printed(narrow).splitlines() == ["RUN", "a-1", "a-2"]

    show_table(wide := printer(width=40, form=Format.WIDE), table, rows)
    assert printed(wide).splitlines() == ["RUN  TAGS", "a-1  -", "a-2"]


def test_who_prints_a_table_learns_what_did_not_fit() -> None:
    """And may say it in another way."""
    assert show_table(printer(width=40), COLUMNS, [(RUN, "running for long", "c")]) == ("STATE",)
    assert show_table(printer(width=80), COLUMNS, [(RUN, "running for long", "c")]) == ()


def test_a_heading_may_be_another() -> None:
    """What it says is escaped as cells are."""
    output = printer(width=80)

    show_table(output, COLUMNS, [(RUN, "running", "c")], {"STATE": "GAP=\x1b[2J"})

    assert printed(output).splitlines()[0] == "RUN".ljust(33) + r"GAP=\x1b[2J"


def test_wide_characters_count_twice() -> None:
    """A terminal shows them so."""
    table = (Column(name="A", rank=0), Column(name="B", rank=1))

    _, first, second = text_of(layout(table, [[Text("夜"), Text("x")], [Text("n"), Text("x")]], 40))

    assert (first, second) == ("夜  x", "n   x")


def printer(*, width: int, terminal: bool = True, form: Format = Format.TABLE) -> Printer:
    output = Printer(form=form)
    output.people = Console(
        file=StringIO(),
        width=width,
        force_terminal=terminal,
        highlight=False,
        soft_wrap=True,
        color_system=None,
    )
    return output


def printed(output: Printer) -> str:
    return cast("StringIO", output.people.file).getvalue()


COLUMNS = (
    Column(name="RUN", rank=0),
    Column(name="STATE", rank=1),
    Column(name="CLAIM", rank=2, wide=True),
)


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (printer(width=40), [RUN]),
        (printer(width=60), [RUN, "running for long"]),
        (printer(width=20, form=Format.WIDE), [RUN, "running for long", "c"]),
        (printer(width=20, terminal=False), [RUN, "running for long"]),
    ],
)
def test_the_terminal_decides_unless_all_is_asked_for(output: Printer, shown: list[str]) -> None:
    """A pipe gets what a terminal of any width would; -o wide has columns of its own."""
    show_table(output, COLUMNS, [(RUN, "running for long", "c")])

    line = printed(output).splitlines()[1]
    assert [one for one in (RUN, "running for long", "  c") if one in line] == [
        one if one != "c" else "  c" for one in shown
    ]


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_a_pipe_has_colours_only_by_force(
    variables: dict[str, str],
    coloured: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And is no terminal for that: nothing is left out."""
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "20")

    show_table(Printer(), COLUMNS, [(RUN, Text("failed", style="red"), "c")])

    told = capsys.readouterr().out
    assert ("\x1b[31mfailed" in told) is coloured
    assert "STATE" in told


def test_orders_of_ranks_are_all_tried() -> None:
    """Whatever the order of columns, they go by rank."""
    row = [Text("aaaa"), Text("bbbb"), Text("cccc")]
    for ranks in itertools.permutations(range(3)):
        table = [Column(name=str(rank), rank=rank) for rank in ranks]
        (heading, _) = text_of(layout(table, [row], 10))
        assert {*heading.split()} == {"0", "1"}
