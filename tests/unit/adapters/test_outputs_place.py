"""Where the outputs of an attempt are, by the URL that it keeps."""

import pytest
from azure.storage.blob.aio import BlobServiceClient

from orchestrator.adapters.outputs import Outputs
from orchestrator.errors import OutputUnreadable

ACCOUNT = "http://127.0.0.1:10000/devstoreaccount1"


async def test_storage_of_a_laptop_is_the_same_at_another_port() -> None:
    """It has one at each start; another account, or none of a container, is another place."""
    async with BlobServiceClient(ACCOUNT) as service:
        outputs = Outputs(service, "outputs")

        assert outputs.at(None) is outputs
        assert outputs.at(f"{ACCOUNT}/outputs") is outputs
        assert outputs.at(f"{ACCOUNT.replace('10000', '9')}/outputs") is outputs
        assert outputs.at(f"{ACCOUNT.replace('10000', '9')}/earlier") is not outputs
        for url in ("http://127.0.0.1:10000/other/outputs", ACCOUNT, f"{ACCOUNT}/a/b"):
            with pytest.raises(OutputUnreadable, match="not in this storage account"):
                outputs.at(url)
