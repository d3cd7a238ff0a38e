"""One application package, given at the start or uploaded."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VERSION = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_FLATTENED: Final = str.maketrans(".-#", "___")


@dataclass(frozen=True, slots=True)
class Package:
    """
    One version of one application, as a zip.

    Attributes:
        application: The application's id.
        version: The version's name.
        zip_path: The zip file; for an uploaded one only its future name on a node.
        blob: Container and name of an uploaded package, joined by a slash.
    """

    application: str
    version: str
    zip_path: Path
    blob: str = ""

    @classmethod
    def parse(cls, argument: str) -> Self:
        """
        Read ``NAME=VERSION=ZIP``.

        Raises:
            ValueError: It is not of this form, or there is no such zip.
        """
        name, _, rest = argument.partition("=")
        version, _, path = rest.partition("=")
        if not _NAME.fullmatch(name) or not _VERSION.fullmatch(version) or not path:
            raise ValueError(f"not of the form NAME=VERSION=ZIP: {argument}")
        if not zipfile.is_zipfile(path):
            raise ValueError(f"not a zip file: {path}")
        return cls(name, version, Path(path))

    @property
    def variable(self) -> str:
        """The variable that holds the folder: the Linux form, flattened and in lower case."""
        flattened = f"{self.application}_{self.version}".translate(_FLATTENED).lower()
        return f"AZ_BATCH_APP_PACKAGE_{flattened}"

    @property
    def folder(self) -> str:
        """The folder below a node's ``applications``."""
        return f"{self.application}{self.version}".lower()
