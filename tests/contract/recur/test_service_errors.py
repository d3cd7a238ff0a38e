"""A service that is down, as the official clients find it."""

import socket
from pathlib import Path

from recur.errors import Exit
from tests.support.operator import operator


def test_storage_that_is_down_is_named_with_what_starts_it(tmp_path: Path) -> None:
    """On a laptop: nothing listens where the settings say."""
    with socket.socket() as closed:  # bound, and it does not listen
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        url = f"http://127.0.0.1:{port}/recurlocal"
        key = "AccountName=recurlocal;AccountKey=a2V5"
        someone = operator(
            tmp_path,
            DATA_STORAGE_URL=url,
            DATA_STORAGE_CONNECTION_STRING=f"DefaultEndpointsProtocol=http;{key};BlobEndpoint={url};",
            LEDGER_CONTAINER="ledger",
        )

        told = someone.recur("runs")

    assert told.code == Exit.UNAVAILABLE
    assert f"the data storage at 127.0.0.1:{port} does not answer" in told.err
    assert "next: `make up` runs it" in told.err
