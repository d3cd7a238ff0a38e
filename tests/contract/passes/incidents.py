"""
The incidents that were reported of the real service, and the mark of a test that provokes one.

Each is told in the words of a public report: issues and pull requests of users of Azure Batch.
"""

from typing import Final

import pytest

INCIDENTS: Final = {
    1: "a node is removed before its stdout is read",
    2: "files are asked for while the task is still active",
    3: "a task is completed without ever having run",
    4: "a Spot node is taken away in the middle of a task",
    5: "a formula shrinks the pool while a task runs",
    6: "the start task fails on every node",
    7: "an application package is missing, or cannot be unpacked",
    8: "a node is unusable: no way out of its network, a full disk",
    9: "the account has no room for another job",
    10: "a pool without nodes shows the error of a resize of long ago",
    11: "no quota of cores, or no capacity: the node never comes",
    12: "the formula cannot be evaluated",
    13: "requests are throttled",
    14: "the service fails for a moment",
    15: "a job was created, the answer was lost, and the retry hears that it exists",
    16: "a job is not found right after its creation",
    17: "a clock is wrong, and every request is refused",
    18: "a task runs past its time limit",
    19: "exit code 0, and the upload of an output failed",
    20: "a task asks for more slots than a node has",
    21: "task counts are wrong for a while",
    22: "a download breaks off; output is large, binary, or cut in a character",
    23: "the evaluation of a formula cannot be forced",
}
"""By the numbers that the tests of the product give them."""

_MARK: Final = "incident"


def incident(number: int) -> pytest.MarkDecorator:
    """Mark a test that provokes an incident."""
    assert number in INCIDENTS, f"there is no incident {number}"
    return getattr(pytest.mark, _MARK)(number)  # type: ignore[no-any-return] # of pytest.mark
