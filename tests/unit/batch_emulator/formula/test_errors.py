"""Formulas that are refused or fail: where, in which words, and with what consequence."""

import pytest

from batch_emulator.formula import EvaluationError, FormulaSyntaxError, Metric, parse_formula
from batch_emulator.formula.evaluation import FULL, SHORT
from batch_emulator.formula.evaluator import INTERVALS
from tests.support.formula_pool import evaluate


def fault(text: str) -> str:
    """Return the one detail of an evaluation that must fail and change nothing."""
    result = evaluate(text, dedicated=2)
    assert result.error is not None, result.results
    assert (result.target_dedicated, result.target_low_priority) == (2, 7)
    assert result.results == (
        "$TargetDedicatedNodes=2;$TargetLowPriorityNodes=7;$NodeDeallocationOption=requeue"
    )
    (detail,) = result.error.details
    return detail


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("something_useless", "Line 1, Col 1: Undefined symbol: something_useless"),
        ("x = 1;\n  y = $x + 1", "Line 2, Col 7: Undefined symbol: $x"),
        ("$targetDedicatedNodes = $targetdedicatednodes;", "Line 1, Col 25: Undefined symbol: $t"),
        ("x = $PendingTask.GetSample(1);", "Line 1, Col 5: Undefined symbol: $PendingTask"),
        ("x = 1 / 0", "Line 1, Col 7: Division by zero"),
        ("x = vec(1) / 0", "Line 1, Col 12: Division by zero"),
        (f"x = 1{'0' * 200} * 1{'0' * 200}", "Line 1, Col 207: Number out of range"),
        (f"x = sum({', '.join([f'1{"0" * 308}'] * 2)})", "Line 1, Col 8: Number out of range"),
        ("x = vec(1) * vec(1, 2)", "Line 1, Col 12: Vectors of 1 and 2 components"),
        ("x = 2 * vec(1)", "Line 1, Col 7: Operator * cannot be applied to double and doubleVec"),
        ("x = vec(1) > 0", "Line 1, Col 12: Operator > cannot be applied to doubleVec and double"),
        ('x = "a" + "b"', "Line 1, Col 9: Operator + cannot be applied to string and string"),
        ("x = time() - TimeInterval_Day", "Line 1, Col 12: Operator - cannot be applied to timest"),
        ("x = time() > 1", "Line 1, Col 12: Operator > cannot be applied to timestamp and double"),
        ("x = -time()", "Line 1, Col 5: Operator - cannot be applied to timestamp"),
        ("x = !vec(1)", "Line 1, Col 5: Operator ! cannot be applied to doubleVec"),
        ("x = vec(1) ? 1 : 2", "Line 1, Col 12: double expected, not doubleVec"),
        ("x = 1 && vec(1)", "Line 1, Col 7: double expected, not doubleVec"),
        ("x = ceil(1.5)", "Line 1, Col 9: Undefined function: ceil"),
        ("x = max(1, time())", "Line 1, Col 8: double or doubleVec expected, not timestamp"),
        ("x = max()", "Line 1, Col 8: max of an empty vector"),
        ("x = avg($ActiveTasks.GetSample(1))", "Line 1, Col 8: avg of an empty vector"),
        ("x = log(0)", "Line 1, Col 8: Logarithm of 0"),
        ("x = val(vec(1), 1)", "Line 1, Col 8: No component 1 in a vector of 1"),
        ("x = val(vec(1), 0.5)", "Line 1, Col 8: No component 0.5 in a vector of 1"),
        ("x = val(1, 0)", "Line 1, Col 8: Usage: val(doubleVec, double)"),
        ("x = percentile(vec(1), 101)", "Line 1, Col 15: percentile needs"),
        ("x = rand(1)", "Line 1, Col 9: Usage: rand()"),
        ("x = time(1)", "Line 1, Col 9: Usage: time([string])"),
        ('x = time("")', 'Line 1, Col 9: Invalid date and time: ""'),
        ('x = time("yesterday")', 'Line 1, Col 9: Invalid date and time: "yesterday"'),
        ('x = time("2016-13-01")', 'Line 1, Col 9: Invalid date and time: "2016-13-01"'),
        (
            'x = time("2016-10-13T10:00")',
            'Line 1, Col 9: Invalid date and time: "2016-10-13T10:00"',
        ),
        ('x = time("Mon, 32 Oct 2014 10:20:00 GMT")', 'Line 1, Col 9: Invalid date and time: "Mon'),
        ('x = time("0001-01-01T00:00+01:00")', 'Line 1, Col 9: Invalid date and time: "0001'),
        ("x = time() + 9999 * TimeInterval_Year", "Line 1, Col 12: Timestamp out of range"),
        ("x = time().week", "Line 1, Col 12: timestamp has no member week"),
        ("x = 5; y = x.hour", "Line 1, Col 14: double has no member hour"),
        ("x = 5; y = x.Count()", "Line 1, Col 14: Only service variables have Count"),
        ("x = time().Count()", "Line 1, Col 12: Only service variables have Count"),
        ("x = $PendingTasks.Sum()", "Line 1, Col 22: Undefined method: Sum"),
        ("x = $PendingTasks.Count(1)", "Line 1, Col 24: Usage: Count()"),
        ("x = $PendingTasks.GetSample()", "Line 1, Col 28: Usage: GetSample(count)"),
        ("x = $PendingTasks.GetSample(1, 70)", "Line 1, Col 28: Usage: GetSample(count)"),
        ("x = $PendingTasks.GetSample(0)", "Line 1, Col 28: GetSample of 0 samples"),
        ("x = $PendingTasks.GetSample(1.5)", "Line 1, Col 28: GetSample of 1.5 samples"),
        (
            'x = $PendingTasks.GetSample(TimeInterval_Day, "1")',
            "Line 1, Col 28: timestamp or timeinterval expected, not string",
        ),
        (
            "x = $PendingTasks.GetSample(TimeInterval_Day * 9999999)",
            "Line 1, Col 28: Timestamp out of range",
        ),
        ("$PendingTasks = 1", "Line 1, Col 1: Read-only symbol: $PendingTasks"),
        ("TimeInterval_Hour = 1", "Line 1, Col 1: Read-only symbol: TimeInterval_Hour"),
        ("requeue = 1", "Line 1, Col 1: Read-only symbol: requeue"),
        (
            "$NodeDeallocationOption = 1",
            "Line 1, Col 1: $NodeDeallocationOption must be one of req",
        ),
        ("$TargetDedicated = vec(1)", "Line 1, Col 1: $TargetDedicated must be a double, not doub"),
        ("$TargetDedicatedNodes = -1", "$TargetDedicatedNodes is negative"),
    ],
)
def test_faults(text: str, detail: str) -> None:
    """Each names its place and changes no target."""
    assert fault(text).startswith(detail)


