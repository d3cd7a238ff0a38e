"""What `make setup` installs, and what it says where it cannot."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from orchestrator import __version__

_ROOT = Path(__file__).resolve().parents[2]
_PYTHON = Path(sys.executable).resolve()
_SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]


def _pins(name: str) -> dict[str, Version]:
    found = re.findall(r"^(\S+)==([^\s;]+)", (_ROOT / name).read_text(), re.MULTILINE)
    return {canonicalize_name(project): Version(version) for project, version in found}


def _requirements(section: str) -> Iterator[Requirement]:
    document = tomllib.loads((_ROOT / "pyproject.toml").read_text())
    if section == "project":
        texts = document["project"]["dependencies"]
    else:
        texts = [text for text in document["dependency-groups"][section] if isinstance(text, str)]
    return map(Requirement, texts)


@pytest.mark.parametrize(
    ("lock", "section"),
    [
        ("requirements.txt", "project"),
        ("requirements-dev.txt", "project"),
        ("requirements-dev.txt", "local"),
        ("requirements-dev.txt", "dev"),
    ],
)
def test_the_locks_satisfy_pyproject(lock: str, section: str) -> None:
    """A changed dependency without `make lock` is found here, without a network."""
    pins = _pins(lock)

    for requirement in _requirements(section):
        pinned = pins.get(canonicalize_name(requirement.name))
        assert pinned, f"{requirement} is not in {lock}: run `make lock`"
        assert requirement.specifier.contains(pinned), f"{lock} pins {pinned}, not {requirement}"


def test_the_function_s_lock_holds_all_that_its_packages_need() -> None:
    """Walking the installed packages from the project's dependencies leads to no unpinned one."""
    pins = _pins("requirements.txt")
    waiting = list(_requirements("project"))
    seen: set[tuple[str, str]] = set()

    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        assert name in pins, f"{name} is not pinned: run `make lock`"
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for text in distribution(name).requires or ():
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                    waiting.append(needed)

    assert set(pins) == {name for name, _ in seen}


