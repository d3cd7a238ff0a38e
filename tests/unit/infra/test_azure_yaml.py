"""`azure.yaml` is what azd understands, and what it names is there."""

import copy
import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator

from orchestrator import __version__

_ROOT = Path(__file__).parents[3]


@pytest.fixture
def project() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((_ROOT / "azure.yaml").read_text())
    return loaded


@pytest.fixture
def validator() -> Draft201909Validator:
    """Azd's own schema."""
    oracles = os.environ.get("RECUR_ORACLES")
    if not oracles:
        pytest.skip("azd's schema is not at hand: RECUR_ORACLES is not set")
    schema = json.loads((Path(oracles) / "azd/azure.yaml.schema.json").read_text())
    return Draft201909Validator(schema)


def _hooks(project: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield each hook with the folder from which azd finds its script."""
    for layer in project["infra"]["layers"]:
        for hook in layer.get("hooks", {}).values():
            yield _ROOT / layer["path"], hook
    for service in project["services"].values():
        for hook in service.get("hooks", {}).values():
            yield _ROOT / service["project"], hook


def test_azd_s_schema_allows_it(project: dict[str, Any], validator: Draft201909Validator) -> None:
    """No key is unknown to azd, and no value is of another kind."""
    assert [error.message for error in validator.iter_errors(project)] == []


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [
        (("infra", "layers", 1), "dependson", ["core"]),
        (("infra", "layers", 1, "hooks"), "postprovisioned", {"run": "x.py"}),
        (("infra", "layers", 1, "hooks", "postprovision"), "kind", "pyhton"),
        (("infra",), "path", "infra"),
        (("services", "orchestrator", "hooks"), "postdeployed", {"run": "x.py"}),
    ],
)
def test_azd_s_schema_would_find_a_mistake(
    where: tuple[str | int, ...],
    key: str,
    value: object,
    project: dict[str, Any],
    validator: Draft201909Validator,
) -> None:
    """The test above can fail."""
    changed: Any = copy.deepcopy(project)
    place = changed
    for step in where:
        place = place[step]
    place[key] = value

    assert not validator.is_valid(changed)


def test_layers_come_in_order(project: dict[str, Any]) -> None:
    """Each waits for the one before; a layer is a folder of Bicep."""
    group, core, pool = project["infra"]["layers"]

    assert [each["name"] for each in (group, core, pool)] == ["group", "core", "pool"]
    assert "postprovision" in core["hooks"]
    assert (core["dependsOn"], pool["dependsOn"]) == (["group"], ["core"])
    for layer in (group, core, pool):
        assert (_ROOT / layer["path"] / "main.bicep").is_file()
        assert (_ROOT / layer["path"] / "main.bicepparam").is_file()


def test_the_template_has_the_version_of_the_project(project: dict[str, Any]) -> None:
    """It tells Microsoft's telemetry, and whoever reads azd's environment, what was deployed."""
    built = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]

    assert project["metadata"]["template"] == f"{built['name']}@{__version__}"


def test_the_service_is_found_by_its_tag(project: dict[str, Any]) -> None:
    """Azd deploys code to the one resource whose tag names the service."""
    (name,) = project["services"]
    module = (_ROOT / "infra/core/modules/function-app.bicep").read_text()

    assert f"'azd-service-name': '{name}'" in module
    assert (_ROOT / project["services"][name]["project"] / "host.json").is_file()


def test_hooks_are_scripts_that_are_there(project: dict[str, Any]) -> None:
    """
    A path that azd does not find is taken for the text of a script.

    Beside each lies its requirements.txt; else azd would look for one further up, and install the
    whole project.
    """
    hooks = list(_hooks(project))

    assert len(hooks) == 2
    for folder, hook in hooks:
        script = (folder / hook["run"]).resolve()
        assert script.is_file()
        assert script.is_relative_to(_ROOT)
        assert (hook["kind"], script.suffix) == ("python", ".py")
        assert (script.parent / "requirements.txt").is_file()
        assert not (script.parent / "pyproject.toml").exists()
