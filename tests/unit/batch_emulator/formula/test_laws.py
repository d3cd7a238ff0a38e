"""Laws of the formula language, for formulas and numbers that nobody thought of."""

from hypothesis import given, settings
from hypothesis import strategies as st

from batch_emulator.formula import FormulaSyntaxError, parse_formula
from batch_emulator.formula import syntax as ast
from batch_emulator.formula.errors import Position
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


def write(node: ast.Expression | ast.Statement) -> str:  # noqa: C901, PLR0911  # a case per node
    """Write a tree as text, with parentheses wherever they can stand."""
    match node:
        case ast.Number(number):
            return f"{number:f}".removesuffix(".000000")
        case ast.TextLiteral(text):
            return f'"{text}"'
        case ast.Name(name):
            return name
        case ast.Unary(operator, operand):
            return f"{operator}({write(operand)})"
        case ast.Chain(first, steps):
            return f"({write(first)})" + "".join(
                f" {step.operator} ({write(step.operand)})" for step in steps
            )
        case ast.Conditional(condition, then, otherwise):
            return f"({write(condition)}) ? {write(then)} : {write(otherwise)}"
        case ast.Call(function, arguments):
            return f"{function}({', '.join(map(write, arguments))})"
        case ast.Member(target, member):
            return f"({write(target)}).{member}"
        case ast.Method(target, method, arguments):
            return f"{write(target)}.{method}({', '.join(map(write, arguments))})"
        case ast.Assignment(name, assigned):
            return f"{name} = {write(assigned)}"
        case ast.Bare(expression):
            return write(expression)


@given(FORMULAS)
@settings(max_examples=150)
def test_what_is_written_is_read_back(formula: tuple[ast.Statement, ...]) -> None:
    """Writing a formula and parsing it gives the same formula."""
    assert parse_formula(" ;\r\n// comment\n".join(map(write, formula))).statements == formula


@given(FORMULAS, st.integers(0, 9))
@settings(max_examples=150)
def test_every_formula_can_be_evaluated(formula: tuple[ast.Statement, ...], current: int) -> None:
    """Whatever a formula says, there is an outcome: new targets, or an error and the old ones."""
    text = ";".join(map(write, formula))

    result = evaluate(text, dedicated=current)

    assert result.target_dedicated >= 0
    if result.error is not None:
        assert result.target_dedicated == current
        assert len(result.error.details) == 1
        assert result.results.count(";") == 2
    assert result == evaluate(text, dedicated=current)


@given(st.text(alphabet='x$1. \n"+-*/<>=!&|?:;(),{é', max_size=30))
def test_every_text_is_a_formula_or_a_syntax_error(text: str) -> None:
    """Nothing else comes out of parsing, and the place lies within the text."""
    line, column = 1, 1
    try:
        parse_formula(text)
    except FormulaSyntaxError as error:
        line, column = error.line, error.column

    assert 1 <= column <= len(text.split("\n")[line - 1]) + 1


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=8))
@settings(max_examples=50)
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
