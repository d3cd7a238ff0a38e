"""What an exit code says of the end of a process."""

import signal
import sys
from itertools import pairwise

import pytest

from orchestrator.exit_codes import (
    SIGNAL_NAMES,
    code_of,
    is_kill,
    is_same,
    sentence,
    signal_name,
)

MEMORY = "The likely cause is that its node ran out of memory"
CONTROL_C = 0xC000013A
"""As Windows tells the end by a time limit: BatchExplorer's issue 146."""


def signed(code: int) -> int:
    return code - 2**32


@pytest.mark.skipif(sys.platform != "linux", reason="other systems number signals otherwise")
@pytest.mark.parametrize("name", SIGNAL_NAMES)
def test_a_signal_is_known_in_both_spellings(name: str) -> None:
    """The numbers are Linux's, as Python has them there."""
    number = signal.Signals[name].value

    assert signal_name(-number) == signal_name(128 + number) == name
    assert code_of(name) == 128 + number
    assert is_same(-number, 128 + number)


@pytest.mark.parametrize("code", [0, 1, 9, 125, 126, 127, 128, 145, 255, -17, -1000])
def test_an_ordinary_code_is_no_signal(code: int) -> None:
    """Nor is a signal that only stops a process, such as SIGCHLD and SIGSTOP."""
    assert signal_name(code) is None
    assert "SIG" not in sentence(code)


@pytest.mark.parametrize(
    ("code", "kill"),
    [
        (-9, True),
        (-15, True),
        (-11, True),
        (137, True),
        (143, True),
        (CONTROL_C, True),
        (signed(CONTROL_C), True),
        (0x40010004, True),
        (0, False),
        (1, False),
        (3, False),
        (126, False),
        (127, False),
        (130, False),
        (139, False),
        (255, False),
    ],
)
def test_only_some_codes_may_come_from_a_time_limit(code: int, kill: bool) -> None:
    """Another code is the program's own, however long it ran."""
    assert is_kill(code) is kill


def test_codes_are_the_same_in_any_spelling_and_no_other() -> None:
    """Signed and unsigned, signal and shell; neighbours differ."""
    spellings = [(-9, 137, 2**32 - 9), (-1, 129, 2**32 - 1), (signed(CONTROL_C), CONTROL_C)]
    for group in spellings:
        assert all(is_same(one, other) for one, other in pairwise(group))
    for first, second in pairwise(group[0] for group in spellings):
        assert not is_same(first, second)
    assert not is_same(9, 137)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (3, "It ended with exit code 3."),
        (
            137,
            f"It was killed by SIGKILL (exit code 137). {MEMORY}.",
        ),
        (
            -9,
            f"It was killed by SIGKILL (exit code -9). {MEMORY}.",
        ),
        (143, "It was killed by SIGTERM (exit code 143)."),
        (-11, "It was killed by SIGSEGV (exit code -11)."),
        (
            signed(CONTROL_C),
            "It was ended from outside (exit code -1073741510, STATUS_CONTROL_C_EXIT).",
        ),
    ],
)
def test_an_end_is_told_by_its_signal(code: int, says: str) -> None:
    """Memory is blamed for SIGKILL alone."""
    assert sentence(code) == says
