"""What reaches Azure: nothing but what runs there."""

import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from local.deployment_package import write_package

_ROOT = Path(__file__).resolve().parents[2]
_RULES = (_ROOT / ".funcignore").read_text()
_FILES = {"host.json", "requirements.txt", "function_app.py"}
_FOLDER = "orchestrator/"


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - whichever git made this work tree
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(filter(None, listed.stdout.split("\0")))


def _expected(paths: list[str]) -> list[str]:
    return [path for path in paths if path in _FILES or path.startswith(_FOLDER)]


def _kept_by_core_tools(paths: list[str]) -> list[str]:
    """
    Evaluate `.funcignore` as Core Tools does.

    Its parser (GitIgnoreParser.cs) reads each rule as a regular expression anchored at the root
    that has to match only the beginning of a path, and what a `!` rule matches is always kept.
    """
    rules = [line.strip() for line in _RULES.splitlines()]
    rules = [rule for rule in rules if rule and not rule.startswith("#")]

    def begins_with(chosen: list[str]) -> re.Pattern[str]:
        translated = [
            re.sub(r"[-\[\]/{}()+?.\\^$|]", r"\\\g<0>", rule.removeprefix("/"))
            .replace("**", "(.+)")
            .replace("*", r"([^\/]+)")
            for rule in chosen
        ]
        return re.compile(f"^(({')|('.join(translated)}))")

    kept = begins_with([rule[1:] for rule in rules if rule.startswith("!")])
    ignored = begins_with([rule for rule in rules if not rule.startswith("!")])
    return [path for path in paths if kept.match(path) or not ignored.match(path)]


def _kept_by_gitignore(paths: list[str], folder: Path) -> list[str]:
    """Evaluate `.funcignore` as azd does: by the rules of gitignore, of which git is the judge."""
    (folder / ".gitignore").write_text(_RULES)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)  # noqa: S607
    ignored = subprocess.run(
        ["git", "-c", "core.excludesFile=", "check-ignore", "--no-index", "-z", "--stdin"],  # noqa: S607
        cwd=folder,
        input="\0".join(paths),
        capture_output=True,
        text=True,
        check=False,
    )
    return sorted(set(paths) - set(ignored.stdout.split("\0")))


@pytest.fixture(scope="module")
def candidates() -> list[str]:
    """Everything tracked, and what lies about in a work tree that is used."""
    return [
        *_tracked(),
        ".env",
        ".venv/bin/python",
        "emulator.py",
        "local.settings.json",
        "local/azurite/node_modules/azurite/package.json",
        "tests/.hidden",
        "tests/orchestrator/x.py",
        "tests/function_app.py",
    ]


def test_core_tools_deploys_what_runs_and_nothing_else(candidates: list[str]) -> None:
    """`func azure functionapp publish` and `func pack`."""
    assert _kept_by_core_tools(candidates) == _expected(candidates)


def test_azd_deploys_what_runs_and_nothing_else(candidates: list[str], tmp_path: Path) -> None:
    """`azd deploy`, which also leaves out compiled Python."""
    compiled = ["orchestrator/__pycache__/x.pyc", "orchestrator/adapters/__pycache__/y.pyc"]

    kept = _kept_by_gitignore([*candidates, *compiled], tmp_path)

    assert kept == sorted(_expected(candidates))


def test_our_package_is_the_same_list(tmp_path: Path) -> None:
    """`make package` writes it, and writes equal bytes for equal sources."""
    files = write_package(_ROOT, tmp_path / "one.zip")
    write_package(_ROOT, tmp_path / "two.zip")

    with zipfile.ZipFile(tmp_path / "one.zip") as package:
        assert package.namelist() == [path.as_posix() for path in files]
    untracked = {path.as_posix() for path in files} - set(_tracked())
    assert set(_expected(_tracked())) <= {path.as_posix() for path in files}
    assert all(path.startswith(_FOLDER) or path in _FILES for path in untracked)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_what_is_deployed_runs_without_the_rest_of_the_repository(tmp_path: Path) -> None:
    """
    Unpacked elsewhere it imports, and finds neither the laptop nor the emulator.

    Without the module `site`, Python reads no ``.pth`` file, and so not the one of this checkout.
    """
    write_package(_ROOT, tmp_path / "recur.zip")
    with zipfile.ZipFile(tmp_path / "recur.zip") as package:
        package.extractall(tmp_path / "app")
    program = (
        "import importlib.util as u, function_app as f;"
        "print(sorted(x.get_function_name() for x in f.app.get_functions()),"
        "[u.find_spec(name) for name in ('local', 'batch_emulator', 'tests')])"
    )

    ended = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=tmp_path / "app",
        env=os.environ | {"PYTHONPATH": sysconfig.get_path("purelib")},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout.strip() == "['collect', 'submit'] [None, None, None]"
