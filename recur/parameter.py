"""The parameter that `infra/pool` reads from the environment: the versions to run."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from recur.errors import CliError, Exit

PARAMETER: Final = "PACKAGE_VERSIONS"


def write_parameter(file: Path, versions: Mapping[str, str]) -> None:
    """
    Write ``PACKAGE_VERSIONS='{...}'`` into a file of such lines, and leave its other lines alone.

    A shell can source the file, and azd can read it.

    Raises:
        CliError: It cannot be written.
    """
    line = f"{PARAMETER}='{json.dumps(dict(versions), separators=(',', ':'))}'"
    try:
        before = file.read_text().splitlines() if file.exists() else []
        kept = [text for text in before if not text.startswith(f"{PARAMETER}=")]
        # Written aside, so that whoever reads the file never finds half of it.
        partial = file.with_name(f"{file.name}.{os.getpid()}")
        partial.write_text("\n".join([*kept, line]) + "\n")
        if file.exists():
            partial.chmod(file.stat().st_mode)
        partial.replace(file)
    except OSError as error:
        raise CliError(Exit.REFUSED, f"{file} cannot be written: {error.strerror}") from error
