"""
What can go wrong on the laptop.

LocalError              the message says what to do; shown without a traceback, exit code 1
├── ChildError          a process that is needed did not start, or ended by itself
└── StopRequestedError  Ctrl-C, SIGTERM or SIGHUP: everything is stopped, exit code 130
"""


class LocalError(Exception):
    """Something the person at the keyboard can act on; the message says how."""


class ChildError(LocalError):
    """A process that is needed did not start, or ended by itself."""


class StopRequestedError(LocalError):
    """Somebody asked for the end."""
