"""
Parse a filter by recursive descent.

    filter     = and { "or" and }
    and        = factor { "and" factor }
    factor     = "not" factor | "(" filter ")" | startswith | comparison
    startswith = "startswith" "(" path "," text ")"
    comparison = path operator value
"""

from collections.abc import Callable, Iterable

from batch_emulator.dataplane.filters.errors import FilterError
from batch_emulator.dataplane.filters.lexer import Token, TokenKind, tokens
from batch_emulator.dataplane.filters.syntax import (
    Comparison,
    Condition,
    Conjunction,
    Junction,
    Negation,
    Operator,
    Path,
    StartsWith,
)

# The service's own limit is not known; this one keeps the deepest filter within Python's stack.
MAX_DEPTH = 30

_STARTS_WITH = "startswith"
_NOT = "not"
_RESERVED = frozenset({*Operator, *Conjunction, _NOT})


def parse_filter(text: str) -> Condition:
    """
    Parse the text of a filter.

    Raises:
        FilterError: It is not one.
    """
    return _Parser(tokens(text)).filter()


class _Parser:
    def __init__(self, source: Iterable[Token]) -> None:
        self._tokens = tuple(source)
        self._index = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._index]

    def filter(self) -> Condition:
        condition = self._or()
        if self._next.kind is not TokenKind.END:
            raise self._expected("'and', 'or' or the end")
        return condition

    def _or(self) -> Condition:
        return self._joined(Conjunction.OR, self._and)

    def _and(self) -> Condition:
        return self._joined(Conjunction.AND, self._factor)

    def _joined(self, conjunction: Conjunction, read: Callable[[], Condition]) -> Condition:
        conditions = [read()]
        while self._accept(conjunction):
            conditions.append(read())
        return conditions[0] if len(conditions) == 1 else Junction(conjunction, tuple(conditions))

    def _factor(self) -> Condition:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterError(f"Nested more than {MAX_DEPTH} deep", self._next.at)
        if self._accept(_NOT):
            condition: Condition = Negation(self._negated())
        elif self._accept("("):
            condition = self._or()
            self._expect(")")
        elif self._begins_call():
            condition = self._starts_with()
        else:
            condition = self._comparison()
        self._depth -= 1
        return condition

    def _negated(self) -> Condition:
        if self._next.text not in {_NOT, "("} and not self._begins_call():
            raise self._expected("'(' after 'not'")
        return self._factor()

    def _begins_call(self) -> bool:
        if self._next.kind is not TokenKind.WORD or self._next.text in _RESERVED:
            return False
        return self._tokens[self._index + 1].text == "("

    def _starts_with(self) -> Condition:
        function = self._take()
        if function.text != _STARTS_WITH:
            raise FilterError(f"Unknown function: {function.text}", function.at)
        self._expect("(")
        path = self._path()
        self._expect(",")
        prefix = self._value()
        if not isinstance(prefix.value, str):
            raise FilterError(f"A string expected, {prefix} found", prefix.at)
        self._expect(")")
        return StartsWith(path, prefix.value, function.at)

    def _comparison(self) -> Condition:
        path = self._path()
        operator = self._take()
        if operator.kind is not TokenKind.WORD or operator.text not in {*Operator}:
            raise FilterError(f"A comparison expected, {operator} found", operator.at)
        return Comparison(path, Operator(operator.text), self._value().value, operator.at)

    def _path(self) -> Path:
        if self._next.kind is not TokenKind.WORD or self._next.text in _RESERVED:
            raise self._expected("A property")
        token = self._take()
        return Path(token.text, token.at)

    def _value(self) -> Token:
        if self._next.kind is not TokenKind.VALUE:
            raise self._expected("A value")
        return self._take()

    def _take(self) -> Token:
        token = self._next
        if token.kind is not TokenKind.END:
            self._index += 1
        return token

    def _accept(self, text: str) -> bool:
        found = self._next.kind is not TokenKind.VALUE and self._next.text == text
        self._index += found
        return found

    def _expect(self, symbol: str) -> None:
        if not self._accept(symbol):
            raise self._expected(f"'{symbol}'")

    def _expected(self, what: str) -> FilterError:
        return FilterError(f"{what} expected, {self._next} found", self._next.at)
