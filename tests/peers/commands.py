"""The commands that documents and messages name: found by reading, never run."""

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

VALUE = "VALUE"
"""Stands for whatever is only known at the reader's desk: a variable, another command's output."""

_SHELLS = frozenset({"sh", "bash", "shell", "console"})
_CONSOLE = "console"
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})\s*(\w*)")
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_VARIABLE = re.compile(r"\$\{[^}]*\}|\$\w+|<[a-z][^<>\n]*>")
_DESCRIPTOR = re.compile(r"(?<=\s)\d(?=>)")
_ASSIGNMENT = re.compile(r"\w+\+?=")
_MESSAGE = re.compile(r"(?:^|[`(]|: |then |or )((?:az|azd|recur) [a-z][^`\n]*)")
_END = re.compile(r"[,;:.)](?:\s|$)(?<!\.\.\.)| \(")
_KEYWORDS = frozenset(
    {"!", "do", "else", "elif", "eval", "exec", "export", "if", "then", "time", "until", "while"}
)
_PUNCTUATION = "();<>|&"
_OPENING = frozenset({"(", "|", "||", "&&", ";", "&", ")", ";;"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """
    A command that a reader may copy.

    Attributes:
        path: Where it stands.
        line: Number of the line on which its block line begins.
        words: The program and its arguments, variables replaced by ``VALUE``.
        whole: Whether it can be run as it is; in prose only its beginning may be named.
    """

    path: str
    line: int
    words: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        """Return place and text, as compilers do."""
        return f"{self.path}:{self.line}: {shlex.join(self.words)}"


def in_page(path: str, text: str) -> Iterator[Command]:
    """Yield the commands of a Markdown page: those of its shell blocks, and spans in its prose."""
    fence: str | None = None
    shell = console = False
    block: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        opened = _FENCE.match(line)
        if fence is None and opened:
            fence, shell, console = opened[1], opened[2] in _SHELLS, opened[2] == _CONSOLE
        elif fence is not None and line.strip().startswith(fence):
            yield from _in_block(path, block)
            fence, block = None, []
        elif fence is not None:
            typed = shell and (not console or line.startswith("$ "))  # the rest is what was told
            block += [(number, line)] if typed else []
        else:
            for span in _SPAN.findall(line):
                yield from _in_line(path, number, span, whole=False)


def in_script(path: str, text: str) -> Iterator[Command]:
    """Yield the commands of a shell script."""
    yield from _in_block(path, list(enumerate(text.splitlines(), start=1)))


def in_program(path: str, text: str) -> Iterator[Command]:
    """Yield the commands that a Python program names in its texts, such as those that mend."""
    nodes = list(ast.walk(ast.parse(text)))
    parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        said = _text(node) if id(node) not in parts else None
        for found in _MESSAGE.findall(said) if said else ():
            (words, *_) = _END.split(found, maxsplit=1)
            yield from _in_line(path, getattr(node, "lineno", 0), words, whole=False)


def in_repository(root: Path, *, program: str) -> tuple[Command, ...]:
    """Return each command of ``program`` that pages, scripts and the command line name."""
    pages = [root / "README.md", *root.glob("docs/**/*.md"), *root.glob("workload/**/*.md")]
    found: list[Command] = []
    for page in sorted(pages):
        found += in_page(page.relative_to(root).as_posix(), page.read_text())
    for source in sorted([*root.glob("recur/**/*.py"), *root.glob("infra/hooks/*.py")]):
        found += in_program(source.relative_to(root).as_posix(), source.read_text())
    # A program that prose names alone is no command.
    return tuple(
        command
        for command in found
        if command.words[0] == program and (command.whole or len(command.words) > 1)
    )


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else VALUE for part in node.values
        )
    return None


def _in_block(path: str, lines: list[tuple[int, str]]) -> Iterator[Command]:
    """Join what belongs to one command: lines that end in a backslash or within quotes."""
    begin, text = 0, ""
    for number, line in lines:
        if not text:
            begin, line = number, line.removeprefix("$ ")  # noqa: PLW2901 - a console's prompt
        text += line
        if text.endswith("\\"):
            text = text[:-1] + " "
        elif _open(text):
            text += "\n"
        else:
            yield from _in_line(path, begin, text, whole=True)
            text = ""
    if text.strip():
        raise ValueError(f"{path}:{begin}: a command that does not end: {text.strip()}")


def _open(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return True
    return text.count("$(") > text.count(")")


def _in_line(path: str, line: int, text: str, *, whole: bool) -> Iterator[Command]:
    inner, rest = _substitutions(text)
    for one in inner:
        yield from _in_line(path, line, one, whole=whole)
    plain = _VARIABLE.sub(VALUE, _DESCRIPTOR.sub("", rest))
    lexer = shlex.shlex(plain, posix=True, punctuation_chars=_PUNCTUATION)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        if whole:
            raise
        return
    for simple in _simple(words):
        yield Command(path=path, line=line, words=simple, whole=whole and "..." not in simple)


def _substitutions(text: str) -> tuple[list[str], str]:
    """Take each ``$(...)`` out of a line and leave a value in its place."""
    inner: list[str] = []
    while (begin := text.find("$(")) >= 0:
        depth, end = 1, begin + 2
        while depth and end < len(text):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        inner.append(text[begin + 2 : end - 1])
        text = f"{text[:begin]}{VALUE}{text[end:]}"
    return inner, text


def _simple(words: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield the simple commands of a line, without assignments and redirections."""
    current: list[str] = []
    skip = False
    for word in [*words, ";"]:
        if skip:
            skip = False
        elif word in _OPENING:
            if current:
                yield tuple(current)
            current = []
        elif set(word) <= set(_PUNCTUATION):
            skip = True  # the file of a redirection
        elif current or not (_ASSIGNMENT.match(word) or word in _KEYWORDS):
            current.append(word)
