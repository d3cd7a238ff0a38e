"""What tests share lies beside them, not in one of them."""

import ast
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]


def _imports(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, and the names that it imports of them."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{one.name}" for one in names)
            case _:
                pass


def test_no_test_module_is_imported() -> None:
    """What one test module changes breaks no other."""
    files = [*(_ROOT / "tests").rglob("*.py"), *(_ROOT / "bench").rglob("*.py")]
    modules = {
        ".".join(path.relative_to(_ROOT).with_suffix("").parts)
        for path in files
        if path.name.startswith("test_")
    }
    assert "tests.unit.project.test_test_modules" in modules
    assert {path.name: found for path in files if (found := modules & {*_imports(path)})} == {}
