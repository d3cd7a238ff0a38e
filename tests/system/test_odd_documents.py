"""What an odd document costs a process in memory."""

import subprocess
import sys

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
