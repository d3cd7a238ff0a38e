"""Every incident that is known has a test that provokes it."""

from tests.contract.passes import (
    test_incidents_of_calls,
    test_incidents_of_nodes,
    test_incidents_of_pools,
)
from tests.contract.passes.incidents import INCIDENTS, provoked_by

MODULES = (test_incidents_of_calls, test_incidents_of_nodes, test_incidents_of_pools)


def test_each_incident_is_provoked() -> None:
    """A test says by its mark which one it provokes, and in its docstring what comes of it."""
    tests = [test for module in MODULES for test in vars(module).values() if provoked_by(test)]

    assert {number for test in tests for number in provoked_by(test)} == INCIDENTS.keys()
    for test in tests:
        numbers = sorted(provoked_by(test))
        assert all(str(number) in (test.__doc__ or "") for number in numbers), test.__name__
