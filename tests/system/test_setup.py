"""What `make setup` installs, and what it says where it cannot."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import __version__

_ROOT = Path(__file__).resolve().parents[2]
_PYTHON = Path(sys.executable).resolve()
_BACKEND = """
import zipfile

_INFO = "recur-0.dist-info"


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(f"{wheel_directory}/recur-0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{_INFO}/METADATA", "Metadata-Version: 2.1\\nName: recur\\nVersion: 0\\n")
        wheel.writestr(f"{_INFO}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n")
        wheel.writestr(f"{_INFO}/entry_points.txt", "[console_scripts]\\nrecur = recur:main\\n")
        wheel.writestr(f"{_INFO}/RECORD", "")
    return "recur-0-py3-none-any.whl"
"""
_SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """
    Make a checkout whose locks ask for nothing, with an npm that only says that it ran.

    Its project brings the build backend along, so that it needs no package.
    """
    for folder in ("local/azurite", "tests/alerts/kusto"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "package-lock.json").write_text("{}")
    (tmp_path / "bin").mkdir()
    (tmp_path / "home").mkdir()
    shutil.copy(_ROOT / "local/setup.sh", tmp_path / "local")
    (tmp_path / "requirements-dev.txt").touch()
    (tmp_path / "orchestrator").mkdir()
    (tmp_path / "orchestrator/__init__.py").touch()
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (tmp_path / "backend.py").write_text(_BACKEND)
    for tool in ("cat", "cksum", "dirname", "rm"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or "")
    _script(tmp_path, "node", "echo 20")
    _script(tmp_path, "npm", 'mkdir -p node_modules; echo "npm $*"')
    (tmp_path / "bin/mkdir").symlink_to(shutil.which("mkdir") or "")
    return tmp_path


def _script(checkout: Path, name: str, text: str) -> None:
    path = checkout / "bin" / name
    path.write_text(f"#!{shutil.which('sh')}\n{text}\n")
    path.chmod(0o755)


def _have_python_packages(checkout: Path) -> None:
    """Leave what `setup.sh` leaves once all of Python is installed: it asks pip for nothing more."""
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / ".venv/bin/python").symlink_to(_PYTHON)
    (checkout / ".venv/bin/recur").symlink_to(_PYTHON)
    for stamp, names in (
        ("installed", ["requirements-dev.txt"]),
        ("project", ["pyproject.toml", "orchestrator/__init__.py"]),
    ):
        content = b"".join((checkout / name).read_bytes() for name in names)
        summed = subprocess.run(["cksum"], input=content, stdout=subprocess.PIPE, check=True)  # noqa: S607
        (checkout / f".venv/{stamp}.cksum").write_bytes(summed.stdout)


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
    """The second time nothing is done, until a lock changes or the project does."""
    _script(checkout, "python3.13", "echo pyenv: python3.13: command not found; exit 127")
    kept = checkout / "home/.pyenv/versions/3.13.9/bin"
    kept.mkdir(parents=True)
    (kept / "python3.13").symlink_to(_PYTHON)

    first, second = _setup(checkout, shell), _setup(checkout, shell)
    (checkout / "local/azurite/package-lock.json").write_text("{ }")
    third = _setup(checkout, shell)
    (checkout / "orchestrator/__init__.py").write_text('__version__ = "1"')
    fourth = _setup(checkout, shell)

    assert first.returncode == 0, first.stdout
    assert "setup: making .venv with Python 3.13." in first.stdout
    assert f"({kept}/python3.13)" in first.stdout
    assert "npm ci --ignore-scripts --no-audit --no-fund" in first.stdout
    assert (checkout / ".venv/bin/python").exists()
    assert f"#!{checkout}/.venv/bin/python" in (checkout / ".venv/bin/recur").read_text()
    assert (second.returncode, second.stdout) == (0, "")
    assert "making .venv" not in third.stdout
    assert "npm ci" in third.stdout
    assert fourth.stdout == "setup: installing the commands recur and batch-emulator into .venv\n"


def test_the_link_of_an_older_checkout_is_replaced(checkout: Path) -> None:
    """Its script is gone: written through the link, the command would become a file there."""
    subprocess.run([_PYTHON, "-m", "venv", checkout / ".venv"], check=True)
    (checkout / ".venv/bin/recur").symlink_to("../../local/recur.sh")

    ended = _setup(checkout, "sh")

    assert ended.returncode == 0, ended.stdout
    assert not (checkout / ".venv/bin/recur").is_symlink()
    assert (checkout / ".venv/bin/recur").is_file()
    assert not (checkout / "local/recur.sh").exists()


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
    _have_python_packages(checkout)
    _script(checkout, "node", node)

    ended = _setup(checkout, shell)

    assert ended.returncode == 1
    assert "Node 20 or later with npm was not found" in ended.stdout
    assert "nodejs.org" in ended.stdout


def test_a_failing_npm_fails_the_setup_and_the_next_one_tries_again(checkout: Path) -> None:
    """What did not finish is not taken for installed."""
    _have_python_packages(checkout)
    _script(checkout, "npm", "echo npm ERR! network; exit 1")

    ended = [_setup(checkout, "sh") for _ in range(2)]

    assert [run.returncode for run in ended] == [1, 1]
    assert "setup: npm failed: see above" in ended[1].stdout
    assert os.listdir(checkout / "local/azurite") == ["package-lock.json"]  # noqa: PTH208


def test_the_command_runs_from_any_folder(tmp_path: Path) -> None:
    """By a link, and where another package of the same name lies: it is this checkout's."""
    (tmp_path / "recur").mkdir()
    (tmp_path / "recur/__init__.py").write_text("raise SystemExit('another one')")
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin/recur"
    command.symlink_to(Path(sys.prefix) / "bin/recur")

    told = subprocess.run(
        [command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    wrong = subprocess.run(
        [command, "no-such"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (told.returncode, told.stdout, told.stderr) == (0, f"{__version__}\n", "")
    assert wrong.returncode == 2
    assert "Usage: recur [OPTIONS] COMMAND" in wrong.stderr
