"""The layers are what azd can order and deploy, and each rule notices what breaks it."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.policies import azd
from tests.policies.azd import Layer

ROOT = Path(__file__).parents[3]
PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text())
VARIABLES = PROJECT["pipeline"]["variables"]

type Layers = Sequence[Layer]
type Rule = Callable[[Layers], list[str]]
type Break = Callable[[Layers], Layers]

RULES: dict[str, Rule] = {
    "disjoint_outputs": azd.disjoint_outputs,
    "known_dependencies": azd.known_dependencies,
    "literal_reads": azd.literal_reads,
    "supplied_parameters": azd.supplied_parameters,
    "ordered_by_need": azd.ordered_by_need,
    "nothing_asked": azd.nothing_asked,
    "empty_is_unset": azd.empty_is_unset,
    "pipeline_passes_choices": partial(azd.pipeline_passes_choices, variables=VARIABLES),
}


def landed() -> Layers:
    """Return the layers of azure.yaml, each with what its hooks remember."""
    return [
        Layer(
            name=layer["name"],
            template=(ROOT / layer["path"] / "main.bicep").read_text(),
            parameters=(ROOT / layer["path"] / "main.bicepparam").read_text(),
            depends_on=tuple(layer.get("dependsOn", ())),
            remembered=frozenset(
                name
                for hook in layer.get("hooks", {}).values()
                for name in re.findall(
                    r'remember\("(\w+)"', (ROOT / layer["path"] / hook["run"]).resolve().read_text()
                )
            ),
        )
        for layer in PROJECT["infra"]["layers"]
    ]


def edit(
    name: str,
    *,
    template: tuple[str, str] = ("", ""),
    parameters: tuple[str, str] = ("", ""),
    **other: Any,  # noqa: ANN401 - fields of a layer
) -> Break:
    """Return what changes one layer: a text in a file, or a field."""

    def change(layers: Layers) -> Layers:
        (layer,) = [each for each in layers if each.name == name]
        assert template[0] in layer.template
        assert parameters[0] in layer.parameters
        changed = replace(
            layer,
            template=layer.template.replace(*template) if template[0] else layer.template,
            parameters=layer.parameters.replace(*parameters) if parameters[0] else layer.parameters,
            **other,
        )
        return [changed if each is layer else each for each in layers]

    return change


def more(name: str, *, template: str = "", parameters: str = "") -> Break:
    """Return what adds lines to the files of a layer."""
    return lambda layers: [
        replace(
            each,
            template=f"{each.template}\n{template}\n",
            parameters=f"{each.parameters}\n{parameters}\n",
        )
        if each.name == name
        else each
        for each in layers
    ]


BROKEN: list[tuple[str, str, Break]] = [
    (
        "disjoint_outputs",
        "two layers name the pool",
        more("pool", template="output BATCH_POOL_ID string = pool.name"),
    ),
    (
        "disjoint_outputs",
        "two layers name the group",
        more("core", template="output AZURE_RESOURCE_GROUP string = resourceGroup().name"),
    ),
    ("known_dependencies", "a layer that is not there", edit("pool", depends_on=("packages",))),
    ("known_dependencies", "a later layer", edit("core", depends_on=("group", "pool"))),
    ("known_dependencies", "itself by another", lambda layers: [*layers[:1], *layers[:0:-1]]),
    (
        "known_dependencies",
        "a cycle by an output",
        lambda layers: more("group", parameters="param x = readEnvironmentVariable('POOL_X', '')")(
            more("pool", template="output POOL_X string = 'x'")(layers)
        ),
    ),
    (
        "literal_reads",
        "a name that is computed",
        more("pool", parameters="param x = readEnvironmentVariable(name, '')"),
    ),
    (
        "supplied_parameters",
        "one that nobody supplies",
        more("core", parameters="param x = readEnvironmentVariable('SOMETHING')"),
    ),
    (
        "supplied_parameters",
        "one that a later layer supplies",
        more("group", parameters="param x = readEnvironmentVariable('HOST_STORAGE_URL')"),
    ),
    ("ordered_by_need", "the pool waits for no package", edit("pool", depends_on=())),
    ("nothing_asked", "nobody makes the group", lambda layers: layers[1:]),
    ("nothing_asked", "core does not wait for its group", edit("core", depends_on=())),
    (
        "nothing_asked",
        "the first layer is deployed into a group",
        edit("group", template=("targetScope = 'subscription'", "targetScope = 'resourceGroup'")),
    ),
    (
        "empty_is_unset",
        "a default that an empty text passes by",
        edit(
            "core",
            parameters=(
                "readEnvironmentVariable('ALERT_EMAIL', '')",
                "readEnvironmentVariable('ALERT_EMAIL', 'nobody')",
            ),
        ),
    ),
    (
        "pipeline_passes_choices",
        "a choice that a pipeline does not have",
        more("pool", parameters="param x = readEnvironmentVariable('CHOICE', '')"),
    ),
    (
        "pipeline_passes_choices",
        "a variable that nobody reads",
        edit("pool", parameters=("'VM_SIZE'", "'NODE_KIND'")),
    ),
]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_azd_can_deploy_the_layers(rule: Rule) -> None:
    """As they are committed."""
    assert rule(landed()) == []


@pytest.mark.parametrize(
    ("rule", "change"),
    [(rule, change) for rule, _, change in BROKEN],
    ids=[f"{rule}: {what}" for rule, what, _ in BROKEN],
)
def test_what_azd_refuses_is_noticed(rule: str, change: Break) -> None:
    """The same layers with one thing changed."""
    assert RULES[rule](change(landed())) != []


def test_every_rule_has_something_that_breaks_it() -> None:
    """A rule that nothing breaks checks nothing."""
    assert {rule for rule, _, _ in BROKEN} == set(RULES)


def test_the_group_has_a_name_and_a_region_by_default() -> None:
    """Only the region is asked for; the group is named after the environment."""
    (group, *_) = landed()

    assert "'rg-${either(readEnvironmentVariable('AZURE_ENV_NAME', '')" in group.parameters
    assert "readEnvironmentVariable('AZURE_LOCATION', '')" in group.parameters
    assert re.search(r"azd: \{\s*type: 'location'", group.template)


def test_the_hook_of_core_tells_the_versions() -> None:
    """What the pool reads of packages comes from the hook, under the name that it reads."""
    _, core, pool = landed()

    assert core.remembered == {"PACKAGE_VERSIONS"}
    assert "PACKAGE_VERSIONS" in pool.reads


def test_the_app_is_found_by_its_name() -> None:
    """Azd refuses a group in which two apps have the service's tag, as two deployments give it."""
    service = PROJECT["services"]["orchestrator"]
    _, core, _ = landed()
    snapshot = json.loads((ROOT / "infra/snapshots/core.private.json").read_text())
    name = snapshot["outputs"]["FUNCTION_APP_NAME"]

    assert service["resourceName"] == "${FUNCTION_APP_NAME}"
    assert "FUNCTION_APP_NAME" in core.outputs
    assert [each["type"] for each in snapshot["predictedResources"] if each["name"] == name] == [
        "Microsoft.Web/sites"
    ]
