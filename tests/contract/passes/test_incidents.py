"""Every incident that is known has a test that provokes it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from batch_emulator.faults.incidents import INCIDENTS

type Test = ast.FunctionDef | ast.AsyncFunctionDef


def provoking_tests() -> Iterator[tuple[Test, set[int]]]:
    """Yield the tests of this folder that bear the mark of an incident, with its numbers."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for test in ast.walk(ast.parse(path.read_text())):
            if isinstance(test, Test.__value__):
                numbers = {number for one in test.decorator_list if (number := _number(one))}
                if numbers:
                    yield test, numbers


def _number(decorator: ast.expr) -> int | None:
    match decorator:
        case ast.Call(func=ast.Name(id="incident"), args=[ast.Constant(value=int(number))]):
            return number
        case _:
            return None


def test_each_incident_is_provoked() -> None:
    """A test says by its mark which one it provokes, and in its docstring what comes of it."""
    tests = [*provoking_tests()]

    assert {number for _, numbers in tests for number in numbers} == INCIDENTS.keys()
    for test, numbers in tests:
        assert all(str(number) in (ast.get_docstring(test) or "") for number in numbers), test.name
