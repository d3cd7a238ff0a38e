"""Files of the repository that commands use, whether they run from a checkout or a wheel."""

import json
from functools import cache
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[1]
_PACKAGED_POOL: Final = Path(__file__).with_name("pool.json")
"""Only a wheel holds it: pyproject.toml puts ``infra/pool/pool.json`` there."""

_PACKAGED_FORMULA: Final = Path(__file__).with_name("autoscale.formula")
"""Likewise."""


def find_checkout() -> Path | None:
    """Return the root of the checkout that runs; none if the command runs from a wheel."""
    return None if _PACKAGED_POOL.is_file() else _ROOT


def pool_file() -> Path:
    """Return the pool's one truth."""
    root = find_checkout()
    return root / "infra/pool/pool.json" if root else _PACKAGED_POOL


def formula_file() -> Path:
    """Return the formula that the pool follows."""
    root = find_checkout()
    return root / "infra/pool/autoscale.formula" if root else _PACKAGED_FORMULA


@cache
def pool_packages() -> tuple[str, ...]:
    """Return the ids of the application packages that every node of the pool has."""
    packages = json.loads(pool_file().read_text(encoding="utf-8"))["applicationPackages"]
    return tuple(package["id"] for package in packages)
