"""The formula language: what expressions are worth and what becomes of the targets."""

from datetime import timedelta

import pytest

from batch_emulator.formula import Metric, parse_formula
from tests.support.formula_pool import NOW, evaluate, store


def value(expression: str, *, speed: float = 1.0) -> str:
    """Return how the service would print the value of an expression."""
    result = evaluate(f"x = {expression};", speed=speed)
    assert result.error is None, result.error
    return result.results.partition(";x=")[2]


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("1", "1"),
        ("600.0", "600"),
        ("0.25", "0.25"),
        ("1 - 1 - 1", "-1"),
        ("2 + 3 * 4 - 8 / 2 / 2", "12"),
        ("(2 + 3) * 4", "20"),
        ("-2 * -3", "6"),
        ("--2", "2"),
        ("-0", "0"),
        ("!0", "1"),
        ("!5", "0"),
        ("-!0", "-1"),
        ("!-0", "1"),
        ("!!7", "1"),
        ("1 / 3", "0.3333333333333333"),
        ("2 < 3", "1"),
        ("2 < 2", "0"),
        ("2 > 2", "0"),
        ("2 > 3", "0"),
        ("2 <= 2", "1"),
        ("2 >= 3", "0"),
        ("2 == 2", "1"),
        ("2 != 2", "0"),
        ("1 + 1 == 2 && 3 < 2 + 2", "1"),
        ("1 || 0 && 0", "1"),
        ("0 || 0", "0"),
        ("5 && 6", "1"),
        ("1 ? 2 : 3", "2"),
        ("0 ? 2 : 0 ? 3 : 4", "4"),
        ("0 ? 2 : 1 ? 3 : 4", "3"),
        ("1 ? 2 : 1 ? 3 : 4", "2"),
        ("1 ? 0 ? 5 : 6 : 7", "6"),
        ("0.1 ? 2 : 3", "2"),
        ('"a" < "b"', "1"),
        ('"a" == "b"', "0"),
        ('"a b // c"', "a b // c"),
        ("vec(1, 2) + vec(3, 4)", "[4,6]"),
        ("vec(1, 2) / 2", "[0.5,1]"),
        ("vec()", "[]"),
        ("taskcompletion", "taskcompletion"),
    ],
)
def test_expressions(expression: str, shown: str) -> None:
    """Precedence and truth as in C, numbers in their shortest form."""
    assert value(expression) == shown


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("avg(1, 2, 6)", "3"),
        ("avg(vec(1, 2), 6)", "3"),
        ("len()", "0"),
        ("len(vec(1, 2), 3)", "3"),
        ("max(1, vec(5, 2))", "5"),
        ("min(1, vec(5, 2))", "1"),
        ("norm(3, 4)", "5"),
        ("range(2, 9, 4)", "7"),
        ("std(0, 2, 4)", "2"),
        ("std(5)", "0"),
        ("std(1, 3) > 1", "1"),
        ("sum(vec(1, 2), 3)", "6"),
        ("sum()", "0"),
        ("lg(8)", "3"),
        ("ln(1)", "0"),
        ("log(1000)", "3"),
        ("lg(2, 4)", "[1,2]"),
        ("log(vec(10))", "[1]"),
        ("val(vec(4, 5, 6), 1)", "5"),
        ("percentile(vec(40, 15, 20, 35, 50), 30)", "20"),
        ("percentile(vec(15, 20), 0)", "15"),
        ("percentile(vec(15, 20), 100)", "20"),
        ("rand()", "0.13436424411240122"),
        ("time()", "2016-10-13T19:18:47.805Z"),
        ('time("Mon, 06 Oct 2014 10:20:00 GMT")', "2014-10-06T10:20:00.000Z"),
        ('time("2026-11-21T10:00:00.123456Z")', "2026-11-21T10:00:00.123Z"),
        ('time("2026-11-21T10:00-05:00")', "2026-11-21T15:00:00.000Z"),
        ('time("2026-11")', "2026-11-01T00:00:00.000Z"),
        ("time().year", "2016"),
        ("time().month", "10"),
        ("time().day", "13"),
        ("time().weekday", "4"),
        ('time("2016-10-16").weekday', "0"),
        ("time().hour", "19"),
        ("time().minute", "18"),
        ("time().second", "47"),
    ],
)
def test_functions(expression: str, shown: str) -> None:
    """Lists of numbers and vectors are one vector; time is UTC."""
    assert value(expression) == shown


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("TimeInterval_Zero", "00:00:00"),
        ("TimeInterval_100ns", "00:00:00.0000001"),
        ("TimeInterval_Microsecond * 10", "00:00:00.0000100"),
        ("TimeInterval_Millisecond", "00:00:00.0010000"),
        ("90 * TimeInterval_Second", "00:01:30"),
        ("TimeInterval_Hour / 2 + TimeInterval_Minute", "00:31:00"),
        ("TimeInterval_Day - TimeInterval_Hour", "23:00:00"),
        ("TimeInterval_Week", "7.00:00:00"),
        ("-TimeInterval_Year", "-365.00:00:00"),
        ("TimeInterval_Day == 24 * TimeInterval_Hour", "1"),
        ("TimeInterval_Day > TimeInterval_Week", "0"),
        ("time() + TimeInterval_Day", "2016-10-14T19:18:47.805Z"),
        ("TimeInterval_Day + time()", "2016-10-14T19:18:47.805Z"),
        ("time() + -TimeInterval_Day < time()", "1"),
        ('time("2016-10-13T12:00Z") - time("2016-10-13")', "12:00:00"),
    ],
)
def test_times_and_intervals(expression: str, shown: str) -> None:
    """The documented operations on them, and no other."""
    assert value(expression) == shown


