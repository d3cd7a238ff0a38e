"""Tables fit the terminal by leaving columns out: nothing is folded, ids and times stay whole."""

import itertools
from collections.abc import Sequence
from importlib import import_module
from io import StringIO
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from recur.commands import LISTS, module_name
from recur.output import Format, Printer
from recur.tables import Column, layout, show_table

WIDTHS = (40, 80, 200)
RUN = "nightly-report-20261123T070000Z"


def tables() -> list[tuple[str, tuple[Column, ...]]]:
    """Return every table that a module of the command line defines, with its name."""
    modules = [f"recur.commands.{module_name(name)}" for name in LISTS]
    modules.append("recur.schedules.overview")
    return [
        (f"{module}.{name}", value)
        for module in sorted(modules)
        for name, value in vars(import_module(module)).items()
        if isinstance(value, tuple) and value and isinstance(value[0], Column)
        if any(not one.rank for one in value)
    ]


TABLES = tables()


def text_of(lines: Sequence[Text]) -> list[str]:
    return [line.plain for line in lines]


def test_every_command_that_lists_has_a_table() -> None:
    """The laws below are about all of them."""
    modules = {name.rpartition(".")[0] for name, _ in TABLES}

    assert {f"recur.commands.{name}" for name in LISTS} <= modules


@pytest.mark.parametrize(("name", "table"), TABLES, ids=[name for name, _ in TABLES])
def test_one_column_always_stays_and_the_others_have_an_order(
    name: str, table: tuple[Column, ...]
) -> None:
    """So that it is clear which goes next."""
    ranks = [one.rank for one in table]

    assert ranks.count(0) == 1, name
    assert len({*ranks}) == len(ranks), name
    assert not any(one.prose for one in table if not one.rank), name


cells = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=60)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("name", "table"), TABLES, ids=[name for name, _ in TABLES])
@given(data=st.data())
@settings(max_examples=15)
def test_no_line_is_wider_than_the_terminal_and_no_cell_is_folded(
    name: str, table: tuple[Column, ...], width: int, data: st.DataObject
) -> None:
    """A line for each row, and what people copy whole; one column alone may be wider."""
    rows = data.draw(st.lists(st.tuples(*[cells] * len(table)), max_size=3))

    lines = text_of(layout(table, [[*map(Text, row)] for row in rows], width))

    assert len(lines) == len(rows) + 1, name
    (always,) = [n for n, one in enumerate(table) if not one.rank]
    alone = max(map(cell_len, [table[always].name, *(row[always] for row in rows)]))
    assert max(map(cell_len, lines)) <= max(width, alone)
    for row, line in zip(rows, lines[1:], strict=True):
        assert row[always] in line
        whole = [row[n] for n, one in enumerate(table) if not one.prose and one.name in lines[0]]
        assert all(cell in line for cell in whole)


@pytest.mark.parametrize("width", [None, 1000])
@pytest.mark.parametrize(("name", "table"), TABLES, ids=[name for name, _ in TABLES])
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
    """Down to eight characters, with a sign that it is cut."""
    table = (Column(name="RUN", rank=0), Column(name="NOTE", rank=1, prose=True))
    row = [Text("a-1"), Text("the base moves")]

    shown = {width: text_of(layout(table, [row], width))[1] for width in (19, 15, 13, 12)}

    assert shown == {
        19: "a-1  the base moves",
        15: "a-1  the base …",
        13: "a-1  the bas…",
        12: "a-1",
    }


def test_wide_characters_count_twice() -> None:
    """A terminal shows them so."""
    table = (Column(name="A", rank=0), Column(name="B", rank=1))

    _, first, second = text_of(layout(table, [[Text("夜"), Text("x")], [Text("n"), Text("x")]], 40))

    assert (first, second) == ("夜  x", "n   x")


def printer(*, width: int, terminal: bool = True, form: Format = Format.TABLE) -> Printer:
    output = Printer(form=form)
    output.people = Console(
        file=StringIO(), width=width, force_terminal=terminal, highlight=False, soft_wrap=True
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
