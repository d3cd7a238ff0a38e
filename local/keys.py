"""What opens the services of a laptop: made for each folder of `make up`, and for each demo."""

import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from batch_emulator.secret_file import keep_secrets, new_key, new_token
from local.errors import LocalError

FOLDER = ".local"
FILE = "keys.json"

_MAKERS = {"storage_account_key": new_key, "account_key": new_key, "arm_token": new_token}


@dataclass(frozen=True, slots=True, kw_only=True)
class LaptopKeys:
    """
    Secrets of this laptop.

    Attributes:
        storage_account_key: Of Azurite's account, in base64.
        account_key: Of the Batch account, in base64.
        arm_token: The emulator's bearer token for Azure Resource Manager.
    """

    storage_account_key: str = field(repr=False)
    account_key: str = field(repr=False)
    arm_token: str = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """Make new ones."""
        return cls(**{name: make() for name, make in _MAKERS.items()})

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """
        Return those of a folder, made on first use in a file of mode 0600.

        Raises:
            LocalError: The file cannot be made or read, or other users can read it.
        """
        try:
            kept, _ = keep_secrets(folder / FILE, _MAKERS)
        except (OSError, ValueError) as error:
            raise LocalError(f"keys of this laptop: {error}") from error
        return cls(**kept)


def close_to_others(folder: Path) -> bool:
    """Take from other users what an older version gave them in a folder; tell if it was any."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not mode & 0o077:
        return False
    folder.chmod(0o700)
    return True
