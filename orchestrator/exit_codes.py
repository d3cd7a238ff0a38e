"""Exit codes of processes: which signal they stand for, in every spelling that Batch may use."""

from difflib import get_close_matches
from typing import Final

_SIGNALS: Final = {
    "SIGHUP": 1,
    "SIGINT": 2,
    "SIGQUIT": 3,
    "SIGILL": 4,
    "SIGTRAP": 5,
    "SIGABRT": 6,
    "SIGBUS": 7,
    "SIGFPE": 8,
    "SIGKILL": 9,
    "SIGUSR1": 10,
    "SIGSEGV": 11,
    "SIGUSR2": 12,
    "SIGPIPE": 13,
    "SIGALRM": 14,
    "SIGTERM": 15,
    "SIGXCPU": 24,
    "SIGXFSZ": 25,
    "SIGSYS": 31,
}
"""Those that end a process, by Linux's numbers: nodes run Linux, whatever runs this code."""

SIGNAL_NAMES: Final = tuple(_SIGNALS)
_NAMES: Final = {number: name for name, number in _SIGNALS.items()}

_WINDOWS: Final = {
    0x40010004: "DBG_TERMINATE_PROCESS",
    0xC000010A: "STATUS_PROCESS_IS_TERMINATING",
    0xC000013A: "STATUS_CONTROL_C_EXIT",
}
"""How Windows says that a process was ended from outside: NTSTATUS values of MS-ERREF 2.3.1."""

_SHELL: Final = 128
"""A shell adds it to the number of the signal that ended its child."""

_SIGN, _MODULUS = 1 << 31, 1 << 32
NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127


def signal_name(code: int) -> str | None:
    """Return the signal that an exit code stands for, ``-9`` and ``137`` alike; else None."""
    number = -code if code < 0 else code - _SHELL
    return _NAMES.get(number)


def windows_name(code: int) -> str | None:
    """Return Windows' name of an exit code of a process that was ended from outside; else None."""
    return _WINDOWS.get(code % _MODULUS)


def is_kill(code: int) -> bool:
    """
    Tell whether a time limit may have brought this exit code: 137, 143, negative, or Windows'.

    A shell's 128 plus another number stays out: programs of their own end with such codes.
    """
    shells = {_SHELL + _SIGNALS["SIGKILL"], _SHELL + _SIGNALS["SIGTERM"]}
    return code < 0 or code in shells or windows_name(code) is not None


def is_same(one: int, other: int) -> bool:
    """Tell whether two exit codes are spellings of one: ``-9`` and ``137``, signed and unsigned."""
    return _canonical(one) == _canonical(other)


def code_of(written: int | str) -> int:
    """
    Return the exit code of a number or of the name of a signal.

    Raises:
        ValueError: The name is unknown.
    """
    if isinstance(written, int):
        return written
    if written in _SIGNALS:
        return _SHELL + _SIGNALS[written]
    raise ValueError(_unknown(written))


def sentence(code: int) -> str:
    """Say how a process with this exit code ended; for SIGKILL with the likely cause."""
    if name := signal_name(code):
        likely = ". The likely cause is that its node ran out of memory" * (name == "SIGKILL")
        return f"It was killed by {name} (exit code {code}){likely}."
    if name := windows_name(code):
        return f"It was ended from outside (exit code {code}, {name})."
    return f"It ended with exit code {code}."


def _canonical(code: int) -> int:
    """Return the spelling that codes are compared in: signed, and signals as a shell has them."""
    signed = code - _MODULUS if code >= _SIGN else code
    return _SHELL - signed if -signed in _NAMES else signed


def _unknown(written: str) -> str:
    known = get_close_matches(written.upper(), _SIGNALS, n=1, cutoff=0.5)
    name = known[0] if known else "SIGKILL"
    hint = f'did you mean "{name}"?' if known else f'write a number, or a name such as "{name}"'
    return f"{written[:60]!r} is not a signal that ends a process; {hint}"
