"""What a document tells its reader to type is found, whatever the line looks like."""

import pytest

from tests.peers.commands import VALUE, in_page, in_program


def _found(text: str, info: str = "sh") -> list[tuple[int, str]]:
    page = f"prose\n\n```{info}\n{text}\n```\n"
    return [(one.line, " ".join(one.words)) for one in in_page("page.md", page)]


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("az login", [(4, "az login")]),
        ("$ az login", [(4, "az login")]),
        ("az group create \\\n    --name recur", [(4, "az group create --name recur")]),
        ("# az nothing\naz login  # as you", [(5, "az login")]),
        ("az a --b 'c d; e'", [(4, "az a --b c d; e")]),
        ("az a --query '[\n  x\n]' -o tsv", [(4, "az a --query [\n  x\n] -o tsv")]),
        ("az a && az b || az c; az d", [(4, "az a"), (4, "az b"), (4, "az c"), (4, "az d")]),
        ("az a | python3 -c 'x' > f 2>&1", [(4, "az a"), (4, "python3 -c x")]),
        ("X=1 az a --n 5 > file", [(4, "az a --n 5")]),
        ("if ! az a; then az b; fi", [(4, "az a"), (4, "az b"), (4, "fi")]),
        ('id=$(az a --b "$C")', [(4, f"az a --b {VALUE}")]),
        ('az x --id "$(az a --b $(az c))/d"', [(4, "az c"), (4, f"az a --b {VALUE}"), (4, f"az x --id {VALUE}/d")]),
        ("az a --b ${C:-d} --e $F --g <your id>", [(4, f"az a --b {VALUE} --e {VALUE} --g {VALUE}")]),
        ('export "$(recur publish)"', [(4, "recur publish"), (4, VALUE)]),
    ],
)  # fmt: skip
def test_commands_of_a_shell_block(text: str, commands: list[tuple[int, str]]) -> None:
    """With the line on which each begins."""
    assert _found(text) == commands


def test_a_block_of_another_language_holds_no_command() -> None:
    """What looks like one is data there."""
    assert _found("az login", info="toml") == []
    assert _found("az login", info="text") == []


def test_what_a_command_told_is_no_command() -> None:
    """In a block of a console, where each command stands behind a prompt."""
    shown = "$ az a\naz b isn't there\n$ az c"

    assert _found(shown, info="console") == [(4, "az a"), (6, "az c")]


def test_a_command_that_does_not_end_is_an_error() -> None:
    """A quote that was forgotten must not hide the rest of a block."""
    with pytest.raises(ValueError, match=r"page\.md:4: a command that does not end"):
        _found("az a --b 'c\naz d")


def test_prose_may_name_the_beginning_of_a_command() -> None:
    """It is checked as far as it goes."""
    (command,) = in_page("page.md", "Then `az group create --name x` makes it.\n")

    assert command.words == ("az", "group", "create", "--name", "x")
    assert not command.whole


def test_messages_of_a_program_name_commands() -> None:
    """Also in the middle of a text, and with values that are known only then."""
    source = 'fix = f"sign in by `az login`, or: az role assignment create --assignee {who} ..."\n'

    found = list(in_program("x.py", source))

    assert [one.words for one in found] == [
        ("az", "login"),
        ("az", "role", "assignment", "create", "--assignee", VALUE, "..."),
    ]
    assert not any(one.whole for one in found)


def test_a_misspelt_option_is_not_lost() -> None:
    """What is wrong in a document arrives at the parser as it stands there."""
    (command,) = in_page("page.md", "```sh\naz group create --nmae x --location y\n```\n")

    assert "--nmae" in command.words
    assert str(command) == "page.md:2: az group create --nmae x --location y"
