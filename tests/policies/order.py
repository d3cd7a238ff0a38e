"""What must come before what: each policy is a function of a compiled template."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

type Template = Mapping[str, Any]

_PARAMETER: Final = re.compile(r"parameters\('(\w+)'\)")
_REFERENCE: Final = re.compile(r"reference\('([\w:]+)'")


def roles_before_app(template: Template) -> list[str]:
    """Grant roles before the app starts."""
    return _after(template, "functionApp", "roles")


def roles_before_applications(template: Template) -> list[str]:
    """Let the Batch account use its storage before it makes a container for an application."""
    return _after(template, "packages", "roles")


def network_before_endpoints(template: Template) -> list[str]:
    """Make the network before what lies in it."""
    return _after(template, "privateEndpoints", "privateNetwork") + _after(
        template, "functionApp", "privateNetwork"
    )


def targets_before_endpoints(template: Template) -> list[str]:
    """Make what a private endpoint leads to before the endpoint: its id is reckoned, not read."""
    targets = ("hostStorage", "codeStorage", "dataStorage", "batchAccount", "functionApp")
    return [line for each in targets for line in _after(template, "privateEndpoints", each)]


def definitions_before_assignments(template: Template) -> list[str]:
    """Define a role before it is assigned."""
    return _after(_level(template, ("roles",)), "assignments", "storageRoles")


def links_before_records(template: Template) -> list[str]:
    """Let the network look in a zone before a name lies in it."""
    return _after(_level(template, ("privateEndpoints",)), "records", "links")


def versions_before_lifecycle(template: Template) -> list[str]:
    """Keep versions before a rule ends them: Azure refuses the rule otherwise."""
    storage = _level(template, ("dataStorage", "account"))
    return _after(storage, "account::lifecycle", "account::blobServices")


def ordered_names(template: Template) -> list[str]:
    """Name nothing as existing that the same deployment makes, unless it waits for its maker."""
    return _unordered(template, every=True)


def ordered_reads(template: Template) -> list[str]:
    """
    Read nothing as existing that the same deployment makes, unless it waits for its maker.

    With languageVersion 2.0 such a read is not ordered after the module that makes the resource
    (Azure/bicep issue 16664).
    """
    return _unordered(template, every=False)


def _unordered(template: Template, *, every: bool) -> list[str]:
    """Return what waits for no maker: of all that is named as existing, or of what is read alone."""
    places = list(_resources(template, {}, ()))
    makers = {each.key: each.path for each in places if not each.existing}
    found = []
    for each in places:
        maker = makers.get(each.key)
        if not each.existing or not (each.read or every) or maker is None:
            continue
        shared = _common(each.path, maker)
        level = _level(template, each.path[:shared])
        reader, made = each.path[shared], maker[shared]
        if made not in _waits(level, reader):
            how = "read" if each.read else "named"
            found.append(f"{'/'.join(each.path)} is {how}, and does not wait for {made}")
    return found


@dataclass(frozen=True, slots=True)
class _Place:
    """A resource in a template or in a module: its identity, and the symbols that lead to it."""

    key: tuple[str, str]
    path: tuple[str, ...]
    existing: bool
    read: bool


def _resources(
    template: Template, values: Mapping[str, str], above: tuple[str, ...]
) -> Iterator[_Place]:
    """Yield all resources at every depth, names in terms of the outermost template."""
    read = set(_REFERENCE.findall(_own_text(template)))
    for symbol, resource in template["resources"].items():
        path = (*above, symbol)
        if resource["type"] == "Microsoft.Resources/deployments":
            given = resource["properties"].get("parameters", {})
            inner = {
                name: _resolve(str(value["value"]), values)
                for name, value in given.items()
                if isinstance(value, Mapping) and "value" in value
            }
            nested = resource["properties"]["template"]
            if isinstance(nested["resources"], Mapping):
                yield from _resources(nested, inner, path)
            continue
        name = _resolve(str(resource["name"]), values)
        yield _Place(
            key=(resource["type"], name),
            path=path,
            existing=bool(resource.get("existing")),
            read=symbol in read,
        )


def _own_text(template: Template) -> str:
    """Return all expressions of a template but those of its modules."""
    resources = [
        resource
        if resource["type"] != "Microsoft.Resources/deployments"
        else {**resource, "properties": {**resource["properties"], "template": None}}
        for resource in template["resources"].values()
    ]
    return str((resources, template.get("outputs"), template.get("variables")))


def _resolve(expression: str, values: Mapping[str, str]) -> str:
    """Put what a module is given in place of its parameters."""
    inner = expression.removeprefix("[").removesuffix("]")

    def given(match: re.Match[str]) -> str:
        value = values.get(match[1])
        return value.removeprefix("[").removesuffix("]") if value else match[0]

    return _PARAMETER.sub(given, inner)


def _common(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    """Return how many symbols two paths share; their last ones are never the same."""
    return next(
        depth for depth, (one, other) in enumerate(zip(left, right, strict=False)) if one != other
    )


def _level(template: Template, path: tuple[str, ...]) -> Template:
    """Return the template of the module at a path."""
    for symbol in path:
        template = template["resources"][symbol]["properties"]["template"]
    return template


def _waits(template: Template, symbol: str) -> set[str]:
    """Return all that a resource of a template waits for, directly or not."""
    waits: set[str] = set()
    ahead = [symbol]
    while ahead:
        for other in template["resources"].get(ahead.pop(), {}).get("dependsOn", []):
            if other not in waits:
                waits.add(other)
                ahead.append(other)
    return waits


def _after(template: Template, later: str, earlier: str) -> list[str]:
    waits = _waits(template, later)
    return [] if earlier in waits else [f"{later} waits for {sorted(waits)}, not for {earlier}"]
