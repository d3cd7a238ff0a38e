"""What no application package holds: a repository, settings with secrets, caches; and `.recurignore`."""

from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec

IGNORE_FILE: Final = ".recurignore"
"""In the folder of an application: more patterns, one to a line, as in a .gitignore."""

NEVER: Final = (
    ".git",
    ".hg",
    ".svn",
    ".env*",
    ".venv",
    "venv",
    "node_modules",
    ".DS_Store",
    "Thumbs.db",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    ".tox",
    ".nox",
    ".cache",
    ".ipynb_checkpoints",
    ".coverage",
    ".idea",
    ".vscode",
    IGNORE_FILE,
)
"""Left out wherever it lies; a line such as ``!node_modules`` in .recurignore keeps it."""

_DEFAULTS: Final = GitIgnoreSpec.from_lines(NEVER)


class LeftOut:
    """
    Tells what of an application's folder stays out of its package.

    The patterns are git's: the last one that matches decides, and what lies in a folder that is left
    out cannot be kept.
    """

    def __init__(self, folder: Path) -> None:
        """
        Read the patterns of a folder.

        Raises:
            OSError: The file of the patterns cannot be read.
            ValueError: It is not UTF-8, or holds a pattern that git would not take.
        """
        file = folder / IGNORE_FILE
        lines = file.read_text(encoding="utf-8-sig").splitlines() if file.is_file() else []
        self._patterns = GitIgnoreSpec.from_lines([*NEVER, *lines])

    def holds(self, path: str, *, is_folder: bool) -> bool:
        """Tell whether a path below the folder, with ``/`` between its parts, is left out."""
        return self._patterns.match_file(f"{path}/" if is_folder else path)


def is_leftover(name: str) -> bool:
    """Tell whether a folder beside those of the applications is none: a tool's own."""
    return name.startswith(".") or _DEFAULTS.match_file(f"{name}/")
