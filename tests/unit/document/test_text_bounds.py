"""What a document may hold: bounded before the TOML parser sees it, and by work afterwards."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.document.parse import parse
from orchestrator.document.text_bounds import (
    LONGEST_WORD,
    MOST_NESTED,
    MOST_PARTS,
    MOST_TABLES,
    MOST_VALUES,
    check_text,
)
from orchestrator.errors import DocumentError

PARTS, NESTED, TABLES = (
    f"more than {MOST_PARTS} parts",
    "nested too deeply",
    "tables, lists and dots",
)
VALUES, WORD = "keys and items of lists", f"more than {LONGEST_WORD} characters"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a" + ".a" * 20_000 + " = 1", PARTS),
        ("[" + "a." * 20_000 + "a]", PARTS),
        ('"a"' + " . 'a'" * 20_000 + " = 1", PARTS),
        ("a = { b" + ".b" * MOST_PARTS + " = 1 }", PARTS),
        ("a = [1, { b" + ".b" * MOST_PARTS + " = 1 }]", PARTS),
        ("# ]\n\na" + ".a" * MOST_PARTS + " = 1", f"line 3: .*{PARTS}"),
        ("a = '''\n'x''''' # '\nb" + ".b" * MOST_PARTS + " = 1", f"line 3: .*{PARTS}"),
        ('a = """\n"x""""" # "\nb' + ".b" * MOST_PARTS + " = 1", f"line 3: .*{PARTS}"),
        ("a = { x = ''''y'''', b" + ".b" * MOST_PARTS + " = 1 }", PARTS),
        ("a = " + "[" * 3000, NESTED),
        ("a = " + "{ a = " * 3000, NESTED),
        ("a = [" * 2 + "[" * MOST_NESTED, NESTED),
        ("a = [" + "[]," * MOST_TABLES + "]", TABLES),
        ("".join(f"[a{n}]\n" for n in range(MOST_TABLES + 1)), TABLES),
        ("".join(f"a{n}.b = 1\n" for n in range(MOST_TABLES + 1)), TABLES),
        ("a = [" + "1," * (MOST_VALUES + 1) + "]", VALUES),
        ("".join(f"a{n} = 1\n" for n in range(MOST_VALUES + 1)), VALUES),
        ("a = 0x" + "F" * LONGEST_WORD, WORD),
        ("a" * (LONGEST_WORD + 1) + " = 1", WORD),
    ],
    ids=lambda value: value[:40],
)  # fmt: skip
def test_a_document_that_holds_too_much_is_refused_by_its_text(text: str, says: str) -> None:
    """Where a parser would need a gigabyte, or minutes."""
    with pytest.raises(DocumentError, match=says):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * (MOST_PARTS - 1) + " = 1",
        "a = " + "[" * MOST_NESTED + "]" * MOST_NESTED,
        "a = 0x" + "F" * (LONGEST_WORD - 2),
        "a = '" + "." * 20_000 + "'",
        'a = "' + '\\"' + "." * 20_000 + '"',
        'a = """' + '"."' * 20_000 + ' """',
        "a = '''" + "'['" * 20_000 + "'''",
        "# " + "." * 20_000,
        'a = """' + "\\\\" + '""" # "[' + "[" * 20_000,
        "a = [\n" + "1.5, # .....\n" * 20_000 + "]",
    ],
    ids=lambda value: value[:40],
)
def test_what_a_string_or_a_comment_holds_does_not_count(text: str) -> None:
    """Nor does anything within the bounds."""
    check_text(text)
    assert tomllib.loads(text) is not None


PIECES = st.sampled_from(
    ["a", "b1", ".", "=", "[", "]", "{", "}", ",", "#", "\n", " ", '"', "'", '"""', "'''", "\\", "1.5", '\\"', "é", "''"]
)  # fmt: skip


INSIDE = st.lists(PIECES, max_size=20).map("".join)


@given(
    INSIDE,
    st.sampled_from(
        ["a = {}", 'a = "{}"', "a = '{}'", 'a = """{}"""', "a = '''{}'''", "a = 1 # {}", "a = [{}]"]
    ),
)
def test_nothing_hides_in_a_string(inside: str, around: str) -> None:
    """Whatever is TOML is scanned as the parser reads it: a deep key behind it is found."""
    text = around.replace("{}", inside)
    try:
        tomllib.loads(text)
        whole = f"{text}\nzz{'.z' * MOST_PARTS} = 1"
        tomllib.loads(whole)
    except ValueError:
        return
    with pytest.raises(DocumentError, match=PARTS):
        check_text(whole)


def test_an_ordinary_document_has_its_place() -> None:
    """A thousand schedules with every inner table, and 400,000 bytes of dates."""
    dates = ", ".join(f"2027-{month:02}-{day:02}" for month in range(1, 13) for day in (1, 2, 3))
    table = (
        f'cron = ["0 2 * * *"]\nexcept = [{dates}]\ncommand = "true"\ndst.gap = "skip"\n'
        'catch_up = { mode = "all", max = 2 }\nretries = { max = 1, on = ["lost"], exit_codes = [1] }\n'
        'environment = { A = "a", B = "b" }\noutputs = ["a", "b"]\n'
    )

    found = parse("".join(f"[schedules.s{n}]\n{table}" for n in range(1000)))

    assert (len(found.schedules), found.problems) == (1000, ())
