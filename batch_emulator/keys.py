"""The account's key and the token for Azure Resource Manager: given, kept in a file, or made."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from batch_emulator.secret_file import check_private, keep_secrets, new_key, new_token

KEY_VARIABLE: Final = "AZURE_BATCH_EMULATOR_KEY"
TOKEN_VARIABLE: Final = "AZURE_BATCH_EMULATOR_TOKEN"  # noqa: S105 - the name of a variable
STORAGE_VARIABLE: Final = "AZURE_BATCH_EMULATOR_STORAGE"
_TOKEN: Final = re.compile(r"[!-~]+")

DEVELOPMENT_STORAGE: Final = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLl"
    "mEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
)
"""The connection string of Azurite without options; Microsoft publishes this key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """
    The secrets that open the account.

    Attributes:
        account_key: The key of the data plane, in base64.
        arm_token: The bearer token for Azure Resource Manager and the paths under ``/emulator``.
        news: A message for the operator with the secrets that were just made.
    """

    account_key: str = field(repr=False)
    arm_token: str = field(repr=False)
    news: str = field(default="", repr=False)


def find_keys(file: Path | None, environment: Mapping[str, str]) -> Keys:
    """
    Return the keys of a file, else those of the environment, and make what is missing.

    Raises:
        ValueError: They are given twice, cannot be used, or the file is not private.
        OSError: The file cannot be read or made.
    """
    key, token = environment.get(KEY_VARIABLE, ""), environment.get(TOKEN_VARIABLE, "")
    news = ""
    if file is None:
        made = {}
        if not key:
            made["account key"] = key = new_key()
        if not token:
            made["token"] = token = new_token()
        news = _news(made, "for this run only: --key-file FILE keeps them")
    elif key or token:
        raise ValueError(
            f"--key-file and {KEY_VARIABLE if key else TOKEN_VARIABLE} are both given: leave one out"
        )
    else:
        kept, made_now = keep_secrets(file, {"account_key": new_key, "arm_token": new_token})
        key, token = kept["account_key"], kept["arm_token"]
        if made_now:
            news = _news({"account key": key, "token": token}, f"kept in {file}")
    source = str(file) if file else ""
    _check_key(key, source or KEY_VARIABLE)
    if not _TOKEN.fullmatch(token):
        raise ValueError(f"the token of {source or TOKEN_VARIABLE} has characters beyond ! to ~")
    return Keys(account_key=key, arm_token=token, news=news)


def find_storage(file: Path | None, environment: Mapping[str, str]) -> str:
    """
    Return the connection string of storage, from a file or from the environment.

    Without either it is that of Azurite without options.

    Raises:
        ValueError: The file is empty, or not private.
        OSError: The file cannot be read.
    """
    if file is None:
        return environment.get(STORAGE_VARIABLE, "").strip() or DEVELOPMENT_STORAGE
    if not (given := check_private(file).strip()):
        raise ValueError(f"{file} is empty: it must contain the connection string of blob storage")
    return given


def _check_key(key: str, source: str) -> None:
    try:
        decoded = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError) as error:  # the latter of letters beyond ASCII
        raise ValueError(f"the account key of {source} is not base64") from error
    if not decoded:
        raise ValueError(f"the account key of {source} is empty")


def _news(made: Mapping[str, str], where: str) -> str:
    secrets = ", ".join(f"{name} {secret}" for name, secret in made.items())
    return f"made {secrets} ({where})" if made else ""
