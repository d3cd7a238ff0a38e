"""What in a package will probably not run on a node, or should be read by nobody there."""

import re
from collections.abc import Iterator
from typing import Final

_SHELL_SCRIPTS: Final = (".sh", ".bash", ".ksh", ".zsh")
_SECRET_NAMES: Final = re.compile(
    r"id_(rsa|dsa|ecdsa|ed25519)|.*\.(pfx|p12|ppk|kdbx|jks)|\.(netrc|pgpass|pypirc)",
    re.IGNORECASE,
)
_PRIVATE_KEY: Final = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----")
_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"
_SECRETS: Final = (
    ("a private key", _PRIVATE_KEY),
    (
        "a connection string with its key",
        re.compile(rb"\b(AccountKey|SharedAccessKey|SharedSecret)\s*=\s*[A-Za-z0-9+/]{40,}={0,2}"),
    ),
    ("a SAS signature", re.compile(rb"[?&]sig=[A-Za-z0-9%+/]{20,}")),
    ("an AWS access key", re.compile(rb"\b(AKIA|ASIA)[A-Z0-9]{16}\b")),
    (
        "a token of GitHub or Slack",
        re.compile(rb"\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|xox[abprs]-[\w-]{10,})"),
    ),
)
_BINARY_WITHIN: Final = 8192
"""A zero byte among so many at the beginning makes a file binary, as git sees it."""


def content_warnings(path: str, content: bytes, *, is_executable: bool) -> Iterator[str]:
    """
    Yield what is suspicious about one file of a package; a secret is named by its kind alone.

    Args:
        path: Below the folder, with ``/`` between its parts.
        content: All of it.
        is_executable: Whether the package makes it executable.
    """
    name = path.rpartition("/")[2]
    yield from _script_warnings(name, content, is_executable=is_executable)
    if kind := _secret_kind(name, content):
        yield (
            f"{kind}: every task on the pool can read it. Remove it, or name it in .recurignore; "
            "docs/data-and-secrets.md says what jobs use instead"
        )


def _script_warnings(name: str, content: bytes, *, is_executable: bool) -> Iterator[str]:
    has_interpreter = content.startswith(b"#!")
    first_line = content.partition(b"\n")[0]
    is_shell = name.lower().endswith(_SHELL_SCRIPTS) or (has_interpreter and b"sh" in first_line)
    if (is_shell and b"\r\n" in content) or (has_interpreter and first_line.endswith(b"\r")):
        yield (
            "the script has Windows line ends (CRLF) and fails on Linux: save it with LF; in git, "
            "`*.sh text eol=lf` in .gitattributes keeps it so"
        )
    if has_interpreter and not is_executable:
        yield (
            "the script begins with #! but is not executable: `chmod +x` it, or let the command name "
            "its interpreter"
        )


def _secret_kind(name: str, content: bytes) -> str | None:
    """Return what a file seems to hold that is secret."""
    if b"\0" not in content[:_BINARY_WITHIN]:
        for kind, pattern in _SECRETS:
            if pattern.search(content):
                return f"it contains what looks like {kind}"
    if _SECRET_NAMES.fullmatch(name):
        return "its name suggests keys or passwords"
    if name.lower().endswith(".pem") and _CERTIFICATE not in content:
        return "its name suggests a key"
    return None