def test_the_speed_divides_the_constants_and_nothing_else() -> None:
    """Clocks stay real: what lies between two moments is not divided."""
    assert value("TimeInterval_Hour", speed=60) == "00:01:00"
    assert value('time("2016-10-14") - time("2016-10-13")', speed=60) == "1.00:00:00"
    assert value("$PendingTasks.GetSamplePeriod()", speed=60) == "00:00:30"


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("$PendingTasks", "19"),
        ("$PendingTasks / 2", "9.5"),
        ("max($PendingTasks, 3)", "19"),
        ("$CurrentDedicated + $CurrentDedicatedNodes", "6"),
        ("$TaskSlotsPerNode", "4"),
        ("$PendingTasks.Count()", "20"),
        ("$PendingTasks.HistoryBeginTime()", "2016-10-13T19:09:17.805Z"),
        ("$PendingTasks.GetSample(2)", "[18,19]"),
        ("len($PendingTasks.GetSample(99))", "20"),
        ("$ActiveTasks.GetSample(1)", "[]"),
        ("max(0, $ActiveTasks.GetSample(1))", "0"),
        ("$PendingTasks.GetSample(TimeInterval_Minute)", "[18,19]"),
        ("$PendingTasks.GetSample(time() + -TimeInterval_Minute)", "[18,19]"),
        ("$PendingTasks.GetSample(TimeInterval_Minute, 2 * TimeInterval_Minute)", "[16,17]"),
        ("$PendingTasks.GetSample(2 * TimeInterval_Minute, TimeInterval_Minute)", "[16,17]"),
        ("len($PendingTasks.GetSample(TimeInterval_Hour, 10))", "20"),
        ("len($PendingTasks.GetSample(20 * TimeInterval_Minute, 50))", "20"),
        ("len($PendingTasks.GetSample(TimeInterval_Zero, TimeInterval_Hour, 10))", "20"),
        ("$PendingTasks.GetSamplePercent(TimeInterval_Minute * 20)", "50"),
        ("$PendingTasks.GetSamplePercent(10 * TimeInterval_Minute, TimeInterval_Day)", "0"),
        ("$PendingTasks.GetSamplePercent(TimeInterval_Second)", "100"),
        ("$ActiveTasks.GetSamplePercent(TimeInterval_Minute)", "0"),
    ],
)
def test_samples(expression: str, shown: str) -> None:
    """Every form of every method; a metric on its own is its last sample."""
    assert value(expression) == shown


