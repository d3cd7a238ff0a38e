"""
Check what is written here, or write what is compiled from it: ``python -m infra.check [--write]``.

The compiled templates, and snapshots of what they would deploy, are committed: for those who have no
compiler, and for tests of policies. Without a compiler, only their age is checked; with another
version than the one named in ``bicep.version`` they are not compared, since each version compiles a
little differently.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from infra.compiler import SUBSCRIPTION, Compiler, CompilerError, find

ROOT: Final = Path(__file__).resolve().parent
LAYERS: Final = ("group", "core", "pool")

_PLACE: Final = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
_IDENTITY: Final = "Microsoft.ManagedIdentity/userAssignedIdentities"
_POOL: Final = {
    "BATCH_ACCOUNT_NAME": "recurlocal",
    "NODE_IDENTITY_ID": f"{_PLACE}/recur-local/providers/{_IDENTITY}/recur-node",
    "PACKAGE_VERSIONS": json.dumps(dict.fromkeys(("pythonsetup", "pythonscript"), "v000000000000")),
}
_NETWORKS: Final = f"{_PLACE}/network/providers/Microsoft.Network"
_SUBNET: Final = f"{_NETWORKS}/virtualNetworks/nodes/subnets/batch"
_LONGEST_NAME: Final = "Night.(reports)_".ljust(64, "x")  # azd allows these characters
_PIPELINE: Final = "11111111-1111-1111-1111-111111111111"

# What an operator would set for each, as `azd env set` does.
SNAPSHOTS: Final[dict[str, dict[str, str]]] = {
    "group.defaults": {"AZURE_ENV_NAME": "prod", "AZURE_LOCATION": "westeurope"},
    "core.defaults": {},
    "core.article": {"STORAGE_ACCOUNT_NAME": "mystorage", "BATCH_ACCOUNT_NAME": "mybatch"},
    "core.mail": {"AZURE_ENV_NAME": "prod", "ALERT_EMAIL": "operators@example.org"},
    "core.pipeline": {"AZURE_PRINCIPAL_ID": _PIPELINE, "AZURE_PRINCIPAL_TYPE": "ServicePrincipal"},
    "core.private": {"NETWORK": "private"},
    "core.firewall": {
        "AZURE_ENV_NAME": _LONGEST_NAME,
        "NETWORK": "private",
        "ROUTE_TABLE_ID": f"{_NETWORKS}/routeTables/hub",
    },
    "core.bare": {
        "DATA_LOCK": "false",
        "MONTHLY_BUDGET": "0",
        "STORAGE_REDUNDANCY": "Standard_LRS",
    },
    "pool.defaults": _POOL,
    "pool.article": _POOL
    | {
        "BATCH_ACCOUNT_NAME": "mybatch",
        "VM_SIZE": "Standard_A1_v2",
        "IMAGE_SKU": "server-gen1",
        "TRUSTED_LAUNCH": "false",
    },
    "pool.spot": _POOL | {"NODE_KIND": "spot", "MAXIMUM_NODES": "4"},
    "pool.windows": _POOL | {"POOL_OS": "windows"},
    "pool.soft": _POOL | {"TRUSTED_LAUNCH": "false", "ENCRYPTION_AT_HOST": "false"},
    "pool.subnet": _POOL | {"SUBNET_ID": _SUBNET, "PUBLIC_ADDRESSES": "false"},
    "pool.private": _POOL | {"NODE_SUBNET_ID": _SUBNET},
    "pool.job-identity": _POOL
    | {"JOB_IDENTITY_ID": f"{_PLACE}/data/providers/{_IDENTITY}/nightly-report"},
}
_SOURCES: Final = (
    "*.bicep",
    "*/*.bicep",
    "*/*.bicepparam",
    "core/modules/*.bicep",
    "core/modules/*.json",
    "pool/*.json",
    "pool/*.formula",
    "alerts/*.kql",
)
_GENERATED: Final = ("compiled", "snapshots")


def main(arguments: list[str] | None = None) -> int:
    """Run the command, and return 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m infra.check", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write what is compiled")
    options = parser.parse_args(arguments)
    try:
        path = find()
        problems = write(path) if options.write else find_problems(path)
    except CompilerError as error:
        problems = [str(error)]
    for problem in problems:
        print(problem, file=sys.stderr)  # noqa: T201
    return 1 if problems else 0


