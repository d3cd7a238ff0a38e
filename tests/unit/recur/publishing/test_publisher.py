"""Which versions may go, what a zip file holds, and the parameter of infra/pool."""

import os
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recur.arm import Version
from recur.commands.publish import write_parameter
from recur.errors import CliError, Exit
from recur.publishing.packaging import PackageError, build, build_all, version_in
from recur.publishing.publisher import superfluous

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


def _version(number: int, *, active: bool = True) -> Version:
    at = BEGIN + timedelta(hours=number) if active else None
    return Version(application="tool", name=f"v{number}", active=active, activated=at)


HISTORY = [_version(number) for number in range(8)]


@pytest.mark.parametrize(
    ("keep", "referenced", "published", "gone"),
    [
        (5, [], "v7", ["v0", "v1", "v2"]),
        (5, ["v1"], "v7", ["v0", "v2"]),
        (5, ["V1"], "v7", ["v0", "v2"]),
        (5, ["v6", "v9"], "v7", ["v0", "v1", "v2"]),
        (1, [], "v7", ["v0", "v1", "v2", "v3", "v4", "v5", "v6"]),
        (1, [], "v0", ["v1", "v2", "v3", "v4", "v5", "v6"]),
        (8, [], "v7", []),
        (1, [""], "v7", []),
    ],
    ids=[
        "oldest first",
        "referred to",
        "in another case",
        "referred to and kept anyway",
        "only the newest",
        "gone back to an old one",
        "all are kept",
        "a reference without a version",
    ],
)
def test_what_may_go(keep: int, referenced: list[str], published: str, gone: list[str]) -> None:
    """The oldest first; never what a pool refers to, nor what has just been published."""
    found = superfluous(HISTORY, referenced=referenced, published=published, keep=keep)

    assert [version.name for version in found] == gone


versions = st.lists(
    st.builds(_version, st.integers(0, 50), active=st.booleans()), unique_by=lambda one: one.name
)
names = st.integers(0, 50).map(lambda number: f"v{number}")


@given(versions, st.lists(names), names, st.integers(1, 39))
def test_what_is_needed_never_goes(
    history: list[Version], referenced: list[str], published: str, keep: int
) -> None:
    """Whatever there is: no pool loses a package, no upload is disturbed, the newest few stay."""
    found = superfluous(history, referenced=referenced, published=published, keep=keep)

    gone = {version.name for version in found}
    assert not gone & {*referenced, published}
    assert all(version.active for version in found)
    active = sorted((one for one in history if one.active), key=lambda one: one.activated or BEGIN)
    assert not gone & {one.name for one in active[-keep:]}
    assert gone | {*referenced, published} >= {one.name for one in active[:-keep]}


def _folder(parent: Path, **files: str) -> Path:
    folder = parent / "tool"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / f"{name}.py").write_text(content)
    return folder


def test_a_zip_file_says_its_version(tmp_path: Path) -> None:
    """It is the version under which it was built; a byte more is another."""
    folder = _folder(tmp_path, a="1", b="2")
    (folder / "b.py").chmod(0o755)
    built = build(folder, tmp_path)

    assert version_in(built.zip_path) == built.version
    with zipfile.ZipFile(built.zip_path, "a") as archive:
        archive.writestr("c.py", "3")
    assert version_in(built.zip_path) not in {built.version, None}


@pytest.mark.parametrize("cut", [0, 10, -30])
def test_what_is_no_whole_zip_file_has_no_version(tmp_path: Path, cut: int) -> None:
    """Empty, cut off, or with a byte that its checksum does not cover any more."""
    built = build(_folder(tmp_path, a="1" * 100), tmp_path)
    content = built.zip_path.read_bytes()
    built.zip_path.write_bytes(content[:cut])
    assert version_in(built.zip_path) is None
    built.zip_path.write_bytes(content.replace(b"1" * 100, b"1" * 99 + b"2"))
    assert version_in(built.zip_path) is None


def test_every_folder_of_a_workload_is_an_application(tmp_path: Path) -> None:
    """Files beside them, such as a README, are none, nor are leftovers of tools."""
    for name in ("beta", "alpha", ".idea", "__pycache__"):
        (tmp_path / "workload" / name).mkdir(parents=True)
        (tmp_path / "workload" / name / "main.py").write_text("1")
    (tmp_path / "workload/README.md").write_text("about")

    found = build_all(tmp_path / "workload", tmp_path / "to")

    assert [package.name for package in found] == ["alpha", "beta"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """With the system's reason."""
    folder = _folder(tmp_path, a="1")
    (folder / "a.py").chmod(0)

    with pytest.raises(PackageError, match=r"a\.py: Permission denied"):
        build(folder, tmp_path)


def test_a_parameter_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With the file's name, and code 3."""
    with pytest.raises(CliError, match=r"absent/packages\.env cannot be written") as refused:
        write_parameter(tmp_path / "absent/packages.env", {})

    assert refused.value.code is Exit.REFUSED