def test_what_is_tested_is_what_is_deployed() -> None:
    """Both locks pin the same versions, every pin is hashed, and no index is named."""
    function, development = _pins("requirements.txt"), _pins("requirements-dev.txt")

    assert function.items() <= development.items()
    for name in ("requirements.txt", "requirements-dev.txt"):
        entries = re.split(r"^(?=\S)", (_ROOT / name).read_text(), flags=re.MULTILINE)[1:]
        assert all("--hash=sha256:" in entry for entry in entries)
        assert "http" not in "".join(re.findall(r"^-.*", "".join(entries), re.MULTILINE))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a checkout whose locks ask for nothing, with an npm that only says that it ran."""
    for folder in ("local/azurite", "tests/alerts/kusto"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "package-lock.json").write_text("{}")
    (tmp_path / "bin").mkdir()
    (tmp_path / "home").mkdir()
    for script in ("setup.sh", "recur.sh"):
        shutil.copy(_ROOT / "local" / script, tmp_path / "local")
    (tmp_path / "requirements-dev.txt").touch()
    for tool in ("cat", "cksum", "dirname", "ln"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or "")
    _script(tmp_path, "node", "echo 20")
    _script(tmp_path, "npm", 'mkdir -p node_modules; echo "npm $*"')
    (tmp_path / "bin/mkdir").symlink_to(shutil.which("mkdir") or "")
    return tmp_path


def _script(checkout: Path, name: str, text: str) -> None:
    path = checkout / "bin" / name
    path.write_text(f"#!{shutil.which('sh')}\n{text}\n")
    path.chmod(0o755)


def _setup(checkout: Path, shell: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [shutil.which(shell) or shell, "local/setup.sh"],
        cwd=checkout,
        env={"PATH": str(checkout / "bin"), "HOME": str(checkout / "home"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("shell", _SHELLS)
def test_a_pyenv_python_is_found_behind_a_shim_that_fails(checkout: Path, shell: str) -> None:
    """The second time nothing is done, until a lock changes."""
    _script(checkout, "python3.13", "echo pyenv: python3.13: command not found; exit 127")
    kept = checkout / "home/.pyenv/versions/3.13.9/bin"
    kept.mkdir(parents=True)
    (kept / "python3.13").symlink_to(_PYTHON)

    first, second = _setup(checkout, shell), _setup(checkout, shell)
    (checkout / "local/azurite/package-lock.json").write_text("{ }")
    third = _setup(checkout, shell)

    assert first.returncode == 0, first.stdout
    assert "setup: making .venv with Python 3.13." in first.stdout
    assert f"({kept}/python3.13)" in first.stdout
    assert "npm ci --ignore-scripts --no-audit --no-fund" in first.stdout
    assert (checkout / ".venv/bin/python").exists()
    assert (checkout / ".venv/bin/recur").resolve() == checkout / "local/recur.sh"
    assert (second.returncode, second.stdout) == (0, "")
    assert "making .venv" not in third.stdout
    assert "npm ci" in third.stdout


def test_a_python_that_is_named_is_taken(checkout: Path) -> None:
    """By way of make, which hands its own variables to what it runs."""
    shutil.copy(_ROOT / "Makefile", checkout)
    (checkout / "bin/sh").symlink_to(shutil.which("sh") or "")
    (checkout / "kept").mkdir()
    named = checkout / "kept/python3.13"
    named.symlink_to(_PYTHON)

    ended = subprocess.run(
        [shutil.which("make") or "make", "setup"],
        cwd=checkout,
        env={
            "PATH": str(checkout / "bin"),
            "HOME": str(checkout / "home"),
            "PYTHON": str(named),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout
    assert f"({named})" in ended.stdout


@pytest.mark.parametrize("shell", _SHELLS)
def test_a_missing_python_is_named_with_the_ways_to_get_it(checkout: Path, shell: str) -> None:
    """The exit code is not 0."""
    ended = _setup(checkout, shell)

    assert ended.returncode == 1
    assert "setup: Python 3.13 was not found" in ended.stdout
    assert "uv python install 3.13" in ended.stdout


@pytest.mark.parametrize("shell", _SHELLS)
@pytest.mark.parametrize("node", ["echo 18", "exit 127"])
def test_a_missing_or_old_node_is_named_with_the_ways_to_get_it(
    checkout: Path, shell: str, node: str
) -> None:
    """Python is not blamed, and nothing is half installed without a word."""
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / ".venv/bin/python").symlink_to(_PYTHON)
    _script(checkout, "node", node)

    ended = _setup(checkout, shell)

    assert ended.returncode == 1
    assert "Node 20 or later with npm was not found" in ended.stdout
    assert "nodejs.org" in ended.stdout


def test_a_failing_npm_fails_the_setup_and_the_next_one_tries_again(checkout: Path) -> None:
    """What did not finish is not taken for installed."""
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / ".venv/bin/python").symlink_to(_PYTHON)
    _script(checkout, "npm", "echo npm ERR! network; exit 1")

    ended = [_setup(checkout, "sh") for _ in range(2)]

    assert [run.returncode for run in ended] == [1, 1]
    assert "setup: npm failed: see above" in ended[1].stdout
    assert os.listdir(checkout / "local/azurite") == ["package-lock.json"]  # noqa: PTH208


def test_the_command_runs_from_any_folder(tmp_path: Path) -> None:
    """By a link, and where another package of the same name lies: it is this checkout's."""
    (tmp_path / "recur").mkdir()
    (tmp_path / "recur/__init__.py").write_text("raise SystemExit('another one')")
    command = tmp_path / "command"
    command.symlink_to(_ROOT / "local/recur.sh")

    told = subprocess.run(
        [command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    wrong = subprocess.run(
        [command, "no-such"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (told.returncode, told.stdout, told.stderr) == (0, f"{__version__}\n", "")
    assert wrong.returncode == 2
    assert "Usage: recur [OPTIONS] COMMAND" in wrong.stderr


def test_the_command_of_a_checkout_without_set_up_says_so(checkout: Path) -> None:
    """It names what to run."""
    command = [shutil.which("sh") or "sh", str(checkout / "local/recur.sh")]

    told = subprocess.run(command, capture_output=True, text=True, check=False)

    assert told.returncode == 2
    assert "run `make setup`" in told.stderr
