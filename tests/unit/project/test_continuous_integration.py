"""What runs for a pull request and before a commit is what runs on a laptop."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

_ROOT = Path(__file__).parents[3]


def _read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((_ROOT / name).read_text())
    return loaded


def _steps() -> list[dict[str, Any]]:
    (job,) = _read(".github/workflows/ci.yml")["jobs"].values()
    return list(job["steps"])


def test_a_pull_request_runs_all_tests_with_the_compiler_of_the_templates() -> None:
    """The compiler is there before the tests, in the version that is compared byte for byte."""
    commands = [step.get("run", "") for step in _steps()]
    compiler = next(n for n, command in enumerate(commands) if "az bicep install" in command)

    assert 'az bicep install --version "v$(cat infra/bicep.version)"' in commands[compiler]
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", (_ROOT / "infra/bicep.version").read_text())
    assert compiler < commands.index("make test")


def test_a_pull_request_may_read_and_nothing_else() -> None:
    """No secret is named either: tests need no subscription."""
    text = (_ROOT / ".github/workflows/ci.yml").read_text()

    assert _read(".github/workflows/ci.yml")["permissions"] == {"contents": "read"}
    assert "secrets." not in text
    assert "vars." not in text


def test_a_pull_request_is_tested_on_the_versions_that_are_supported() -> None:
    """Python as pyproject.toml has it, Node as `make setup` and the parser ask for it."""
    (python,) = [step["with"] for step in _steps() if "setup-python" in step.get("uses", "")]
    (node,) = [step["with"] for step in _steps() if "setup-node" in step.get("uses", "")]
    version = (_ROOT / python["python-version-file"]).read_text().strip()
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]

    assert project["requires-python"].startswith(f">={version},")
    assert node["node-version"] >= 20


def test_every_folder_with_a_lock_is_looked_at_for_new_versions() -> None:
    """By dependabot: Python, Node and the workflows."""
    updates = {
        each["package-ecosystem"]: each for each in _read(".github/dependabot.yml")["updates"]
    }

    python = {path.parent for path in _tracked("requirements*.txt")}
    node = {path.parent for path in _tracked("package-lock.json")}
    assert set(updates) == {"pip", "npm", "github-actions"}
    assert {_ROOT / name[1:] for name in updates["pip"]["directories"]} == python
    assert {_ROOT / name[1:] for name in updates["npm"]["directories"]} == node


def _tracked(pattern: str) -> list[Path]:
    """Find files outside what is installed or kept by `make up`."""
    tops = [_ROOT / name for name in ("infra", "local", "tests", "docs", "bench", "workload")]
    found = [*_ROOT.glob(pattern), *(path for top in tops for path in top.rglob(pattern))]
    return [
        path
        for path in found
        if not {"node_modules", "hooks_env"} & set(path.relative_to(_ROOT).parts)
    ]


def test_hooks_before_a_commit_fetch_nothing() -> None:
    """Each is a tool of .venv that the lock names."""
    (repository,) = _read(".pre-commit-config.yaml")["repos"]
    locked = (_ROOT / "requirements-dev.txt").read_text()
    packages = {"ruff": "ruff", "mypy": "mypy", "lint-imports": "import-linter"}

    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        command = hook["entry"].split()[0].removeprefix(".venv/bin/")
        assert f"\n{packages[command]}==" in locked


@pytest.mark.parametrize("name", ["bug", "idea"])
def test_a_form_asks_each_question_once(name: str) -> None:
    """With what GitHub needs: a name, a description, and fields with ids of their own."""
    form = _read(f".github/ISSUE_TEMPLATE/{name}.yml")
    fields = [field for field in form["body"] if field["type"] != "markdown"]

    assert form["name"]
    assert form["description"]
    ids = [field["id"] for field in fields]
    assert len(ids) == len(set(ids))
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)
