"""Laws of the formula language, for formulas and numbers that nobody thought of."""

from hypothesis import given
from hypothesis import strategies as st

from batch_emulator.formula import FormulaSyntaxError, parse_formula
from batch_emulator.formula import syntax as ast
from batch_emulator.formula.errors import Position
from tests.support.breadth import examples
from tests.support.formula_pool import evaluate

AT = Position(1, 1)
NAMES = ["x", "$y", "$PendingTasks", "$ActiveTasks", "$TargetDedicatedNodes", "requeue",
         "TimeInterval_Minute", "$NodeDeallocationOption"]  # fmt: skip
FUNCTIONS = ["avg", "len", "max", "min", "norm", "range", "std", "sum", "lg", "ln", "log", "vec",
             "percentile", "rand", "stop", "time", "val", "nothing"]  # fmt: skip
METHODS = ["GetSample", "GetSamplePercent", "GetSamplePeriod", "Count", "HistoryBeginTime", "No"]
LEVELS = [["||"], ["&&"], ["<", "<=", "==", ">=", ">", "!="], ["+", "-"], ["*", "/"]]


def chains(operand: st.SearchStrategy[ast.Expression]) -> st.SearchStrategy[ast.Chain]:
    def of(level: list[str]) -> st.SearchStrategy[ast.Chain]:
        step = st.builds(ast.Step, st.sampled_from(level), operand, st.just(AT))
        steps = st.lists(step, min_size=1, max_size=1 if "<" in level else 3).map(tuple)
        return st.builds(ast.Chain, operand, steps)

    return st.sampled_from(LEVELS).flatmap(of)


def deeper(inner: st.SearchStrategy[ast.Expression]) -> st.SearchStrategy[ast.Expression]:
    arguments = st.lists(inner, max_size=3).map(tuple)
    names = st.builds(ast.Name, st.sampled_from(NAMES), st.just(AT))
    at = st.just(AT)
    return st.one_of(
        chains(inner),
        st.builds(ast.Unary, st.sampled_from("-!"), inner, at),
        st.builds(ast.Conditional, inner, inner, inner, at),
        st.builds(ast.Call, st.sampled_from(FUNCTIONS), arguments, at, at),
        st.builds(ast.Member, inner, st.sampled_from(["hour", "weekday", "no"]), at),
        st.builds(ast.Method, names, st.sampled_from(METHODS), arguments, at, at),
    )


EXPRESSIONS = st.recursive(
    st.one_of(
        st.builds(ast.Number, st.sampled_from([0.0, 1.0, 70.0, 0.5, 2.25, 1e300]), st.just(AT)),
        st.builds(ast.TextLiteral, st.sampled_from(["", "2016-10-13", "x"]), st.just(AT)),
        st.builds(ast.Name, st.sampled_from(NAMES), st.just(AT)),
    ),
    deeper,
    max_leaves=12,
)
STATEMENTS = st.one_of(
    st.builds(ast.Assignment, st.sampled_from(NAMES), EXPRESSIONS, st.just(AT)),
    st.builds(ast.Bare, EXPRESSIONS),
)
FORMULAS = st.lists(STATEMENTS, min_size=1, max_size=4).map(tuple)


CONDITIONAL, UNARY, POSTFIX = 0, 6, 7


def write(node: ast.Expression, level: int = CONDITIONAL) -> str:
    """Write a tree with no more parentheses than a place of this level in the grammar needs."""
    own, text = _written(node)
    return text if own >= level else f"({text})"


