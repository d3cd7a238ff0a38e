"""Cut the text of a filter into tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from enum import StrEnum

from batch_emulator.dataplane.filters.errors import FilterError
from batch_emulator.dataplane.filters.syntax import Literal


class TokenKind(StrEnum):
    """What a token is."""

    WORD = "word"
    VALUE = "value"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """
    A piece of the text.

    Attributes:
        value: What a token of kind VALUE stands for.
        at: Where it begins, counted from 0.
    """

    kind: TokenKind
    text: str
    at: int
    value: Literal = None

    def __str__(self) -> str:
        return "the end" if self.kind is TokenKind.END else self.text


_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<time>datetime'(?P<moment>[^']*)')
    | (?P<text>'(?:[^']|'')*')
    | (?P<number>-?[0-9]+(?:\.[0-9]+)?(?![A-Za-z0-9_.]))
    | (?P<word>(?>[A-Za-z_][A-Za-z0-9_]*(?:/[A-Za-z_][A-Za-z0-9_]*)*)(?!['/]))
    | (?P<symbol>[(),])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NAMED: dict[str, Literal] = {"true": True, "false": False, "null": None}
_W3C = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,7})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_RFC_1123 = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT")


def tokens(text: str) -> Iterator[Token]:
    """
    Yield the tokens of a filter, the last one of kind END.

    Raises:
        FilterError: A character starts no token, or a time cannot be read.
    """
    index = 0
    while index < len(text):
        match = _TOKEN.match(text, index)
        if match is None:
            raise FilterError(_bad_character(text[index]), index)
        if match.lastgroup != "space":
            yield _token(match)
        index = match.end()
    yield Token(TokenKind.END, "", len(text))


def _token(match: re.Match[str]) -> Token:
    piece, at = match[0], match.start()
    if match["moment"] is not None:
        return Token(TokenKind.VALUE, piece, at, _read_time(match["moment"], at))
    if match["text"]:
        return Token(TokenKind.VALUE, piece, at, piece[1:-1].replace("''", "'"))
    if match["number"]:
        return Token(TokenKind.VALUE, piece, at, Decimal(piece))
    if piece in _NAMED:
        return Token(TokenKind.VALUE, piece, at, _NAMED[piece])
    return Token(TokenKind.WORD if match["word"] else TokenKind.SYMBOL, piece, at)


def _read_time(text: str, at: int) -> datetime:
    refusal = FilterError(f"'{text}' is neither a W3C-DTF nor an RFC 1123 time", at)
    try:
        if _RFC_1123.fullmatch(text):
            return parsedate_to_datetime(text).astimezone(UTC)
        if not _W3C.fullmatch(text):
            raise refusal
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise refusal from error


def _bad_character(character: str) -> str:
    if character == "'":
        return "Unterminated string"
    return f"Unexpected character: {character}"