def find_problems(path: Path | None, root: Path = ROOT) -> list[str]:
    """
    Return what is wrong: diagnostics, formatting, and what is committed but not compiled from this.

    Args:
        path: Of the compiler, if there is one.
        root: The folder ``infra``.
    """
    if path is None:
        _print_line(
            "infra: no Bicep compiler (BICEP, PATH, Azure CLI): nothing is linted or compiled"
        )
        return outdated(root)
    compiler = Compiler(path)
    version = compiler.version()
    with _copy(root) as folder:
        diagnostics = compiler.lint(folder)
        compiler.format(folder)
        if problems := [*diagnostics, *_misformatted(folder, root)]:
            return problems
        _print_line(f"infra: Bicep {version} has nothing to say of {len(_written(folder))} files")
        if version != named_version(root):
            _print_line(
                f"infra: not compared, since what is committed is of Bicep {named_version(root)}"
            )
            return outdated(root)
        compiled = _compile(compiler, folder)
    different = [
        f"infra/{name} is not what its sources compile to: run make infra-write"
        for name in sorted(compiled.keys() | _committed(root))
        if not (root / name).exists() or compiled.get(name) != _read_json(root / name)
    ]
    if not different:
        _print_line(f"infra: {len(compiled)} compiled templates and snapshots are up to date")
    return different


def write(path: Path | None, root: Path = ROOT) -> list[str]:
    """Write the sources as the formatter has them and what they compile to, or return why not."""
    if path is None:
        return ["there is no Bicep compiler: set BICEP, or run az bicep install"]
    compiler = Compiler(path)
    if (version := compiler.version()) != named_version(root):
        return [f"this is Bicep {version}, and infra/bicep.version names {named_version(root)}"]
    with _copy(root) as folder:
        if problems := compiler.lint(folder):
            return problems
        compiler.format(folder)
        texts = {name: path.read_text(encoding="utf-8") for name, path in _written(folder).items()}
        compiled = _compile(compiler, folder)
    for name in _committed(root) - compiled.keys():
        (root / name).unlink()
    texts |= {name: _json(content) for name, content in compiled.items()}
    for name, text in texts.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8", newline="\n")
    _print_line(f"infra: {len(compiled)} compiled templates and snapshots are written")
    return []


def outdated(root: Path) -> list[str]:
    """Return what has changed since the committed templates were compiled, by its digest."""
    recorded: Mapping[str, str] = _read_json(root / "compiled/sources.json")
    now = sources(root)
    return [
        f"infra/{name} has changed since infra/compiled was written: run make infra-write"
        for name in sorted(recorded.keys() | now.keys())
        if recorded.get(name) != now.get(name)
    ]


def named_version(root: Path) -> str:
    """Return the version of the compiler by which the committed files were made."""
    return (root / "bicep.version").read_text(encoding="utf-8").strip()


def sources(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file that what is compiled depends on."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_text(encoding="utf-8").encode()
        ).hexdigest()
        for pattern in _SOURCES
        for path in folder.glob(pattern)
    }


@contextmanager
def _copy(root: Path) -> Iterator[Path]:
    """Give a copy of what the compiler reads, in which it may write."""
    with tempfile.TemporaryDirectory(prefix="recur-infra-") as name:
        folder = Path(name) / "infra"
        others = shutil.ignore_patterns("__pycache__", "hooks", *_GENERATED)
        shutil.copytree(root, folder, ignore=others)
        yield folder


def _compile(compiler: Compiler, folder: Path) -> dict[str, Any]:
    """Return all that is compiled, by file name, as JSON."""

    def snapshot(name: str) -> Any:  # noqa: ANN401 - JSON
        layer = folder / name.partition(".")[0]
        parameters = layer / f"{name}.bicepparam"
        shutil.copy(layer / "main.bicepparam", parameters)
        return compiler.snapshot(parameters, SNAPSHOTS[name])

    digests = sources(folder)
    with ThreadPoolExecutor(max_workers=2) as workers:
        templates = workers.map(lambda layer: compiler.build(folder / layer / "main.bicep"), LAYERS)
        snapshots = workers.map(snapshot, SNAPSHOTS)
        compiled = dict(zip((f"compiled/{layer}.json" for layer in LAYERS), templates, strict=True))
        taken = dict(zip((f"snapshots/{name}.json" for name in SNAPSHOTS), snapshots, strict=True))
    return compiled | taken | {"compiled/sources.json": digests}


def _misformatted(formatted: Path, root: Path) -> list[str]:
    return [
        f"infra/{name} is not formatted: run make infra-write"
        for name, path in _written(formatted).items()
        if path.read_text(encoding="utf-8") != (root / name).read_text(encoding="utf-8")
    ]


def _written(folder: Path) -> dict[str, Path]:
    """Return the Bicep files in a folder, by name."""
    paths = sorted([*folder.rglob("*.bicep"), *folder.rglob("*.bicepparam")])
    return {path.relative_to(folder).as_posix(): path for path in paths}


def _committed(root: Path) -> set[str]:
    """Return the names of what was compiled and is kept."""
    return {f"{kept}/{path.name}" for kept in _GENERATED for path in (root / kept).glob("*.json")}


def _read_json(path: Path) -> Any:  # noqa: ANN401 - JSON
    return json.loads(path.read_text(encoding="utf-8"))


def _json(content: object) -> str:
    # Sorted, since the compiler gives outputs in another order each time.
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _print_line(line: str) -> None:
    print(line)  # noqa: T201 - a command's output


if __name__ == "__main__":
    sys.exit(main())
