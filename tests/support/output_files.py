"""Output files as tests of the emulator ask for them."""

from tests.conftest import Containers


def output(
    containers: Containers,
    pattern: str,
    path: str | None,
    *,
    condition: str = "taskcompletion",
    container: str | None = None,
) -> dict[str, object]:
    """Return an output file as the REST API has it."""
    destination: dict[str, object] = {
        "containerUrl": f"{containers.account_url}/{container or containers.outputs}",
        "identityReference": {"resourceId": "/subscriptions/0/identity"},
    }
    if path is not None:
        destination["path"] = path
    return {
        "filePattern": pattern,
        "destination": {"container": destination},
        "uploadOptions": {"uploadCondition": condition},
    }