def test_branches_not_taken_are_not_evaluated() -> None:
    """Formulas rely on it: the branch that reads samples is entered only if there are enough."""
    assert value("1 ? 2 : 1 / 0") == "2"
    assert value("0 ? nothing : 3") == "3"
    assert value("0 && 1 / 0") == "0"
    assert value("1 || 1 / 0") == "1"
    assert value("0 || 1 || 1 / 0") == "1"


def test_targets_keep_their_values_until_assigned() -> None:
    """Reading gives the current target, then what was assigned, fraction and all."""
    kept = evaluate("before = $TargetDedicatedNodes; $TargetDedicatedNodes = before + 0.9;"
                    "after = $TargetDedicatedNodes;", dedicated=2)  # fmt: skip

    assert (kept.target_dedicated, kept.target_low_priority) == (2, 7)
    assert kept.results == (
        "$TargetDedicatedNodes=2.9;$TargetLowPriorityNodes=7;$NodeDeallocationOption=requeue;"
        "after=2.9;before=2"
    )
    assert evaluate("$TargetDedicatedNodes = -0.9").target_dedicated == 0


def test_the_full_name_of_a_target_wins() -> None:
    """In whatever order the old name and the full one are assigned."""
    for text in (
        "$TargetDedicated = 5; $TargetDedicatedNodes = 3",
        "$TargetDedicatedNodes = 3; $TargetDedicated = 5",
    ):
        result = evaluate(text)
        assert result.target_dedicated == 3
        assert result.results.startswith("$TargetDedicatedNodes=3;$TargetLowPriorityNodes=7;")
    short = evaluate("$TargetLowPriority = 5; x = $TargetLowPriorityNodes;")
    assert short.target_low_priority == 5
    assert short.results == (
        "$TargetDedicatedNodes=0;$TargetLowPriority=5;$NodeDeallocationOption=requeue;x=5"
    )


def test_stop_ends_the_evaluation() -> None:
    """What was assigned before holds; what comes after is not even looked at."""
    result = evaluate("$TargetDedicatedNodes = 1; 1 ? stop() : 0; $TargetDedicatedNodes = nothing;")

    assert (result.target_dedicated, result.error) == (1, None)


@pytest.mark.parametrize("option", ["requeue", "terminate", "taskcompletion", "retaineddata"])
def test_node_deallocation_options(option: str) -> None:
    """The four bare words; requeue unless the formula says otherwise."""
    result = evaluate(f"$NodeDeallocationOption = {option}; x = $NodeDeallocationOption")

    assert result.node_deallocation_option == option
    assert result.results.endswith(f";$NodeDeallocationOption={option};x={option}")
    assert evaluate("x = 1").node_deallocation_option == "requeue"


def test_rand_is_repeatable() -> None:
    """Without a generator it is drawn from the time given: an evaluation stays a pure function."""
    formula = parse_formula("x = rand(); $TargetDedicatedNodes = x >= 0 && x <= 1;")
    first, second, other = (
        formula.evaluate(now=NOW + timedelta(seconds=seconds), samples=store())
        for seconds in (0, 0, 1)
    )

    assert first == second
    assert first.results != other.results
    assert first.target_dedicated == 1


def test_what_an_evaluation_needs() -> None:
    """A time without a zone or a speed of nothing is a mistake of the caller, not of the formula."""
    formula = parse_formula("$TargetDedicatedNodes = $TaskSlotsPerNode")
    assert formula.evaluate(now=NOW, samples=store()).target_dedicated == 1
    with pytest.raises(ValueError, match="aware"):
        formula.evaluate(now=NOW.replace(tzinfo=None), samples=store())
    with pytest.raises(ValueError, match="positive speed"):
        formula.evaluate(now=NOW, samples=store(), speed=0)


def test_metrics_are_the_names_of_the_service() -> None:
    """A server records samples under these names."""
    assert Metric("$PendingTasks") is Metric.PENDING_TASKS
    assert all(metric.startswith("$") for metric in Metric)
    assert len(Metric) == 21
