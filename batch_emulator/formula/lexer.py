"""Cut the text of a formula into tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from batch_emulator.formula.errors import FormulaSyntaxError, Position


class TokenKind(StrEnum):
    """What a token is."""

    NUMBER = "number"
    TEXT = "text"
    NAME = "name"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text; the text of a string literal comes without its quotes."""

    kind: TokenKind
    text: str
    at: Position

    def __str__(self) -> str:
        return "end of formula" if self.kind is TokenKind.END else f"'{self.text}'"


_TOKEN = re.compile(
    r"""
      (?P<newline>\n)
    | (?P<space>[ \t\r]+ | //[^\n]*)
    | (?P<number>[0-9]+(?:\.[0-9]+)?)
    | (?P<text>"[^"\n]*")
    | (?P<name>\$?[A-Za-z_][A-Za-z0-9_]*)
    | (?P<symbol><=|>=|==|!=|&&|\|\||[-+*/<>!?:;=(),.])
    """,
    re.VERBOSE,
)


def tokens(text: str) -> Iterator[Token]:
    """
    Yield the tokens of a formula, the last one of kind END.

    Raises:
        FormulaSyntaxError: A character starts no token.
    """
    line, line_start, index = 1, 0, 0
    while index < len(text):
        at = Position(line, index - line_start + 1)
        match = _TOKEN.match(text, index)
        if match is None:
            raise FormulaSyntaxError(_bad_character(text[index]), at.line, at.column)
        index = match.end()
        group, piece = str(match.lastgroup), match.group()
        if group == "newline":
            line, line_start = line + 1, index
        elif group != "space":
            kind = TokenKind(group)
            yield Token(kind, piece[1:-1] if kind is TokenKind.TEXT else piece, at)
    yield Token(TokenKind.END, "", Position(line, index - line_start + 1))


def _bad_character(character: str) -> str:
    if character == '"':
        return "Unterminated string"
    return f"Unexpected character: {character}"