@pytest.mark.parametrize("name", [*Metric, "$CurrentDedicated", *INTERVALS])
def test_what_the_service_defines_is_read_only(name: str) -> None:
    """But for the targets, their old names and the option: those three can be read and assigned."""
    assert fault(f"{name} = 1") == f"Line 1, Col 1: Read-only symbol: {name}"


@pytest.mark.parametrize("name", [*SHORT, *FULL])
def test_targets_can_be_read_and_assigned(name: str) -> None:
    """Reading gives what was assigned."""
    result = evaluate(f"a = {name}; {name} = 3; b = {name};")

    assert result.error is None
    assert result.results.endswith(";b=3")


def test_what_a_fault_looks_like_from_outside() -> None:
    """Codes and sentences are the service's, to be put on the wire as they are."""
    assert evaluate("something_useless").error == EvaluationError(
        code="AutoScalingFormulaEvaluationError",
        message="The specified auto-scaling formula has evaluation error",
        details=("Line 1, Col 1: Undefined symbol: something_useless",),
    )
    assert evaluate("x =\n avg($PendingTasks.GetSample(TimeInterval_Hour));").error == (
        EvaluationError(
            code="InsufficientSampleData",
            message="Autoscale evaluation failed due to insufficient sample data",
            details=(
                "Line 2, Col 29: Insufficient data from data set: $PendingTasks wanted 70%, received 16%",
            ),
        )
    )


@pytest.mark.parametrize("use", ["$ActiveTasks", "$ActiveTasks.HistoryBeginTime()"])
def test_a_metric_without_samples_is_insufficient_data(use: str) -> None:
    """There is no last sample and no first one to speak of."""
    result = evaluate(f"x = {use};")

    assert result.error is not None
    assert result.error.code == "InsufficientSampleData"
    assert result.error.details[0].endswith("$ActiveTasks wanted 100%, received 0%")


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ("// nothing\n", 2, 1),
        (";", 1, 1),
        ("x = 1;;", 1, 7),
        ("x = 1\ny = 2", 2, 1),
        ("x = ;", 1, 5),
        ("x = (1;", 1, 7),
        ("x = {1};", 1, 5),
        ("x = 1 < 2 < 3", 1, 11),
        ("x = a ? b;", 1, 10),
        ("x = max(1, );", 1, 12),
        ("x = max(1 2);", 1, 11),
        ("x = time().;", 1, 12),
        ("x = 1e5", 1, 6),
        ("x = " + "1" * 400, 1, 5),
        ("x = .5", 1, 5),
        ("x = 1.", 1, 7),
        ("x = 5 % 2", 1, 7),
        ("x = $", 1, 5),
        ("1 = x", 1, 3),
        ('x = "a', 1, 5),
        ('x = time(\\"2014-10-06\\");', 1, 10),
        ("x = 1 /* c */;", 1, 8),
        ("x = y = 1;", 1, 7),
        ('x "="', 1, 3),
        ("\r\n\r\n  x = #;", 3, 7),
    ],
)
def test_syntax_errors(text: str, line: int, column: int) -> None:
    """Refused before anything runs, at the place where it goes wrong."""
    with pytest.raises(FormulaSyntaxError) as caught:
        parse_formula(text)

    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value) == f"Line {line}, Col {column}: {caught.value.message}"
    assert caught.value.code == "AutoScalingFormulaSyntaxError"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ny = 2", "Syntax error: ';' expected, 'y' found"),
        ("x = (1", "Syntax error: ')' expected, end of formula found"),
        ("x = *", "Syntax error: an expression expected, '*' found"),
        ("x = time().5", "Syntax error: a member expected, '5' found"),
        ('x = "a', "Unterminated string"),
        ("x = #", "Unexpected character: #"),
    ],
)
def test_the_words_of_syntax_errors(text: str, message: str) -> None:
    """They say what was expected and what stands there."""
    with pytest.raises(FormulaSyntaxError) as caught:
        parse_formula(text)

    assert caught.value.message == message


