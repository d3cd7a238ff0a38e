"""The package that is deployed: what `.funcignore` lets through, as one reproducible zip."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from local.errors import LocalError

_EPOCH = (2020, 1, 1, 0, 0, 0)  # equal sources make equal bytes
_MODE = 0o100644 << 16


def deployed_files(root: Path) -> tuple[Path, ...]:
    """
    Return the files that `.funcignore` allows, relative to ``root`` and sorted.

    The file is a list of allowed entries: a rule of another kind is refused, so that this, Core
    Tools and azd never read it differently.

    Raises:
        LocalError: A rule is of another kind, or allows what does not exist.
    """
    return tuple(sorted(path.relative_to(root) for path in _allowed(root)))


def write_package(root: Path, target: Path) -> tuple[Path, ...]:
    """Write the deployment package and return the files in it."""
    files = deployed_files(root)
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for path in files:
            entry = zipfile.ZipInfo(path.as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _MODE
            package.writestr(entry, (root / path).read_bytes())
    return files


def _allowed(root: Path) -> Iterator[Path]:
    rules = (root / ".funcignore").read_text().splitlines()
    for rule in (line.strip() for line in rules):
        if not rule or rule.startswith("#") or rule in {"/*", "**/__pycache__/"}:
            continue
        entry = re.fullmatch(r"!/([\w.]+)(/?)", rule)
        if entry is None:
            raise LocalError(f".funcignore: {rule!r} is not an allowed entry of the top level")
        path = root / entry[1]
        if not (path.is_dir() if entry[2] else path.is_file()):
            raise LocalError(f".funcignore allows {rule[1:]}, which does not exist")
        if path.is_file():
            yield path
        else:
            yield from (
                below
                for below in path.rglob("*")
                if below.is_file() and "__pycache__" not in below.parts
            )
