"""
Formulas of others, with what the real service made of them where that is known.

The formulas stand outside the repository; RECUR_ORACLES names the folder.
"""

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batch_emulator.formula import (
    Evaluation,
    FormulaSyntaxError,
    Metric,
    SampleStore,
    parse_formula,
)

NOW = datetime(2016, 10, 13, 19, 18, 47, 805000, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Malformed:
    """
    A formula that the service does not run as it stands.

    Attributes:
        line: Where it is refused.
        column: Where it is refused.
        why: What is known of it.
        wrong: What would have to be replaced,
        right: and by what, for it to be a formula; nothing where nobody can tell.
    """

    line: int
    column: int
    why: str
    wrong: str = ""
    right: str = ""


MALFORMED = {
    "batchexplorer_SettingInitialPoolSize.txt": Malformed(
        7,
        26,
        "Copied out of a string of C# or JSON: BatchExplorer shows it as a sample for people, who have "
        "to take the backslashes away. The language has no backslash.",
        '\\"',
        '"',
    ),
    "docs_braces_bad.txt": Malformed(
        1,
        25,
        "A placeholder of C#'s string interpolation; a user reported that the service refuses it "
        "(MicrosoftDocs/azure-docs pull 12386).",
    ),
    "tlomodel_issue1160_missing_semicolon.txt": Malformed(
        7,
        5,
        "Statements are separated by semicolons, as documented. It stands in an issue, and was never "
        "run (UCL/TLOmodel issue 1160).",
        "pTaskSample)\n",
        "pTaskSample);\n",
    ),
}
FAULTS = {
    "recorded_undefined_symbol.txt": "Line 1, Col 1: Undefined symbol: something_useless",
    "doazureparallel_weekend.txt": "Line 1, Col 14: Undefined symbol: $curTime",
    "nextflow_issue3866_bad_nanos.txt": "Line 2, Col 25: Invalid date and time: ",
    "vplauzon_3_d78d43f.txt": "Line 1, Col 130: Operator >= cannot be applied to doubleVec",
    "vplauzon_4_28a207c.txt": "Line 1, Col 104: Operator >= cannot be applied to doubleVec",
}


@dataclass(frozen=True, slots=True)
class Pool:
    """The state in which the known result was obtained, as far as its source tells."""

    samples: int = 200
    values: tuple[tuple[str, float], ...] = ()
    dedicated: int = 0
    slots: int = 1


POOLS = {
    "doazureparallel_queue.txt": Pool(dedicated=1),
    "powershell_test_autoscale.txt": Pool(samples=0),
    "azurebatch_issue151.txt": Pool(values=(("$PendingTasks", 4),), slots=2),
}


@pytest.fixture(scope="module")
def corpus() -> Path:
    """Return the folder of the formulas."""
    if "RECUR_ORACLES" not in os.environ:
        pytest.skip("RECUR_ORACLES does not say where the formulas of others are")
    return Path(os.environ["RECUR_ORACLES"]) / "formulas"


def evaluate(corpus: Path, name: str) -> Evaluation:
    pool = POOLS.get(name, Pool())
    store = SampleStore(latency=timedelta())
    values = {metric.value: 0.0 for metric in Metric} | dict(pool.values)
    for back in range(pool.samples - 1, -1, -1):
        store.record(at=NOW - back * timedelta(seconds=30), values=values)
    return parse_formula((corpus / name).read_text()).evaluate(
        now=NOW, samples=store, target_dedicated=pool.dedicated, task_slots_per_node=pool.slots
    )


def index(corpus: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (corpus / "index.jsonl").read_text().splitlines()]


def test_every_formula_parses_and_is_evaluated(corpus: Path) -> None:
    """All but the known bad ones: an idle pool gets its targets."""
    names = {str(entry["file"]) for entry in index(corpus)}
    faults = {
        name: result.error
        for name in names - MALFORMED.keys()
        if (result := evaluate(corpus, name)).error is not None
    }

    assert len(names) >= 65
    assert faults.keys() == FAULTS.keys()


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_formulas_are_refused(corpus: Path, name: str) -> None:
    """Where a reader would point; what is wrong is the only thing that is."""
    text, known = (corpus / name).read_text(), MALFORMED[name]

    with pytest.raises(FormulaSyntaxError) as caught:
        parse_formula(text)

    assert (caught.value.line, caught.value.column) == (known.line, known.column), known.why
    if known.right:
        assert known.wrong in text
        parse_formula(text.replace(known.wrong, known.right))


@pytest.mark.parametrize("name", FAULTS)
def test_known_faults(corpus: Path, name: str) -> None:
    """In the service's words where they are known."""
    result = evaluate(corpus, name)

    assert result.error is not None
    assert result.error.code == "AutoScalingFormulaEvaluationError"
    assert result.error.details[0].startswith(FAULTS[name])


def test_known_results(corpus: Path) -> None:
    """
    What the service printed, to the letter.

    Results from before Spot nodes existed lack their target, which every reply now has.
    """
    known = {
        str(e["file"]): str(e["expected_results"]) for e in index(corpus) if "expected_results" in e
    }
    assert len(known) >= 6

    for name, expected in known.items():
        printed = evaluate(corpus, name).results
        if "LowPriority" not in expected:
            printed = re.sub(r"\$TargetLowPriorityNodes=\d+;", "", printed)
        assert printed == expected, name


def test_known_values(corpus: Path) -> None:
    """Variables of which a report tells the value, and the truncation of a fractional target."""
    idle = evaluate(corpus, "azurebatch_issue120.txt")
    assert ";pendingTaskSamplePercent=100;pendingTaskSamples=1;" in f"{idle.results};"

    fractional = evaluate(corpus, "azurebatch_issue151.txt")
    assert fractional.results.startswith("$TargetDedicatedNodes=2.9;")
    assert fractional.target_dedicated == 2
