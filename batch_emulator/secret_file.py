"""Secrets in a JSON file that only its owner can read, made on first use."""

import base64
import contextlib
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

_KEY_BYTES: Final = 64
_TOKEN_BYTES: Final = 32
_FOR_OTHERS: Final = 0o077


def new_key() -> str:
    """Return a random account key, in base64 and as long as those of Azure."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def new_token() -> str:
    """Return a random bearer token."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def keep_secrets(
    path: Path, makers: Mapping[str, Callable[[], str]]
) -> tuple[dict[str, str], bool]:
    """
    Return the secrets of a file; make the file with mode 0600 if it is missing.

    Of two processes that make it at once, both get the secrets of the first.

    Args:
        path: The file. A missing folder is made with mode 0700.
        makers: For each name, what makes a new secret. Other names in the file are ignored.

    Returns:
        The secrets by name, and whether they were made by this call.

    Raises:
        ValueError: Others can read the file, or it lacks a name.
        OSError: It cannot be read or made.
    """
    if not path.exists():
        made = {name: make() for name, make in makers.items()}
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            _write(path, json.dumps(made, indent=2) + "\n", os.link)
            return made, True
    return _read(path, tuple(makers)), False


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole by one that only its owner can read."""
    _write(path, text, os.replace)


def check_private(path: Path) -> str:
    """
    Return the text of a file that only this user can read.

    Raises:
        ValueError: Others can read or change it, or it belongs to another user.
        OSError: It cannot be read.
    """
    with path.open(encoding="utf-8") as file:
        status = os.fstat(file.fileno())
        if status.st_uid != os.geteuid():
            raise ValueError(f"{path} belongs to another user: remove it, or name another file")
        if status.st_mode & _FOR_OTHERS:
            mode = stat.S_IMODE(status.st_mode)
            raise ValueError(
                f"{path} has mode {mode:04o}, so other users may know its secrets: "
                "remove it, and start again to get new ones in a file of mode 0600"
            )
        return file.read()


def _read(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    remedy = "remove it, and start again to get a new one"
    try:
        found = json.loads(check_private(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {remedy}") from error
    given = found if isinstance(found, dict) else {}
    missing = [name for name in names if not isinstance(given.get(name), str) or not given[name]]
    if missing:
        raise ValueError(f"{path} lacks {' and '.join(missing)}: {remedy}")
    return {name: str(given[name]) for name in names}


def _write(path: Path, text: str, put: Callable[[str, Path], None]) -> None:
    """Write beside the file, and put that in its place when it is complete."""
    descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        put(beside, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(beside).unlink()
