"""
Parse a formula by recursive descent.

    formula     = statement { ";" statement } [ ";" ]
    statement   = [ name "=" ] conditional
    conditional = or [ "?" conditional ":" conditional ]
    or          = and { "||" and }              and     = compare { "&&" compare }
    compare     = add [ relation add ]          add     = multiply { ( "+" | "-" ) multiply }
    multiply    = unary { ( "*" | "/" ) unary } unary   = { "-" | "!" } postfix
    postfix     = primary { "." name [ arguments ] }
    primary     = number | text | name [ arguments ] | "(" conditional ")"
"""

import math
from collections.abc import Callable, Iterable

from batch_emulator.formula.errors import ErrorCode, FormulaSyntaxError, Position
from batch_emulator.formula.lexer import Token, TokenKind, tokens
from batch_emulator.formula.syntax import (
    Assignment,
    Bare,
    Call,
    Chain,
    Conditional,
    Expression,
    Member,
    Method,
    Name,
    Number,
    Statement,
    Step,
    TextLiteral,
    Unary,
)

MAX_BYTES = 8 * 1024
MAX_STATEMENTS = 100
# The service's own limit is not known; this one keeps the deepest formula within Python's stack.
MAX_DEPTH = 30

_RELATIONS = ("<", "<=", "==", ">=", ">", "!=")


def parse_statements(text: str) -> tuple[Statement, ...]:
    """
    Parse the text of a formula.

    Raises:
        FormulaSyntaxError: The text is too long or is not a formula.
    """
    if len(_encoded(text)) > MAX_BYTES:
        message = f"The formula is longer than {MAX_BYTES} bytes"
        raise FormulaSyntaxError(message, 1, 1, code=ErrorCode.TOO_LONG)
    return _Parser(tokens(text)).formula()


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        before = text[: error.start]
        line, column = before.count("\n") + 1, error.start - before.rfind("\n")
        message = "Half of a surrogate pair is not a character"
        raise FormulaSyntaxError(message, line, column) from error


class _Parser:
    def __init__(self, source: Iterable[Token]) -> None:
        self._tokens = tuple(source)
        self._index = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._index]

    def formula(self) -> tuple[Statement, ...]:
        statements: list[Statement] = []
        while not statements or self._next.kind is not TokenKind.END:
            if len(statements) == MAX_STATEMENTS:
                raise self._refuse(f"More than {MAX_STATEMENTS} statements", self._next.at)
            statements.append(self._statement())
            if self._next.kind is not TokenKind.END:
                self._expect(";")
        return tuple(statements)

    def _statement(self) -> Statement:
        target = self._next
        if target.kind is TokenKind.NAME:
            self._index += 1
            if self._accept("=") is not None:
                return Assignment(target.text, self._conditional(), target.at)
            self._index -= 1
        return Bare(self._conditional())

    def _conditional(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._refuse(f"Nested more than {MAX_DEPTH} deep", self._next.at)
        # A loop and not recursion: a timetable may be a long chain of conditions.
        branches: list[tuple[Expression, Expression, Position]] = []
        result = self._or()
        while (question := self._accept("?")) is not None:
            branches.append((result, self._conditional(), question.at))
            self._expect(":")
            result = self._or()
        for condition, then, at in reversed(branches):
            result = Conditional(condition, then, result, at)
        self._depth -= 1
        return result

    def _or(self) -> Expression:
        return self._chain(self._and, "||")

    def _and(self) -> Expression:
        return self._chain(self._compare, "&&")

    def _compare(self) -> Expression:
        left = self._add()
        operator = self._accept(*_RELATIONS)
        if operator is None:
            return left
        return Chain(left, (Step(operator.text, self._add(), operator.at),))

    def _add(self) -> Expression:
        return self._chain(self._multiply, "+", "-")

    def _multiply(self) -> Expression:
        return self._chain(self._unary, "*", "/")

    def _chain(self, operand: Callable[[], Expression], *operators: str) -> Expression:
        first = operand()
        steps: list[Step] = []
        while (operator := self._accept(*operators)) is not None:
            steps.append(Step(operator.text, operand(), operator.at))
        return Chain(first, tuple(steps)) if steps else first

    def _unary(self) -> Expression:
        operators: list[Token] = []
        while (operator := self._accept("-", "!")) is not None:
            operators.append(operator)
        if len(operators) > MAX_DEPTH:
            raise self._refuse(f"Nested more than {MAX_DEPTH} deep", operators[0].at)
        operand = self._postfix()
        for operator in reversed(operators):
            operand = Unary(operator.text, operand, operator.at)
        return operand

    def _postfix(self) -> Expression:
        target = self._primary()
        dots = 0
        while self._accept(".") is not None:
            dots += 1
            if dots > MAX_DEPTH:
                raise self._refuse(f"Nested more than {MAX_DEPTH} deep", self._next.at)
            member = self._take(TokenKind.NAME, "a member")
            paren = self._accept("(")
            if paren is None:
                target = Member(target, member.text, member.at)
            else:
                target = Method(target, member.text, self._arguments(), member.at, paren.at)
        return target

    def _primary(self) -> Expression:
        token = self._next
        match token.kind:
            case TokenKind.NUMBER:
                self._index += 1
                if math.isinf(number := float(token.text)):
                    raise self._refuse("The number is too large", token.at)
                return Number(number, token.at)
            case TokenKind.TEXT:
                self._index += 1
                return TextLiteral(token.text, token.at)
            case TokenKind.NAME:
                self._index += 1
                paren = self._accept("(")
                if paren is None:
                    return Name(token.text, token.at)
                return Call(token.text, self._arguments(), token.at, paren.at)
            case _ if self._accept("(") is not None:
                inner = self._conditional()
                self._expect(")")
                return inner
            case _:
                raise self._refuse(f"Syntax error: an expression expected, {token} found", token.at)

    def _arguments(self) -> tuple[Expression, ...]:
        if self._accept(")") is not None:
            return ()
        arguments = [self._conditional()]
        while self._accept(",") is not None:
            arguments.append(self._conditional())
        self._expect(")")
        return tuple(arguments)

    def _accept(self, *symbols: str) -> Token | None:
        token = self._next
        if token.kind is not TokenKind.SYMBOL or token.text not in symbols:
            return None
        self._index += 1
        return token

    def _expect(self, symbol: str) -> None:
        if self._accept(symbol) is None:
            found = self._next
            raise self._refuse(f"Syntax error: '{symbol}' expected, {found} found", found.at)

    def _take(self, kind: TokenKind, what: str) -> Token:
        token = self._next
        if token.kind is not kind:
            raise self._refuse(f"Syntax error: {what} expected, {token} found", token.at)
        self._index += 1
        return token

    @staticmethod
    def _refuse(message: str, at: Position) -> FormulaSyntaxError:
        return FormulaSyntaxError(message, at.line, at.column)
