"""Which values look like secrets: they would stand in the ledger for everybody who may read it."""

import re

_NAMES = re.compile(
    r"(^|_)(PASSWORD|PGPASSWORD|SSHPASS|PASSWD|PASSPHRASE|PWD|SECRETS?|TOKEN|API_?KEY|ACCESS_?KEY|ACCOUNT_?KEY"
    r"|PRIVATE_?KEY|CONNECTION_?STRING|CONN_?STR|CREDENTIALS?|SAS)$",
    re.IGNORECASE,
)
_VALUES = (
    re.compile(r"\b(AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd)\s*=\s*[^\s;$]"),
    re.compile(r"[?&]sig=[A-Za-z0-9%+/]{20,}"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\."),
    re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|xox[abprs]-[\w-]{10,})"),
    re.compile(r"\w+://[^\s/:@]+:[^\s/:@$]+@"),
    re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{86}==(?![A-Za-z0-9+/=])"),
)


def looks_secret(name: str, value: str) -> bool:
    """Whether a variable's name or its value is that of a password, a key or a token."""
    return bool(value and _NAMES.search(name)) or secret_within(value)


def secret_within(text: str) -> bool:
    """Whether a text holds a password, a key or a token of a form that is known."""
    return any(one.search(text) for one in _VALUES)
