"""The pipeline in .github/workflows passes what azure.yaml names, and signs in without a secret."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

_ROOT = Path(__file__).parents[3]
_WORKFLOW = _ROOT / ".github/workflows/deploy.yml"
_AZD_OWN = {"AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_SUBSCRIPTION_ID"}
"""What `azd pipeline config` sets for every project, besides the identity."""

_VARIABLE = re.compile(r"\$\{\{ vars\.(\w+) \}\}")
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


@pytest.fixture
def workflow() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(_WORKFLOW.read_text())
    return loaded


@pytest.fixture
def project() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((_ROOT / "azure.yaml").read_text())
    return loaded


def _job(workflow: dict[str, Any]) -> dict[str, Any]:
    (job,) = workflow["jobs"].values()
    return dict(job)


def _action(workflow: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the one step that uses an action."""
    (step,) = [
        step
        for step in _job(workflow)["steps"]
        if step.get("uses", "").partition("@")[0].lower() == name
    ]
    return dict(step)


def _run(workflow: dict[str, Any], words: str) -> int:
    """Return the position of the one step that runs a command."""
    (position,) = [
        position
        for position, step in enumerate(_job(workflow)["steps"])
        if words in step.get("run", "")
    ]
    return position


def _version(text: str) -> tuple[int, ...]:
    found = _VERSION.search(text)
    assert found
    return tuple(int(part or 0) for part in found.groups())


def test_every_variable_of_the_project_is_passed(
    workflow: dict[str, Any], project: dict[str, Any]
) -> None:
    """Each under its own name, and no other but azd's."""
    passed = _job(workflow)["env"]

    assert set(passed) == _AZD_OWN | set(project["pipeline"]["variables"])
    assert passed == {name: f"${{{{ vars.{name} }}}}" for name in passed}


def test_the_identity_is_named_for_the_sign_in_alone(workflow: dict[str, Any]) -> None:
    """Credentials of the Azure SDK would take AZURE_CLIENT_ID for a managed identity's."""
    steps = _job(workflow)["steps"]
    login = _run(workflow, "azd auth login")

    assert steps[login]["env"] == {
        name: f"${{{{ vars.{name} }}}}" for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID")
    }
    assert "--federated-credential-provider github" in steps[login]["run"]
    assert [step for step in steps if "env" in step] == [steps[login]]


def test_no_secret_is_used(workflow: dict[str, Any]) -> None:
    """The token of GitHub opens everything; it may not change the repository."""
    expressions = set(re.findall(r"\$\{\{(.*?)\}\}", _WORKFLOW.read_text()))

    assert expressions
    assert all(_VARIABLE.fullmatch(f"${{{{{each}}}}}") for each in expressions)
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}


def test_it_runs_when_somebody_asks(workflow: dict[str, Any]) -> None:
    """A copy of this repository deploys nothing by itself. YAML reads the key `on` as true."""
    untyped: dict[Any, Any] = {**workflow}

    assert untyped[True] == {"workflow_dispatch": None}


def test_python_is_that_of_the_project(workflow: dict[str, Any]) -> None:
    """The hooks refuse an older one."""
    given = _action(workflow, "actions/setup-python")["with"]["python-version"]

    assert given == (_ROOT / ".python-version").read_text().strip()


def test_azd_is_new_enough(workflow: dict[str, Any], project: dict[str, Any]) -> None:
    """The version that is installed is one that azure.yaml takes."""
    installed = _action(workflow, "azure/setup-azd")["with"]["version"]
    operator, _, least = project["requiredVersions"]["azd"].partition(" ")

    assert operator == ">="
    assert _version(str(installed)) >= _version(least)


def test_it_deploys_then_looks(workflow: dict[str, Any]) -> None:
    """Sign in, deploy, then doctor: what it finds ends the run in red."""
    order = [
        _run(workflow, words)
        for words in ("azd auth login", "azd up --no-prompt", "python -m recur doctor")
    ]

    assert order == sorted(order)
    assert order[-1] == len(_job(workflow)["steps"]) - 1
