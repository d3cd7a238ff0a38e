"""Passwords, keys and tokens in a command, by the way in which programs take them."""

import re
from collections.abc import Sequence
from typing import Final

from recur.lint.secret_patterns import looks_secret, secret_within
from recur.lint.shell_words import simple_commands

_ASSIGNMENT: Final = re.compile(r"\w+")
_OPTION: Final = re.compile(
    r"--?([\w-]+[-_])?(password|passwd|passphrase|pwd|token|api[-_]?key|access[-_]?key|account[-_]?key"
    r"|secret[-_]?(access[-_]?)?key|connection[-_]?string|sas)|--?[\w-]+[-_]secret",
    re.IGNORECASE,
)
_LOGIN_OPTIONS: Final = frozenset({"-u", "-U", "--user", "--proxy-user"})
_LOGIN: Final = re.compile(r"[^\s:/$`%]+:(?P<password>[^/].*)")
_SHORT: Final = {"sshpass": "-p", "sqlcmd": "-P", "bcp": "-P", "mysql": "-p", "mysqldump": "-p"}
"""Programs, and their option for a password, which stands right behind it or is the next word."""

_WITH_GROUPS: Final = frozenset({"docker", "nerdctl", "podman"})
"""Programs that take a group behind the user, and no password."""

_ALONE: Final = frozenset({"mysql", "mysqldump"})
"""Programs that ask for the password where none stands right behind the option."""

_NOT_TYPED: Final = ("$", "`", "%", "@", "<", "/", "~", ".", "-", "*")
"""What begins so is made by the shell, names a file, or stands for a value."""


def secret_in_command(command: str) -> bool:
    """
    Tell whether a command holds a password, a key or a token as it is typed.

    Looked at are variables that are set (``PGPASSWORD=``), options (``--password=``, ``--token``), a
    login with its password (``-u user:password``), and the forms of known secrets. A variable in
    their place (``--password="$PASSWORD"``) is none.
    """
    return secret_within(command) or any(map(_in_words, simple_commands(command)))


def _in_words(words: Sequence[str]) -> bool:
    program = next((one for one in words if "=" not in one), "").rpartition("/")[2]
    logins = frozenset[str]() if program in _WITH_GROUPS else _LOGIN_OPTIONS
    for word, following in zip(words, (*words[1:], ""), strict=True):
        name, equals, value = word.partition("=")
        if equals:
            named = _OPTION.fullmatch(name) or (
                _ASSIGNMENT.fullmatch(name) and looks_secret(name, value)
            )
            if (named and _is_typed(value)) or (name in logins and _is_login(value)):
                return True
        elif (
            (_OPTION.fullmatch(word) and _is_typed(following))
            or (word in logins and _is_login(following))
            or _short_option(program, word, following)
        ):
            return True
    return False


def _is_typed(value: str) -> bool:
    return bool(value) and not value.startswith(_NOT_TYPED)


def _is_login(value: str) -> bool:
    found = _LOGIN.fullmatch(value)
    return found is not None and _is_typed(found["password"])


def _short_option(program: str, word: str, following: str) -> bool:
    option = _SHORT.get(program)
    if option is None or not word.startswith(option):
        return False
    behind = word.removeprefix(option)
    return _is_typed(behind) if behind else program not in _ALONE and _is_typed(following)
