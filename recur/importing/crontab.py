"""Crontabs: a user's (`crontab -l`), and those of the system, whose lines name a user."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orchestrator.document.cron_hints import check_cron, normalised
from orchestrator.document.dialects.reading import Dialect, Reading, quoted
from orchestrator.errors import ScheduleSyntaxError
from recur.importing.tables import Imported, Table, inline_table, timing, toml_text

_FIELDS = 5
_VARIABLE = re.compile(r"""(['"]?)(?P<name>[A-Za-z_][A-Za-z0-9_]*)\1\s*=\s*(?P<value>.*)""")
_ENTRY = re.compile(r"(?P<time>@\S+|(?:[^\s]+\s+){4}[^\s]+)(?:\s+(?P<rest>.*))?", re.DOTALL)
_HEADER_WITH_USER = re.compile(r"\bdow\s+user\b|\buser(-name)?\s+command\b", re.IGNORECASE)
_PERCENT = re.compile(r"\\%|%")
_SHELLS = frozenset({"/bin/sh", "sh", "/usr/bin/sh"})
_WORDS_BEFORE = frozenset(
    (
        *(
            "sh",
            "bash",
            "dash",
            "zsh",
            "ksh",
            "python",
            "python2",
            "python3",
            "perl",
            "php",
            "ruby",
        ),
        *("node", "java", "nice", "ionice", "flock", "timeout", "sudo", "env", "exec", "time"),
        *("test", "[", "cd", "command", "nohup", "chronic", "cronic", "run-one", "source", "."),
    )
)
_OVERLAP = """\
cron does not wait for an earlier run, so overlap is allow; skip is safer if a run can take
longer than its period."""
_CATCH_UP = "After an outage Recur runs the newest missed occurrence; cron does not (see catch_up)."
_FOLDER = """\
cron starts a command in a home folder. Here a task starts in an empty folder of its own: use full
paths for files, or put them into an application package."""


@dataclass(slots=True)
class _Setting:
    """What the lines above an entry say for it."""

    machine_zone: str | None
    time_zone: str | None
    shell: str = "/bin/sh"
    jitter: int = 0
    mail: str = ""
    environment: dict[str, str] = field(default_factory=dict[str, str])


def is_system_crontab(text: str) -> bool:
    """Whether its comments name a column of users, or root stands where a command would."""
    return any(
        _HEADER_WITH_USER.search(line) if line.startswith("#") else _as_root(line)
        for line in map(str.strip, text.splitlines())
    )


def _as_root(line: str) -> bool:
    """Whether a line names root before its command; CERN's program of that name takes options."""
    read = _ENTRY.fullmatch(line)
    user, command = [*(read["rest"] or "").split(maxsplit=1), "", ""][:2] if read else ("", "")
    return user == "root" and bool(command) and not command.startswith("-")


def read_crontab(text: str, *, time_zone: str | None, with_user: bool) -> Imported:
    """
    Return the schedules of a crontab.

    Args:
        text: The crontab.
        time_zone: Of its machine; lines below a ``CRON_TZ`` have their own.
        with_user: Whether the sixth field of its lines is a user.
    """
    setting = _Setting(machine_zone=time_zone, time_zone=time_zone)
    tables: list[Table] = []
    comments: list[str] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith("#"):
            comments.append(line.lstrip("# "))
        elif not line:
            comments = []
        elif variable := _VARIABLE.fullmatch(line):
            _take(variable["name"], _unquoted(variable["value"]), setting)
            comments = []
        else:
            table = _entry(raw.lstrip(), setting, with_user=with_user)
            above = tuple(one for one in comments if one)
            source = f"line {number}: {line}"
            tables.append(replace(table, source=source, comments=(*above, *table.comments)))
            comments = []
    zone = (
        ()
        if time_zone
        else ("Times are read as UTC; give the machine's time zone with --time-zone.",)
    )
    mail = (
        (f"cron mailed output to {setting.mail}; in Recur, alerts send mails.",)
        if setting.mail
        else ()
    )
    return Imported(
        system="a crontab",
        tables=tuple(tables),
        comments=(*zone, *mail, _OVERLAP, _CATCH_UP, _FOLDER),
    )


def _take(name: str, value: str, setting: _Setting) -> None:
    """Take over a line that gives a variable."""
    match name:
        case "CRON_TZ":
            setting.time_zone = value or setting.machine_zone
        case "SHELL":
            setting.shell = value
        case "RANDOM_DELAY" if value.isdigit():
            setting.jitter = int(value)
        case "MAILTO":
            setting.mail = value
        case "MAILFROM" | "LOGNAME" | "USER":
            pass  # a task runs as a user of Batch
        case _:
            setting.environment[name] = value


def _unquoted(value: str) -> str:
    text = value.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text


def _entry(line: str, setting: _Setting, *, with_user: bool) -> Table:
    """Return the table of one line."""
    read = _ENTRY.fullmatch(line.removeprefix("-"))
    rest = (read["rest"] or "") if read else ""
    comments: list[str] = []
    if with_user:
        user, rest = [*rest.split(maxsplit=1), "", ""][:2]
        comments.append(f"It ran as the user {user}; a task runs as a user that Batch creates.")
    if not read or not rest.strip():
        return Table(name="line", source="", refused="it has no command")
    command, from_stdin = _split(rest.strip())
    pairs = [("command", toml_text(_command(command, from_stdin, setting.shell)))]
    if setting.environment:
        pairs.append(("environment", _environment(setting.environment)))
    pairs.append(("overlap", '"allow"'))
    if setting.jitter:
        pairs.append(("jitter", quoted(f"{setting.jitter}m")))
    if from_stdin is not None:
        comments.append("The text after % is its standard input.")
    keys, refused = _timing(read["time"], setting.time_zone)
    return Table(
        name=command_name(command),
        source="",
        keys=(*keys, *pairs),
        comments=tuple(comments),
        refused=refused,
    )


def _timing(text: str, zone: str | None) -> tuple[tuple[tuple[str, str], ...], str | None]:
    """Return the keys of the time of an entry, or why there are none."""
    if text == "@reboot":
        return (), "Recur has no schedule that is due when a machine starts"
    expression = normalised(text)
    try:
        check_cron(expression)
    except ScheduleSyntaxError as error:
        return (), str(error)
    return timing(Reading(dialect=Dialect.CRONTAB, cron=(expression,), time_zone=zone))


def _split(rest: str) -> tuple[str, str | None]:
    r"""Return a command and its standard input: the first ``%`` parts them, ``\%`` is a percent."""
    parts = [""]
    position = 0
    for found in _PERCENT.finditer(rest):
        parts[-1] += rest[position : found.start()]
        if found[0] == "%":
            parts.append("")
        else:
            parts[-1] += "%"
        position = found.end()
    parts[-1] += rest[position:]
    command, *lines = parts
    return command.strip(), "\n".join(lines) or None


def _command(command: str, from_stdin: str | None, shell: str) -> str:
    """Return a command for /bin/sh that does what crond did with it."""
    if shell not in _SHELLS:
        command = f"{shell} -c {shlex.quote(command)}"
    if from_stdin is None:
        return command
    end = "END"
    while end in from_stdin.split("\n"):
        end += "_"
    return f"{{ {command}\n}} <<'{end}'\n{from_stdin.removesuffix('\n')}\n{end}\n"


def _environment(variables: Mapping[str, str]) -> str:
    return inline_table((name, toml_text(value)) for name, value in variables.items())


def command_name(command: str) -> str:
    """Return the program that a command line is about: a name for its schedule."""
    for part in re.split(r"&&|\|\||;|\|", command):
        words = part.strip(" (){}\n").split()
        if words and words[0] in {"cd", "test", "[", "sleep", "export"}:
            continue
        for word in words:
            base = word.strip("'\"").rstrip("/").rpartition("/")[2]
            if not base or word.startswith(("-", "+", "$", ">", "<")) or "=" in word:
                continue
            if base in _WORDS_BEFORE or re.fullmatch(r"[0-9.]+[smhd]?", base):
                continue
            return re.sub(r"\.(sh|bash|py|pl|php|rb|js|jar)$", "", base)
    return "job"
