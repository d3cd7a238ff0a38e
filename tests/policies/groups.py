"""Every policy by its name, in groups: each group has a test file that breaks its policies."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from orchestrator.adapters.settings import read_settings
from orchestrator.errors import SettingsError
from tests.policies import alerts, names, network, resources, roles
from tests.policies.resources import Deployed

_ROOT: Final = Path(__file__).parents[2]
RUNBOOK: Final = (_ROOT / "docs/alerts.md").read_text()
# An account key and what goes with it: the laptop's, where there is no Entra.
_ON_A_LAPTOP: Final = {
    "BATCH_ACCOUNT_NAME",
    "BATCH_ACCOUNT_KEY",
    "DATA_STORAGE_CONNECTION_STRING",
}

type Policy = Callable[[Deployed], list[str]]


class _Asked(Mapping[str, str]):
    """An empty environment that remembers what it was asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def names_read() -> frozenset[str]:
    """Return the settings that the product's code reads in Azure."""
    asked = _Asked()
    with pytest.raises(SettingsError):
        read_settings(asked)
    bound = re.findall(r"%(\w+)%", (_ROOT / "function_app.py").read_text())
    return frozenset(asked.names.union(bound) - _ON_A_LAPTOP)


GROUPS: Final[Mapping[str, Mapping[str, Policy]]] = {
    "access": {
        "entra_only": resources.entra_only,
        "nothing_public": resources.nothing_public,
        "encrypted_transport": resources.encrypted_transport,
        "immutable_packages": resources.immutable_packages,
        "hardened": resources.hardened,
        "reachable": resources.reachable,
    },
    "settings": {
        "exact_settings": partial(resources.exact_settings, read=names_read()),
        "no_secret_settings": resources.no_secret_settings,
        "no_secret_outputs": resources.no_secret_outputs,
        "own_settings": roles.own_settings,
    },
    "retention": {
        "kept_long_enough": resources.kept_long_enough,
        "restorable": resources.restorable,
        "locked": resources.locked,
        "zonal_data": resources.zonal_data,
    },
    "resources": {
        "valid_names": names.valid_names,
        "whole": resources.whole,
        "watched": resources.watched,
        "packages_with_the_data": resources.packages_with_the_data,
        "budgeted": resources.budgeted,
        "cheap_telemetry": resources.cheap_telemetry,
        "running_as_built": resources.running_as_built,
    },
    "roles": {
        "exact_roles": roles.exact_roles,
        "exact_custom_roles": roles.exact_custom_roles,
        "packages_only": roles.packages_only,
        "typed_principals": roles.typed_principals,
        "no_power_over_code": roles.no_power_over_code,
        "own_identities": roles.own_identities,
        "own_code_storage": roles.own_code_storage,
    },
    "alerts": {
        "firing_alerts": alerts.firing_alerts,
        "sound_alerts": alerts.sound_alerts,
        "explained_alerts": partial(alerts.explained_alerts, page=RUNBOOK),
    },
    "private": {
        "nothing_answers_in_public": network.nothing_answers_in_public,
        "private_endpoints": network.private_endpoints,
        "way_out": network.way_out,
        "app_in_network": network.app_in_network,
    },
}
PRIVATE: Final = GROUPS["private"]
"""What is different in the private profile."""

POLICIES: Final[Mapping[str, Policy]] = {
    name: policy
    for group in GROUPS.values()
    if group is not PRIVATE
    for name, policy in group.items()
}
