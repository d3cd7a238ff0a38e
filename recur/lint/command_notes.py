"""Notes on commands and variables that cannot do on a node what they seem to say."""

import re
from collections.abc import Iterator, Mapping

from recur.checkout import pool_packages
from recur.lint.notes import Code, KeyNote, key_note, quoted
from recur.lint.secret_patterns import looks_secret
from recur.lint.shell_words import simple_commands

_SHELLS = frozenset({"sh", "dash"})
_HARMLESS = frozenset(
    {":", "date", "echo", "export", "printf", "set", "trap", "true", "ulimit", "umask"}
)
"""Commands that neither bring a file nor change the folder."""
_AROUND = frozenset({"env", "exec", "nice", "nohup", "time", "timeout"})
"""Commands that start the one after them."""
_INTERPRETERS = re.compile(
    r"python[\d.]*|pypy\d?|sh|bash|dash|ksh|zsh|perl|ruby|node|php|Rscript|julia|pwsh|powershell|java"
)
_ANY_SHELL = re.compile(r"(?:/\S+/)?(?:sh|bash|dash|ksh|zsh)")
_INLINE = frozenset({"-c", "-e", "-m"})
_SCRIPTS = (".bat", ".cmd", ".jar", ".jl", ".js", ".php", ".pl", ".ps1", ".py", ".r", ".rb", ".sh")
_ASSIGNMENT = re.compile(r"\w+=.*", re.DOTALL)
_OF_WINDOWS = re.compile(r"\.(bat|cmd|exe|ps1)\b|\b(cmd|powershell)\b|\w\\\w", re.IGNORECASE)
_PERCENT = re.compile(r"%(?:AZ_BATCH_APP_PACKAGE_\w+|[A-Z_][A-Z0-9_]{2,})%")
_VARIABLE = re.compile(r"\$(?:[A-Z_]\w*|\{[A-Z_]\w*\})", re.ASCII)
_PACKAGE = re.compile(r"AZ_BATCH_APP_PACKAGE_(?P<id>[A-Za-z0-9_]+)")
_VERSION = re.compile(r"_v[0-9a-f]{12}$")


def command_notes(command: str) -> Iterator[KeyNote]:
    """Note what keeps a command from working as it is written."""
    if command.startswith("#!"):
        yield from _shebang(command)
    elif script := _relative_script(command):
        yield key_note(
            Code.RELATIVE_SCRIPT,
            "command",
            f"{quoted(script)} does not exist: the task's folder is empty; put "
            "$AZ_BATCH_APP_PACKAGE_<id>/ before it",
        )
    if not _OF_WINDOWS.search(command) and (percent := _PERCENT.search(command)):
        yield key_note(
            Code.PERCENT_VARIABLE,
            "command",
            f"Linux does not expand {quoted(percent[0])}; write ${percent[0][1:-1]:.56}",
        )
    yield from _packages(command)


def _shebang(command: str) -> Iterator[KeyNote]:
    """Note a line for another interpreter than the one that runs the command."""
    words = command.splitlines()[0].removeprefix("#!").split()
    programs = [word.rpartition("/")[2] for word in words]
    if not programs or programs[0] in _SHELLS or (programs[0] == "env" and programs[1:] == ["sh"]):
        return
    yield key_note(
        Code.SHEBANG,
        "command",
        f"/bin/sh runs it, not {quoted(words[0])}: sh ignores this line; put the script into a package",
    )


def _relative_script(command: str) -> str | None:
    """Return the script that a command starts with, if it lies in the task's empty folder."""
    for words in map(_without_prefixes, simple_commands(command)):
        if words and words[0] not in _HARMLESS:
            return _script(*words)
    return None


def _without_prefixes(words: list[str]) -> list[str]:
    """Leave out assignments, and commands that start the one after them."""
    rest = words
    while rest and (_ASSIGNMENT.fullmatch(rest[0]) or rest[0] in _AROUND):
        options = rest[0] in _AROUND
        rest = rest[1:]
        while options and rest and (rest[0].startswith("-") or rest[0][:1].isdigit()):
            rest = rest[1:]
    return rest


def _script(program: str, *arguments: str) -> str | None:
    if _ANY_SHELL.fullmatch(program) and arguments[:1] == ("-c",):
        return _relative_script(arguments[1]) if arguments[1:] else None
    if not _INTERPRETERS.fullmatch(program):
        bare = "/" not in program and not program.lower().endswith(_SCRIPTS)
        return None if bare or _elsewhere(program) else program
    for argument in arguments:
        if argument in _INLINE or _elsewhere(argument):
            return None
        if not argument.startswith("-") and argument.lower().endswith(_SCRIPTS):
            return argument
    return None


def _elsewhere(path: str) -> bool:
    """Whether a path leads out of the task's folder, or is made by the shell."""
    return path.startswith(("/", "~", "..")) or any(sign in path for sign in "$`%\\:")


def _packages(command: str) -> Iterator[KeyNote]:
    """Note variables of packages that the pool does not have, or that name a version."""
    ids = dict.fromkeys(match["id"] for match in _PACKAGE.finditer(command))
    known = pool_packages()
    for id_ in ids:
        plain = _VERSION.sub("", id_)
        if plain not in known:
            yield key_note(
                Code.UNKNOWN_PACKAGE,
                "command",
                f"the pool has no package {quoted(plain)}; infra/pool/pool.json has {', '.join(known):.40}",
            )
        elif plain != id_:
            yield key_note(
                Code.PACKAGE_VERSION,
                "command",
                f"names a version of {quoted(plain)} that recur publish will replace; leave out {id_[-14:]}",
            )


def environment_notes(environment: Mapping[str, str]) -> Iterator[KeyNote]:
    """Note values in which a variable stays a name."""
    for name, value in environment.items():
        found = _VARIABLE.search(value) or _PERCENT.search(value)
        if found and not looks_secret(name, value):
            yield key_note(
                Code.LITERAL_VARIABLE,
                f"environment.{name}",
                f"{quoted(found[0])} is not expanded: no shell reads this value; set it in the command",
            )
