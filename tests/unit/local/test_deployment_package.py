"""What the deployment package may hold, import and say to its host."""

import ast
import json
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from local.deployment_package import deployed_files
from local.errors import LocalError

_ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("rule", ["*.md", "!/docs/*.md", "!/missing.py", "!/host.json/", "tests/"])
def test_a_rule_that_the_tools_would_read_differently_is_refused(rule: str, tmp_path: Path) -> None:
    """Only whole entries of the top level can be allowed, and they exist."""
    (tmp_path / "host.json").touch()
    (tmp_path / ".funcignore").write_text(f"/*\n!/host.json\n{rule}\n")

    with pytest.raises(LocalError, match=re.escape(rule.removeprefix("!"))):
        deployed_files(tmp_path)


def test_what_is_deployed_imports_only_what_is_deployed_or_declared() -> None:
    """Every other import is of the group ``app``, so that requirements.txt has it."""
    groups = tomllib.loads((_ROOT / "pyproject.toml").read_text())["dependency-groups"]
    declared = {canonicalize_name(Requirement(text).name) for text in groups["app"]}
    providers = packages_distributions()

    imported = {
        name
        for path in deployed_files(_ROOT)
        if path.suffix == ".py"
        for name in _imports(ast.parse((_ROOT / path).read_text()))
    }

    top_level = {name.partition(".")[0] for name in imported}
    others = top_level - set(sys.stdlib_module_names) - {"orchestrator"}
    assert "local" not in others
    assert "batch_emulator" not in others
    for name in others - {"azure"}:
        assert declared & {canonicalize_name(found) for found in providers[name]}, name
    for name in {name for name in imported if name.startswith("azure.")}:
        assert any(_provides(distribution, name) for distribution in declared), name


def _imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def _provides(distribution: str, module: str) -> bool:
    """Whether an Azure package holds a module; ``azure.core`` comes with each client library."""
    owner = {"core": "azure-storage-blob", "storage": "azure-storage-blob"}
    return owner.get(module.split(".")[1], f"azure-{module.split('.')[1]}") == distribution


def test_the_host_s_settings_are_what_the_app_relies_on() -> None:
    """
    The answers to "why not": no extension bundle, and a timeout that is never reached.

    Timers are built into the host, and a bundle would be fetched at start. The worker is killed at
    the timeout, so every tick ends long before.
    """
    host = json.loads((_ROOT / "host.json").read_text())

    assert host["version"] == "2.0"
    assert host["telemetryMode"] == "OpenTelemetry"
    assert host["functionTimeout"] == "00:05:00"
    assert "extensionBundle" not in host
    assert host["logging"]["logLevel"]["Azure.Core"] == "Warning"
