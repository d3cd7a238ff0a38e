"""The words of a command, as the shell splits them."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile

_COMMENTS = re.compile(r"^\s*#.*$", re.MULTILINE)
_ENDS = frozenset(";&|\n")


def simple_commands(command: str) -> Iterator[list[str]]:
    """Yield the words of each command of a script; nothing where its quotes do not match."""
    text = _COMMENTS.sub("", command.replace("\\\n", " "))
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    try:
        tokens = iter([*lexer])
    except ValueError:
        return
    for token in tokens:
        if not set(token) <= _ENDS:
            yield [token, *takewhile(lambda word: not set(word) <= _ENDS, tokens)]