def test_the_limits_of_the_service() -> None:
    """8 KB and 100 statements pass; one more does not."""
    parse_formula(f"x = 1; //{'y' * (8192 - 9)}")
    parse_formula("x = 1;" * 100)

    with pytest.raises(FormulaSyntaxError, match="8192 bytes") as long:
        parse_formula(f"x = 1; //{'é' * 4095}y")
    assert long.value.code == "AutoScalingFormulaTooLong"
    assert (long.value.line, long.value.column) == (1, 1)
    with pytest.raises(FormulaSyntaxError, match="More than 100 statements"):
        parse_formula("x = 1;" * 101)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("v = vec(1);" + "v = vec(v, v);" * 90, "Line 1, Col 201: Vectors of more than 10000 comp"),
        (
            f"v = vec({'1,' * 999}1); w = vec(v,v,v,v,v); x = w" + " + w" * 400,
            "Line 1, Col 2433: More than 1000000 components in all",
        ),
        (f"x = TimeInterval_Year * 1{'0' * 299}", "Line 1, Col 23: Timeinterval out of range"),
        (f"x = -1{'0' * 30} * TimeInterval_100ns", "Line 1, Col 38: Timeinterval out of range"),
        ("x = TimeInterval_100ns / 0.0" + "0" * 30 + "1", "Line 1, Col 24: Timeinterval out of r"),
    ],
)
def test_what_grows_without_end_is_a_fault(text: str, detail: str) -> None:
    """Eight kilobytes could ask for more memory than there is: no formula takes long."""
    assert fault(text).startswith(detail)


def test_a_day_of_samples_is_no_fault() -> None:
    """The largest vectors that formulas need are far from the limits."""
    many = f"vec({'1,' * 2879}1)"
    result = evaluate(f"v = {many}; x = avg(v, v, v) + sum(v * 2) + len(v / 2, v);")

    assert result.error is None
    assert result.results.endswith(";x=11521")


def test_half_of_a_character_is_refused() -> None:
    """Also within a string or a comment, where any other character can stand."""
    for text, line, column in (('x = "\ud800"', 1, 6), ("x = 1;\n// \udfff", 2, 4)):
        with pytest.raises(FormulaSyntaxError) as caught:
            parse_formula(text)
        assert (caught.value.line, caught.value.column) == (line, column)


def test_long_formulas_are_no_deep_ones() -> None:
    """Sums, alternatives and timetables as long as 8 KB allow are evaluated."""
    timetable = "".join(f"time().hour=={hour % 19}?1:" for hour in range(400))

    assert evaluate("x=" + "+".join("1" * 4000)).results.endswith(";x=4000")
    assert evaluate("x=" + "(1)+" * 99 + "0").results.endswith(";x=99")
    assert evaluate("x=" + "||".join("0" * 2700)).results.endswith(";x=0")
    assert evaluate(f"x={timetable}2").results.endswith(";x=2")


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 31 + "1" + ")" * 31,
        "x = " + "(1)+" * 99 + "(" * 31 + "1" + ")" * 31,
        "x = " + "-" * 31 + "1",
        "x = 1" + ".a" * 31,
        "(" * 8192,
    ],
)
def test_deep_formulas_are_refused(text: str) -> None:
    """Python's stack is never at stake."""
    with pytest.raises(FormulaSyntaxError, match="30 deep"):
        parse_formula(text)


def test_the_deepest_formula_is_evaluated() -> None:
    """Every level of precedence within every level of nesting."""
    opening, closing = "0 ? 0 : 0 || 1 && 1 < 1 + 1 * -max(", ")"
    result = evaluate(f"x = {opening * 29}{'-' * 30}1{closing * 29};")

    assert result.error is None
    parse_formula("x = 1" + ".a" * 30)
