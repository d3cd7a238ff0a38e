"""
The wheel of this checkout works where nothing else of the repository is.

Nothing here needs a network: the wheel is built by the installed build backend, and the new
environment reads its libraries, not our packages, from the environment of the tests. That the index
has them is what `make setup` shows.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from orchestrator import __version__

_ROOT = Path(__file__).resolve().parents[2]
_OF_POOL = ("pool.json", "autoscale.formula")
_DOCUMENT = '[schedules.hello]\ncron = "0 2 * * *"\ncommand = "echo hello"\n'


def _run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command whose Python finds what is installed, and nothing by the environment."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as `pip install .` does."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder)

    built = _run(*pip, "wheel", *options, _ROOT, folder=folder)

    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an empty environment and return the folder of its commands."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin/python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)

    ended = _run(*pip, "install", "--no-deps", "--no-index", wheel, folder=folder)

    assert ended.returncode == 0, ended.stderr
    # Found after our wheel. A .pth file in a folder that a .pth file names is not read, and so
    # neither is the one that leads to this checkout.
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def test_the_wheel_holds_three_packages_and_the_pool(wheel: Path) -> None:
    """Every module of them, the pool's one truth and formula byte for byte, and nothing else to import."""
    tracked = _run(
        *("git", "ls-files", "recur", "orchestrator", "batch_emulator"), folder=_ROOT
    ).stdout.split()

    with zipfile.ZipFile(wheel) as package:
        names = set(package.namelist())
        pool, formula = (package.read(f"recur/{name}") for name in _OF_POOL)

    tops = {name.partition("/")[0] for name in names}
    assert tops == {"recur", "orchestrator", "batch_emulator", f"recur-{__version__}.dist-info"}
    assert {name for name in tracked if (_ROOT / name).is_file()} <= names
    assert [pool, formula] == [(_ROOT / "infra/pool" / name).read_bytes() for name in _OF_POOL]
    assert not any((_ROOT / "recur" / name).exists() for name in _OF_POOL)


def test_the_packages_are_those_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    """The tests below would prove nothing if Python found this checkout."""
    program = (
        "import importlib.util as u;"
        "print(*(u.find_spec(n).origin for n in ('recur', 'orchestrator', 'batch_emulator')),"
        "u.find_spec('local'), u.find_spec('infra'))"
    )

    *origins, local, infra = _run(
        installed / "python", "-c", program, folder=tmp_path
    ).stdout.split()

    assert len(origins) == 3
    assert all(Path(origin).is_relative_to(installed.parent) for origin in origins)
    assert (local, infra) == ("None", "None")


def test_recur_shows_its_commands(installed: Path, tmp_path: Path) -> None:
    """Help and version, from any folder."""
    shown = _run(installed / "recur", "--help", folder=tmp_path)
    version = _run(installed / "recur", "--version", folder=tmp_path)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Usage: recur [OPTIONS] COMMAND" in shown.stdout
    assert all(command in shown.stdout for command in ("validate", "publish", "explain"))
    assert version.stdout == f"{__version__}\n"


def test_every_module_finds_what_it_needs(wheel: Path, installed: Path, tmp_path: Path) -> None:
    """No module has to have a file of the checkout to be imported."""
    with zipfile.ZipFile(wheel) as package:
        paths = [Path(name) for name in package.namelist() if name.endswith(".py")]
    modules = sorted(
        ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for path in paths
        if path.name != "__main__.py"
    )
    program = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"

    ended = _run(installed / "python", "-c", program, *modules, folder=tmp_path)

    assert {"recur.app", "orchestrator.passes", "batch_emulator.server"} <= set(modules)
    assert ended.returncode == 0, ended.stderr


def test_recur_validates_a_document(installed: Path, tmp_path: Path) -> None:
    """A right one, and one with a mistake."""
    (tmp_path / "right.toml").write_text(_DOCUMENT)
    (tmp_path / "wrong.toml").write_text(_DOCUMENT.replace("0 2 *", "0 25 *"))

    right = _run(installed / "recur", "validate", "right.toml", folder=tmp_path)
    wrong = _run(installed / "recur", "validate", "wrong.toml", folder=tmp_path)

    assert (right.returncode, right.stderr) == (0, "")
    assert wrong.returncode == 3
    assert "[schedules.hello]: cron: '0 25 * * *' cannot be used" in wrong.stderr


def test_recur_rehearses_a_document(installed: Path, tmp_path: Path) -> None:
    """With the formula of the wheel, and without a deployment."""
    (tmp_path / "right.toml").write_text(_DOCUMENT)
    words = ("rehearse", "right.toml", "--days", "2", "--from", "2027-01-04", "--duration", "5m")

    ended = _run(installed / "recur", *words, folder=tmp_path)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("SCHEDULE")


def test_the_emulator_shows_its_options(installed: Path, tmp_path: Path) -> None:
    """Under the name of its command, which also begins its messages."""
    shown = _run(installed / "batch-emulator", "--help", folder=tmp_path)
    wrong = _run(installed / "batch-emulator", "--port", "none", folder=tmp_path)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("usage: batch-emulator ")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("batch-emulator: ")


def test_publish_names_the_folder_that_it_needs(installed: Path, tmp_path: Path) -> None:
    """In a checkout it is the folder ``workload``; elsewhere it has to be given."""
    without = _run(installed / "recur", "--json", "publish", "--dry-run", folder=tmp_path)
    given = ("publish", "--dry-run", "--workload", "applications")
    with_one = _run(installed / "recur", *given, folder=tmp_path)

    assert without.returncode == 2
    assert "--workload is missing" in json.loads(without.stdout)["error"]["message"]
    assert json.loads(without.stdout)["error"]["next"] == "recur publish --workload FOLDER"
    assert with_one.returncode == 3
    assert "--workload" not in with_one.stderr


def test_the_pool_is_read_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """`recur doctor --before-deploy` takes the VM size from it."""
    program = (
        "from recur.checks.planned_deployment import Choice, read_planned_deployment;"
        f"choice = Choice(subscription='{'0' * 8}-0000-0000-0000-{'0' * 12}', location='x');"
        "print(read_planned_deployment({}, 'a test', choice).vm_size)"
    )

    ended = _run(installed / "python", "-c", program, folder=tmp_path)

    pool = json.loads((_ROOT / "infra/pool/pool.json").read_text())
    assert (ended.stdout.strip(), ended.stderr) == (pool["vmSize"], "")


def test_the_wheel_asks_for_what_pyproject_names(wheel: Path) -> None:
    """`pip install .` brings the libraries of the commands, and no other."""
    with zipfile.ZipFile(wheel) as package:
        metadata = package.read(f"recur-{__version__}.dist-info/METADATA").decode()
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]

    asked = re.findall(r"^Requires-Dist: ([\w-]+)", metadata, re.MULTILINE)
    named = [re.split(r"[<>=]", text)[0] for text in project["dependencies"]]
    assert sorted(asked) == sorted(named)
