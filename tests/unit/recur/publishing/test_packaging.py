"""Application packages: what changes their version and their bytes, and what does not."""

import os
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recur.publishing.packaging import Package, PackageError, build
from tests.support.breadth import examples

FILES = {"main.py": b"print(1)\n", "lib/a.py": b"A = 1\n", "lib/b.txt": b"\x00\xff"}


def folder_of(parent: Path, files: dict[str, bytes], name: str = "tool_1") -> Path:
    folder = parent / name
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o644)
    return folder


def package(parent: Path, files: dict[str, bytes]) -> Package:
    return build(folder_of(parent / "from", files), parent / "to")


def test_a_package_holds_the_files_of_the_folder(tmp_path: Path) -> None:
    """Names, contents and executable bits arrive, in a file named for id and version."""
    folder = folder_of(tmp_path, FILES)
    (folder / "main.py").chmod(0o700)

    built = build(folder, tmp_path / "new" / "target")

    assert built.name == "tool_1"
    assert built.zip_path == tmp_path / "new" / "target" / f"tool_1-{built.version}.zip"
    assert len(built.version) == 13
    assert built.version[0] == "v"
    int(built.version[1:], 16)
    with zipfile.ZipFile(built.zip_path) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
        modes = {i.filename: stat.filemode(i.external_attr >> 16) for i in archive.infolist()}
    assert modes["main.py"] == "-rwxr-xr-x"
    assert modes["lib/a.py"] == "-rw-r--r--"


def test_the_same_content_gives_the_same_version_and_bytes(tmp_path: Path) -> None:
    """The order of creation, times, group bits and what Python leaves behind do not count."""
    first = package(tmp_path / "1", FILES)
    folder = folder_of(tmp_path / "2", dict(reversed(FILES.items())))
    folder_of(folder, {"x.pyc": b"1"}, "__pycache__")
    folder_of(folder / "lib", {"y.pyc": b"2"}, "__pycache__")
    (folder / "empty").mkdir()
    for path in folder.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o664)

    second = build(folder, tmp_path / "2")
    again = build(folder, tmp_path / "2")

    assert first.version == second.version == again.version
    assert first.zip_path.read_bytes() == again.zip_path.read_bytes()
    assert [path.name for path in (tmp_path / "1" / "to").iterdir()] == [first.zip_path.name]


def test_a_version_is_the_same_on_every_machine(tmp_path: Path) -> None:
    """The literal value: a change of the manifest would give every package a new version."""
    assert package(tmp_path, {"a": b"1"}).version == "va45fe05743bc"


@pytest.mark.parametrize(
    "changed",
    [
        {**FILES, "main.py": b"print(2)\n"},
        {**FILES, "more.py": b""},
        {"main.py": FILES["main.py"], "lib/a.py": FILES["lib/a.py"]},
        {"main.py": FILES["main.py"], "lib/A.py": FILES["lib/a.py"], "lib/b.txt": b"\x00\xff"},
        {"main.py": FILES["lib/a.py"], "lib/a.py": FILES["main.py"], "lib/b.txt": b"\x00\xff"},
    ],
    ids=["byte", "added", "removed", "renamed", "swapped"],
)
def test_another_content_is_another_version(tmp_path: Path, changed: dict[str, bytes]) -> None:
    """A byte, a file more or less, a name: each gives a new version."""
    versions = {
        package(tmp_path / str(index), files).version
        for index, files in enumerate([FILES, changed])
    }

    assert len(versions) == 2


def test_another_mode_is_another_version(tmp_path: Path) -> None:
    """A file that becomes executable is a change."""
    before = package(tmp_path, FILES)
    (tmp_path / "from" / "tool_1" / "lib" / "a.py").chmod(0o755)

    assert build(tmp_path / "from" / "tool_1", tmp_path).version != before.version


@examples(40)
@given(
    left=st.dictionaries(st.from_regex(r"[a-c]{1,2}", fullmatch=True), st.binary(max_size=3)),
    right=st.dictionaries(st.from_regex(r"[a-c]{1,2}", fullmatch=True), st.binary(max_size=3)),
)
def test_versions_are_equal_exactly_when_contents_are(
    tmp_path_factory: pytest.TempPathFactory, left: dict[str, bytes], right: dict[str, bytes]
) -> None:
    """Two folders share a version if and only if they hold the same files."""
    files = [{"0": b"", **side} for side in (left, right)]

    versions = [package(tmp_path_factory.mktemp("p"), side).version for side in files]

    assert (versions[0] == versions[1]) == (left == right)


@pytest.mark.parametrize("name", ["Tool", "my-tool", "tool.1", "werkzeüg", "t" * 65])
def test_a_name_that_batch_would_spell_differently_is_refused(tmp_path: Path, name: str) -> None:
    """Such an id would reach tasks in a variable of another name."""
    with pytest.raises(PackageError, match=name):
        build(folder_of(tmp_path, FILES, name), tmp_path)


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    """Also one that holds nothing but what is left out, and one that is not there."""
    (tmp_path / "tool" / "__pycache__").mkdir(parents=True)
    (tmp_path / "tool" / "__pycache__" / "x.pyc").touch()
    with pytest.raises(PackageError, match="no file"):
        build(tmp_path / "tool", tmp_path)
    with pytest.raises(PackageError, match="no such folder"):
        build(tmp_path / "other", tmp_path)


@pytest.mark.parametrize("to", ["main.py", "lib", "/etc/hostname", "nowhere"])
def test_a_symbolic_link_is_refused(tmp_path: Path, to: str) -> None:
    """Whether it leads to a file, a folder, out of the package or nowhere."""
    folder = folder_of(tmp_path, FILES)
    (folder / "link").symlink_to(to)

    with pytest.raises(PackageError, match="link"):
        build(folder, tmp_path)


def test_a_pipe_is_refused_and_not_read(tmp_path: Path) -> None:
    """Reading it would wait for ever."""
    folder = folder_of(tmp_path, FILES)
    os.mkfifo(folder / "pipe")

    with pytest.raises(PackageError, match="pipe"):
        build(folder, tmp_path)
