"""What an odd document costs a process, in memory and in work."""

import subprocess
import sys
from types import CodeType

import pytest

from orchestrator.document.parse import parse
from orchestrator.errors import DocumentError
from tests.support.odd_documents import ODD

MOST_CALLS = 4_000_000
"""Twenty for each of the values that a document may hold."""

_PARSE_ALL = """
import resource
from orchestrator.document.parse import parse
from orchestrator.errors import DocumentError
from tests.support.odd_documents import ODD

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for text in ODD.values():
    try:
        assert parse(text).problems
    except DocumentError as error:
        assert error.problems
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_no_document_takes_100_mb() -> None:
    """Beyond what the process has, by all of them one after the other: a tick's share of 512 MB."""
    done = subprocess.run(
        [sys.executable, "-c", _PARSE_ALL], check=True, capture_output=True, text=True
    )

    assert int(done.stdout) < 100_000


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_no_document_costs_more_than_a_large_one(text: str) -> None:
    """In functions that are called, and in what is said of it."""
    monitoring, tool = sys.monitoring, sys.monitoring.PROFILER_ID
    calls = 0

    def count(_: CodeType, __: int) -> None:
        nonlocal calls
        calls += 1

    monitoring.use_tool_id(tool, "calls")
    monitoring.register_callback(tool, monitoring.events.PY_START, count)
    monitoring.set_events(tool, monitoring.events.PY_START)
    try:
        problems = parse(text).problems
    except DocumentError as error:
        problems = error.problems
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)

    assert problems
    assert len(problems) <= 1100
    assert max(len(str(problem)) for problem in problems) < 2000
    assert calls < MOST_CALLS
