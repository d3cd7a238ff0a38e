"""What the lock files pin: all that pyproject.toml asks for, and nothing that has no place there."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from orchestrator import __version__

_ROOT = Path(__file__).resolve().parents[3]


def _pins(name: str) -> dict[str, Version]:
    return {
        canonicalize_name(each.name): Version(str(each.specifier).removeprefix("=="))
        for each in _pinned(name)
    }


def _pinned(name: str) -> Iterator[Requirement]:
    for line in re.findall(r"^(\S+==.*?) \\$", (_ROOT / name).read_text(), re.MULTILINE):
        yield Requirement(line)


def _requirements(section: str) -> Iterator[Requirement]:
    """Yield what the commands need (``project``), or a dependency group by itself."""
    document = _pyproject()
    if section == "project":
        texts = document["project"]["dependencies"]
    else:
        texts = [text for text in document["dependency-groups"][section] if isinstance(text, str)]
    return map(Requirement, texts)


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((_ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize(
    ("lock", "section"),
    [
        ("requirements.txt", "app"),
        ("infra/hooks/requirements.txt", "project"),
        ("requirements-dev.txt", "project"),
        ("requirements-dev.txt", "app"),
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


@pytest.mark.parametrize(
    ("lock", "section"),
    [("requirements.txt", "app"), ("infra/hooks/requirements.txt", "project")],
)
def test_a_lock_holds_all_that_its_packages_need_and_no_more(lock: str, section: str) -> None:
    """
    The dependencies of the installed packages lead to every pin, and to nothing else.

    A lock serves every platform: pins for another one than this are left out.
    """
    pins = {
        canonicalize_name(each.name)
        for each in _pinned(lock)
        if each.marker is None or each.marker.evaluate()
    }
    waiting = list(_requirements(section))
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

    assert pins == {name for name, _ in seen}


def test_what_is_tested_is_what_is_deployed() -> None:
    """All locks pin the same versions, every pin is hashed, and no index is named."""
    tested = _pins("requirements-dev.txt")

    for name in ("requirements.txt", "infra/hooks/requirements.txt", "requirements-dev.txt"):
        assert _pins(name).items() <= tested.items()
        entries = re.split(r"^(?=\S)", (_ROOT / name).read_text(), flags=re.MULTILINE)[1:]
        assert all("--hash=sha256:" in entry for entry in entries)
        assert "http" not in "".join(re.findall(r"^-.*", "".join(entries), re.MULTILINE))


def test_the_function_app_and_the_commands_accept_the_same_versions() -> None:
    """A package that both need stands in pyproject.toml twice, with one range."""
    app = {requirement.name: requirement for requirement in _requirements("app")}
    commands = {requirement.name: requirement for requirement in _requirements("project")}

    shared = app.keys() & commands.keys()
    assert {"azure-batch", "azure-storage-blob", "pydantic"} <= shared
    assert {name: app[name] for name in shared} == {name: commands[name] for name in shared}


@pytest.mark.parametrize("name", ["typer", "rich", "azure-mgmt-batch"])
def test_the_function_app_installs_nothing_of_the_commands_alone(name: str) -> None:
    """Each package costs cold start."""
    assert name in _pins("infra/hooks/requirements.txt")
    assert name not in _pins("requirements.txt")


def test_the_version_stands_in_the_code_alone() -> None:
    """Hatch reads it where the function app does, which is deployed without metadata."""
    document = _pyproject()

    assert "version" not in document["project"]
    assert document["project"]["dynamic"] == ["version"]
    assert document["tool"]["hatch"]["version"]["path"] == "orchestrator/__init__.py"
    (found,) = re.findall(
        r'^__version__ = "(.+)"$', (_ROOT / "orchestrator/__init__.py").read_text(), re.MULTILINE
    )
    assert found == __version__


def test_the_commands_declare_what_they_import() -> None:
    """An installed command finds every library: none comes from the function app's group."""
    declared = {canonicalize_name(each.name) for each in _requirements("project")}
    providers = packages_distributions()

    imported = {
        name
        for package in ("recur", "orchestrator", "batch_emulator")
        for path in (_ROOT / package).rglob("*.py")
        for name in _imports(ast.parse(path.read_text()))
    }

    plugin = {*_imports(ast.parse((_ROOT / "batch_emulator/testing.py").read_text()))}
    assert "pytest" in plugin  # every user of the plugin has it

    ours = {"recur", "orchestrator", "batch_emulator", "pytest"}
    for name in sorted(imported - set(sys.stdlib_module_names) - ours):
        top = name.partition(".")[0]
        if top in set(sys.stdlib_module_names) | ours or name.startswith("azure.core"):
            continue  # azure.core comes with each client library
        if top == "azure":
            assert any(name.startswith(each.replace("-", ".")) for each in declared), name
        else:
            assert declared & set(map(canonicalize_name, providers[top])), name


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
