"""
The rules by which azd orders layers and fills their parameters.

Source: cli/azd/pkg/infra/provisioning/bicep/layer_deps.go and bicep_provider.go of Azure/azure-dev,
tags 1.25.0 and later, and internal/cmd/provision_graph.go.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

ITS_OWN: Final = frozenset(
    {
        "AZURE_ENV_NAME",
        "AZURE_LOCATION",
        "AZURE_PRINCIPAL_ID",
        "AZURE_SUBSCRIPTION_ID",
        "AZURE_TENANT_ID",
    }
)
"""What azd itself puts into the environment. It knows no type of the principal."""

_OF_WHO_DEPLOYS: Final = {"AZURE_PRINCIPAL_TYPE"}  # a person's would be wrong in a pipeline
_OUTPUT: Final = re.compile(r"^\s*output\s+(\w+)\s+", re.MULTILINE)
_READ: Final = re.compile(r"readEnvironmentVariable\s*\(\s*'([^']+)'(\s*,)?")
_ANY_READ: Final = re.compile(r"readEnvironmentVariable\s*\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """
    A layer of ``azure.yaml``.

    Attributes:
        name: Its name.
        template: The text of its main.bicep.
        parameters: The text of its main.bicepparam.
        depends_on: The layers that it names.
        remembered: The variables that its hook writes into azd's environment.
    """

    name: str
    template: str
    parameters: str
    depends_on: tuple[str, ...] = ()
    remembered: frozenset[str] = field(default_factory=frozenset)

    @property
    def outputs(self) -> list[str]:
        """The outputs as azd finds them: by a regular expression, in the main template alone."""
        return _OUTPUT.findall(self.template)

    @property
    def reads(self) -> dict[str, bool]:
        """The variables that the layer reads, and whether each read has a default."""
        found: dict[str, bool] = {}
        for name, default in _READ.findall(self.parameters + self.template):
            found[name] = found.get(name, True) and bool(default)
        return found

    @property
    def subscription_scope(self) -> bool:
        """Whether the layer is deployed at the subscription."""
        return "targetScope = 'subscription'" in self.template


def disjoint_outputs(layers: Iterable[Layer]) -> list[str]:
    """Let one layer alone produce an output: azd refuses two before its first request."""
    producers: dict[str, str] = {}
    found = []
    for layer in layers:
        for name in layer.outputs:
            if name in producers:
                found.append(f"{name} comes from {producers[name]} and from {layer.name}")
            producers[name] = layer.name
    return found


def known_dependencies(layers: Iterable[Layer]) -> list[str]:
    """Depend on earlier layers that there are, and on no later one: azd refuses a cycle."""
    found = []
    earlier: list[str] = []
    producers = {name: layer.name for layer in layers for name in layer.outputs}
    for layer in layers:
        needed = {*layer.depends_on, *(producers.get(name, "") for name in layer.reads)}
        found += [
            f"{layer.name} needs {name}, which does not come before it"
            for name in sorted(needed - {"", layer.name})
            if name not in earlier
        ]
        earlier.append(layer.name)
    return found


def literal_reads(layers: Iterable[Layer]) -> list[str]:
    """Name each variable in plain: what azd cannot read it takes for a need of all before."""
    return [
        f"{layer.name} reads a variable whose name azd cannot see"
        for layer in layers
        if len(_ANY_READ.findall(layer.parameters + layer.template))
        != len(_READ.findall(layer.parameters + layer.template))
    ]


def supplied_parameters(layers: Iterable[Layer]) -> list[str]:
    """Read what an earlier layer, its hook or azd supplies; anything else needs a default."""
    supplied = set(ITS_OWN)
    found = []
    for layer in layers:
        found += [
            f"{layer.name} reads {name}, which nothing supplies"
            for name, default in layer.reads.items()
            if name not in supplied and not default
        ]
        supplied |= {*layer.outputs, *layer.remembered}
    return found


def ordered_by_need(layers: Iterable[Layer]) -> list[str]:
    """Wait for the layer whose hook writes a variable: azd cannot see that need itself."""
    writers = {name: layer.name for layer in layers for name in layer.remembered}
    return [
        f"{layer.name} reads {name} and does not depend on {writers[name]}"
        for layer in layers
        for name in layer.reads
        if name in writers and writers[name] != layer.name and writers[name] not in layer.depends_on
    ]


def nothing_asked(layers: Iterable[Layer]) -> list[str]:
    """
    Have a resource group before a layer is deployed into one.

    A layer at the scope of a group makes azd ask for AZURE_RESOURCE_GROUP if it is not set, which
    fails with --no-prompt. The first layer is initialised before any other has run.
    """
    found = []
    known: dict[str, str] = {}
    for layer in layers:
        if not layer.subscription_scope:
            maker = known.get("AZURE_RESOURCE_GROUP")
            if maker is None:
                found.append(f"{layer.name} is deployed into a group that nobody made")
            elif maker not in _all_needs(layer, layers):
                found.append(f"{layer.name} does not wait for {maker}, which makes its group")
        known |= dict.fromkeys(layer.outputs, layer.name)
    return found


def empty_is_unset(layers: Iterable[Layer]) -> list[str]:
    """Give every read an empty default: a pipeline passes empty texts for what nobody set."""
    return [
        f"{layer.name}: the default of {name} holds only where it is not set at all"
        for layer in layers
        for name, default in re.findall(
            r"readEnvironmentVariable\('(\w+)',\s*([^)]*)\)", layer.parameters
        )
        if default.strip() != "''"
    ]


def pipeline_passes_choices(layers: Iterable[Layer], variables: Iterable[str]) -> list[str]:
    """Pass every choice of an operator to a pipeline, and nothing that nobody reads."""
    choices: set[str] = set()
    produced: set[str] = set()
    for layer in layers:
        choices |= layer.reads.keys() - produced
        produced |= {*layer.outputs, *layer.remembered}
    choices -= ITS_OWN | _OF_WHO_DEPLOYS
    return [f"{name} does not reach a pipeline" for name in sorted(choices - set(variables))] + [
        f"nobody reads {name}" for name in sorted(set(variables) - choices)
    ]


def _all_needs(layer: Layer, layers: Iterable[Layer]) -> set[str]:
    by_name: Mapping[str, Layer] = {each.name: each for each in layers}
    needs: set[str] = set()
    ahead = [layer]
    while ahead:
        for name in ahead.pop().depends_on:
            if name in by_name and name not in needs:
                needs.add(name)
                ahead.append(by_name[name])
    return needs
