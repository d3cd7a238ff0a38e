"""Where the laptop's token goes, and where not."""

import pytest

from recur.arm import BatchArm
from recur.errors import CliError, Exit
from recur.target import Target


def laptop(**values: str) -> Target:
    given = {"BATCH_ACCOUNT_URL": "http://127.0.0.1:10100", "BATCH_ACCOUNT_NAME": "recurlocal"}
    return Target(source="settings.json", values=given | values)


@pytest.mark.parametrize("host", ["10.0.0.5", "evil.example", "127.0.0.1.evil.example", "[::2]"])
def test_no_token_leaves_this_machine_over_plain_http(host: str) -> None:
    """Whoever listens on the way could use it."""
    url = f"http://{host}:10100"
    with pytest.raises(CliError) as refused:
        BatchArm.of(laptop(BATCH_ACCOUNT_URL=url, BATCH_ARM_TOKEN="token"))

    assert refused.value.code is Exit.REFUSED
    assert refused.value.message == (
        f"BATCH_ACCOUNT_URL of settings.json is http:// to another machine: {url}"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_this_machine_needs_a_token(host: str) -> None:
    """A settings file from before there was one is mended by `make up`."""
    url = f"http://{host}:10100"
    with pytest.raises(CliError) as refused:
        BatchArm.of(laptop(BATCH_ACCOUNT_URL=url))

    assert refused.value.message == "BATCH_ARM_TOKEN is missing in settings.json"
    assert "`make up`" in str(refused.value.next_step)
    opened = BatchArm.of(laptop(BATCH_ACCOUNT_URL=url, BATCH_ARM_TOKEN="token"))
    assert opened.name == "recurlocal"
    opened.client.close()
