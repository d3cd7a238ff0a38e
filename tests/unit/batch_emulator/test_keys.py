"""Keys: given, kept in a private file, or made."""

import base64
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from batch_emulator.keys import (
    KEY_VARIABLE,
    STORAGE_VARIABLE,
    TOKEN_VARIABLE,
    find_keys,
    find_storage,
)
from batch_emulator.options import Options
from batch_emulator.secret_file import keep_secrets, new_key, new_token, write_private

KEPT = {"account_key": "a2V5", "arm_token": "token"}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def private(path: Path, content: object, permissions: int = 0o600) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(permissions)
    return path


def test_a_key_file_is_made_on_first_use_and_told_once(tmp_path: Path) -> None:
    """Mode 0600 in a folder of mode 0700; the second start finds the same and tells nothing."""
    file = tmp_path / "new" / "keys.json"

    first, second = find_keys(file, {}), find_keys(file, {})

    assert len(base64.b64decode(first.account_key)) == 64
    assert len(first.arm_token) == 43
    expected = f"made account key {first.account_key}, token {first.arm_token} (kept in {file})"
    assert first.news == expected
    assert second.news == ""
    assert (second.account_key, second.arm_token) == (first.account_key, first.arm_token)
    assert json.loads(file.read_text()) == {
        "account_key": first.account_key,
        "arm_token": first.arm_token,
    }
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)
    assert [item.name for item in file.parent.iterdir()] == ["keys.json"]


def test_a_wide_open_umask_opens_no_file(tmp_path: Path) -> None:
    """The mode is that of the file, whatever the process would give to others."""
    before = os.umask(0)
    try:
        find_keys(tmp_path / "keys.json", {})
        write_private(private(tmp_path / "settings.json", "old", 0o644), "new")
    finally:
        os.umask(before)

    assert mode(tmp_path / "keys.json") == mode(tmp_path / "settings.json") == 0o600
    assert (tmp_path / "settings.json").read_text() == "new"


def test_those_who_make_a_file_at_once_get_the_same(tmp_path: Path) -> None:
    """No reader sees half a file, and exactly one has made it."""
    for number in range(20):
        file = tmp_path / f"{number}.json"
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: keep_secrets(file, {"key": new_key}), range(8)))  # noqa: B023
        assert len({kept["key"] for kept, _ in found}) == 1
        assert sum(made for _, made in found) == 1
    assert len(list(tmp_path.iterdir())) == 20


@pytest.mark.parametrize("permissions", [0o644, 0o640, 0o604, 0o620, 0o666, 0o601])
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, permissions: int) -> None:
    """They may know the key by now: it is replaced, and not hidden."""
    file = private(tmp_path / "keys.json", KEPT, permissions)

    with pytest.raises(ValueError, match=rf"has mode {permissions:04o}.*remove it.*mode 0600"):
        find_keys(file, {})
    with pytest.raises(ValueError, match="other users may know its secrets"):
        find_storage(file, {})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is not JSON: remove it"),
        ("[]", "lacks account_key and arm_token: remove it"),
        ({"account_key": "a2V5"}, "lacks arm_token"),
        ({"account_key": "", "arm_token": 7}, "lacks account_key and arm_token"),
        (KEPT | {"account_key": "no base64"}, "the account key of .*keys.json is not base64"),
        (KEPT | {"account_key": "schlüssel"}, "is not base64"),
        (KEPT | {"arm_token": "two words"}, "the token of .*keys.json has characters beyond"),
    ],
    ids=str,
)
def test_a_file_without_usable_keys_is_refused(
    tmp_path: Path,
    content: object,
    complaint: str,
) -> None:
    """The message names the file and what to do; nothing is written."""
    file = private(tmp_path / "keys.json", content)
    before = file.read_text()

    with pytest.raises(ValueError, match=complaint):
        find_keys(file, {})
    assert file.read_text() == before


def test_other_secrets_in_a_file_are_left_alone(tmp_path: Path) -> None:
    """A file may be shared with whoever keeps more in it."""
    keys = find_keys(private(tmp_path / "keys.json", KEPT | {"other": "x"}), {})
    assert (keys.account_key, keys.arm_token, keys.news) == ("a2V5", "token", "")


def test_a_file_in_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """Not a key that nobody keeps."""
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="File exists"):
        find_keys(tmp_path / "file" / "keys.json", {})


def test_the_environment_gives_keys_and_what_is_missing_is_made_and_told() -> None:
    """What is given is not printed."""
    both = find_keys(None, {KEY_VARIABLE: "a2V5", TOKEN_VARIABLE: "token"})
    assert (both.account_key, both.arm_token, both.news) == ("a2V5", "token", "")
    one = find_keys(None, {KEY_VARIABLE: "a2V5"})
    where = "(for this run only: --key-file FILE keeps them)"
    assert (one.account_key, one.news) == ("a2V5", f"made token {one.arm_token} {where}")
    none = find_keys(None, {})
    assert none.news == f"made account key {none.account_key}, token {none.arm_token} {where}"
    with pytest.raises(ValueError, match=f"the account key of {KEY_VARIABLE} is not base64"):
        find_keys(None, {KEY_VARIABLE: "key"})
    with pytest.raises(ValueError, match=f"the token of {TOKEN_VARIABLE} has characters"):
        find_keys(None, {KEY_VARIABLE: "a2V5", TOKEN_VARIABLE: "a b"})


def test_storage_is_given_by_file_or_environment(tmp_path: Path) -> None:
    """Without either it is Azurite as it is started without options."""
    file = private(tmp_path / "storage", "from the file\n")
    given = {STORAGE_VARIABLE: "from the environment"}
    assert find_storage(file, given) == "from the file"
    assert find_storage(None, given) == "from the environment"
    assert find_storage(None, {STORAGE_VARIABLE: " "}) == find_storage(None, {})
    assert "http://127.0.0.1:10000/devstoreaccount1;" in find_storage(None, {})
    with pytest.raises(ValueError, match="is empty: it must contain the connection string"):
        find_storage(private(tmp_path / "empty", "\n"), given)


def test_no_secret_is_in_the_text_of_an_object(tmp_path: Path) -> None:
    """A log line or a traceback with one tells none."""
    keys = find_keys(None, {})
    options = Options(account="a", key=keys.account_key, storage="AccountKey=x", root=tmp_path)
    told = f"{keys!r} {options!r}"

    for secret in (keys.account_key, keys.arm_token, options.token, "AccountKey"):
        assert secret not in told
    assert len({new_token() for _ in range(100)}) == 100
