"""Application packages: what changes their version and their bytes, and what does not."""

import os
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recur.publishing.packaging import Package, PackageError, build, build_all
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
    with pytest.raises(PackageError, match="does not exist"):
        build(tmp_path / "other", tmp_path)


@pytest.mark.parametrize("to", ["main.py", "lib", "/etc/hostname", "nowhere"])
def test_a_symbolic_link_is_refused(tmp_path: Path, to: str) -> None:
    """Whether it leads to a file, a folder, out of the package or nowhere."""
    folder = folder_of(tmp_path, FILES)
    (folder / "link").symlink_to(to)

    with pytest.raises(PackageError) as refused:
        build(folder, tmp_path)

    assert str(refused.value).startswith(f"{folder}/link is a symbolic link to {to}: replace it by")
    (folder / ".recurignore").write_text("/link\n")
    assert build(folder, tmp_path).left_out == ("link",)


def test_an_application_that_is_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    """Its package would have the name of another folder."""
    folder_of(tmp_path / "elsewhere", FILES, "other")
    (tmp_path / "workload").mkdir()
    (tmp_path / "workload" / "tool").symlink_to("../elsewhere/other")

    with pytest.raises(PackageError, match=r"tool is a symbolic link to \.\./elsewhere/other"):
        build_all(tmp_path / "workload", tmp_path / "to")


def test_a_pipe_is_refused_and_not_read(tmp_path: Path) -> None:
    """Reading it would wait for ever."""
    folder = folder_of(tmp_path, FILES)
    os.mkfifo(folder / "pipe")

    with pytest.raises(PackageError, match="pipe"):
        build(folder, tmp_path)


LITTER = {
    ".git/index": b"1",
    ".env": b"PASSWORD=hunter2",
    ".env.local": b"2",
    ".envrc": b"3",
    ".venv/bin/python": b"4",
    "lib/node_modules/left-pad/index.js": b"5",
    "lib/.DS_Store": b"6",
    "__pycache__/main.pyc": b"7",
    ".pytest_cache/README.md": b"8",
    ".mypy_cache/x.json": b"9",
    ".ruff_cache/x": b"10",
    ".hypothesis/x": b"11",
}


def test_what_no_package_should_hold_is_left_out_and_named(tmp_path: Path) -> None:
    """Settings, repositories and caches make no version, wherever they lie."""
    plain = package(tmp_path / "1", FILES)
    littered = package(tmp_path / "2", FILES | LITTER)

    assert plain.left_out == ()
    assert littered.version == plain.version
    assert littered.zip_path.read_bytes() == plain.zip_path.read_bytes()
    assert littered.left_out == (
        ".env",
        ".env.local",
        ".envrc",
        ".git/",
        ".hypothesis/",
        ".mypy_cache/",
        ".pytest_cache/",
        ".ruff_cache/",
        ".venv/",
        "__pycache__/",
        "lib/.DS_Store",
        "lib/node_modules/",
    )


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git, which makes the folder")
def test_git_status_alone_makes_no_new_version(tmp_path: Path) -> None:
    """It writes into .git what it has seen of the files' times."""
    folder = folder_of(tmp_path, FILES)

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)  # noqa: S607

    git("init")
    git("add", ".")
    before, index = build(folder, tmp_path).version, (folder / ".git/index").read_bytes()
    os.utime(folder / "main.py", (1, 1))
    git("status")

    assert (folder / ".git/index").read_bytes() != index
    assert build(folder, tmp_path).version == before


def test_patterns_of_the_folder_leave_out_more_and_keep_what_they_say(tmp_path: Path) -> None:
    """As in a .gitignore: comments, folders, anchors, and exceptions, of the usual ones too."""
    files = FILES | {
        "notes.log": b"1",
        "keep.log": b"2",
        "build/x": b"3",
        "lib/build/y": b"4",
        "data/big.bin": b"5",
        ".env.example": b"6",
        "node_modules/a.js": b"7",
        ".recurignore": b"# more\n*.log\n!keep.log\n/build/\n/data\n!.env.example\n!node_modules\n",
    }

    built = package(tmp_path, files)

    assert built.left_out == ("build/", "data/", "notes.log")
    with zipfile.ZipFile(built.zip_path) as archive:
        kept = {".env.example", "keep.log", "lib/build/y", "node_modules/a.js"}
        assert {*archive.namelist()} == {*FILES, *kept}


@pytest.mark.parametrize(
    ("patterns", "said"), [(b"!\n", "Invalid git pattern"), (b"\xff\n", "can't decode")]
)
def test_patterns_that_cannot_be_read_are_refused(
    tmp_path: Path, patterns: bytes, said: str
) -> None:
    """A package with more in it than was meant would be published else."""
    with pytest.raises(PackageError, match=rf"\.recurignore: .*{said}"):
        package(tmp_path, FILES | {".recurignore": patterns})


@pytest.mark.skipif(os.geteuid() == 0, reason="root can list every folder")
def test_a_folder_that_cannot_be_listed_is_refused(tmp_path: Path) -> None:
    """Without it the package would be another one."""
    folder = folder_of(tmp_path, FILES)
    (folder / "lib").chmod(0)
    try:
        with pytest.raises(PackageError, match=r"lib: Permission denied"):
            build(folder, tmp_path)
    finally:
        (folder / "lib").chmod(0o755)


def test_what_is_suspicious_in_a_package_is_told_with_its_path(tmp_path: Path) -> None:
    """The package is built all the same."""
    built = package(tmp_path, FILES | {"bin/run.sh": b"#!/bin/sh\r\nexit\r\n"})

    assert [(path, text.partition(":")[0]) for path, text in built.warnings] == [
        ("bin/run.sh", "the script has Windows line ends (CRLF) and fails on Linux"),
        ("bin/run.sh", "the script begins with #! but is not executable"),
    ]