def _written(node: ast.Expression) -> tuple[int, str]:  # noqa: PLR0911  # a case per node
    match node:
        case ast.Number(number):
            return POSTFIX, f"{number:f}".removesuffix(".000000")
        case ast.TextLiteral(text):
            return POSTFIX, f'"{text}"'
        case ast.Name(name):
            return POSTFIX, name
        case ast.Unary(operator, operand):
            return UNARY, f"{operator}{write(operand, UNARY)}"
        case ast.Chain(first, steps):
            own = next(n for n, level in enumerate(LEVELS, 1) if steps[0].operator in level)
            rest = (f" {step.operator} {write(step.operand, own + 1)}" for step in steps)
            return own, write(first, own + 1) + "".join(rest)
        case ast.Conditional(condition, then, otherwise):
            text = f"{write(condition, CONDITIONAL + 1)} ? {write(then)} : {write(otherwise)}"
            return CONDITIONAL, text
        case ast.Call(function, arguments):
            return POSTFIX, f"{function}({', '.join(map(write, arguments))})"
        case ast.Member(target, member):
            return POSTFIX, f"{write(target, POSTFIX)}.{member}"
        case ast.Method(target, method, arguments):
            inside = ", ".join(map(write, arguments))
            return POSTFIX, f"{write(target, POSTFIX)}.{method}({inside})"


def statement(node: ast.Statement) -> str:
    """Write a statement."""
    match node:
        case ast.Assignment(name, assigned):
            return f"{name} = {write(assigned)}"
        case ast.Bare(expression):
            return write(expression)


@given(FORMULAS)
@examples(150)
def test_what_is_written_is_read_back(formula: tuple[ast.Statement, ...]) -> None:
    """Writing a formula and parsing it gives the same formula."""
    assert parse_formula(" ;\r\n// comment\n".join(map(statement, formula))).statements == formula


@given(FORMULAS, st.integers(0, 9))
@examples(150)
def test_every_formula_can_be_evaluated(formula: tuple[ast.Statement, ...], current: int) -> None:
    """Whatever a formula says, there is an outcome: new targets, or an error and the old ones."""
    text = ";".join(map(statement, formula))

    result = evaluate(text, dedicated=current)

    assert result.target_dedicated >= 0
    if result.error is not None:
        assert result.target_dedicated == current
        assert len(result.error.details) == 1
        assert result.results.count(";") == 2
    assert result == evaluate(text, dedicated=current)


PIECES = [*NAMES, *FUNCTIONS, *METHODS, "=", ";", "(", ")", ",", ".", "?", ":", "+", "-", "*", "/", "<",
          "==", "&&", "||", "!", "0", "1", "0.5", "1" * 300, '"2016-10-13"', '"', "//", "\n", "\r\n",
          "TimeInterval_Year", "$TargetLowPriority", "stop()", "time()", "vec(1, 2)", "\ud800"]  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet='x$1. \n"+-*/<>=!&|?:;(),{é\ud800\0', max_size=30),
    st.lists(st.sampled_from(PIECES), max_size=15).map(" ".join),
)


@given(TEXTS)
@examples(500)
def test_every_text_is_refused_or_evaluated(text: str) -> None:
    """Parsing raises nothing but its own error, at a place in the text; evaluating raises nothing."""
    try:
        formula = parse_formula(text)
    except FormulaSyntaxError as error:
        lines = text.split("\n")
        assert 1 <= error.line <= len(lines)  # noqa: PT017  # most texts are wrong
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1  # noqa: PT017
    else:
        assert evaluate(formula.text).target_low_priority >= 0


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=8))
@examples(50)
def test_laws_of_the_functions(numbers: list[int]) -> None:
    """They agree with each other whatever the numbers."""
    vector = f"vec({', '.join(str(number) for number in numbers)})"
    laws = (
        f"v = {vector};"
        "a = min(v) <= avg(v) && avg(v) <= max(v) || range(v) < 0.000001;"
        "b = range(v) == max(v) - min(v);"
        "c = sum(v, v) == 2 * sum(v);"
        "d = len(v, v, 1) == 2 * len(v) + 1;"
        "e = percentile(v, 0) == min(v) && percentile(v, 100) == max(v);"
        "f = norm(v) * norm(v) - sum(v * v) < 0.001;"
        "g = std(v) >= 0 && std(v) <= range(v);"
        "h = val(v, 0) >= min(v) && val(v, len(v) - 1) <= max(v);"
    )

    shown = evaluate(laws).results.split(";")[3:]

    assert [line for line in shown if not line.startswith("v=")] == [f"{n}=1" for n in "abcdefgh"]
