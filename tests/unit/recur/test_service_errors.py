"""An error of a service that is down names the service, and what starts or mends it."""

import pytest
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from recur.errors import Exit
from recur.service_errors import in_our_words
from recur.target import Target

ENDPOINT = "http://127.0.0.1:10000/recurlocal"
LAPTOP = Target(
    source="local.settings.json",
    values={
        "BATCH_ACCOUNT_URL": "http://127.0.0.1:10100",
        "DATA_STORAGE_URL": ENDPOINT,
        "DATA_STORAGE_CONNECTION_STRING": f"AccountName=recurlocal;BlobEndpoint={ENDPOINT};",
        "AzureWebJobsStorage": "AccountName=host;BlobEndpoint=http://127.0.0.1:10009/host;",
    },
)
CLOUD = Target(
    source=".azure/prod/.env",
    values={
        "BATCH_ACCOUNT_URL": "https://acme.batch.azure.com",
        "DATA_STORAGE_URL": "https://acme.blob.core.windows.net",
        "HOST_STORAGE_URL": "https://acmehost.blob.core.windows.net",
    },
)
HOST = "the storage of the Functions host"
MAKE_UP = "`make up` runs it, in another terminal"


def refused(port: int) -> AzureError:
    return ServiceRequestError(
        f"HTTPConnection(host='127.0.0.1', port={port}): Failed to establish a new connection: "
        "[Errno 111] Connection refused"
    )


def of_host(host: str, why: str, kind: type[AzureError] = ServiceRequestError) -> AzureError:
    return kind(f"HTTPSConnectionPool(host='{host}', port=443): {why}")


@pytest.mark.parametrize(
    ("error", "target", "said", "step"),
    [
        (
            refused(10000),
            LAPTOP,
            "the data storage at 127.0.0.1:10000 does not answer: the connection is refused",
            MAKE_UP,
        ),
        (
            refused(10100),
            LAPTOP,
            "the Batch account at 127.0.0.1:10100 does not answer: the connection is refused",
            MAKE_UP,
        ),
        (
            refused(10009),
            LAPTOP,
            f"{HOST} at 127.0.0.1:10009 does not answer: the connection is refused",
            MAKE_UP,
        ),
        (
            of_host("acme.blob.core.windows.net", "Read timed out. (read timeout=60)"),
            CLOUD,
            "the data storage at acme.blob.core.windows.net:443 does not answer: no answer in time",
            "check DATA_STORAGE_URL in .azure/prod/.env and the network, then try again",
        ),
        (
            of_host(
                "acme.batch.azure.com",
                "Failed to resolve 'acme' ([Errno -2] Name or service not known)",
                ServiceResponseError,
            ),
            CLOUD,
            "the Batch account at acme.batch.azure.com:443 does not answer: its name is not known",
            "check BATCH_ACCOUNT_URL in .azure/prod/.env and the network, then try again",
        ),
        (
            of_host("management.azure.com", "Read timed out."),
            CLOUD,
            "Azure Resource Manager at management.azure.com:443 does not answer: no answer in time",
            "check the network, then try again",
        ),
        (
            of_host("else.example", "certificate verify failed"),
            None,
            "a service at else.example:443 does not answer: its certificate is not accepted",
            "check the network, then try again",
        ),
        (
            ServiceResponseError("('Connection aborted.', RemoteDisconnected())"),
            LAPTOP,
            "('Connection aborted.', RemoteDisconnected())",
            "check the address and the network, then try again",
        ),
    ],
)
def test_a_service_without_an_answer_is_named(
    error: AzureError, target: Target | None, said: str, step: str
) -> None:
    """By what the settings call it; on a laptop `make up` is the next step."""
    told = in_our_words(error, target)

    assert (told.code, told.message, told.next_step) == (Exit.UNAVAILABLE, said, step)


def test_other_errors_keep_their_words() -> None:
    """The first line, with what to do."""
    signed_out = in_our_words(ClientAuthenticationError("no credential\nmore"), CLOUD)
    broken = in_our_words(HttpResponseError("the blob is leased"), CLOUD)

    assert (signed_out.code, signed_out.message) == (Exit.NO_ACCESS, "no credential")
    assert (broken.code, broken.message) == (Exit.FOUND, "the blob is leased")


def test_on_a_laptop_nobody_signs_in() -> None:
    """Keys open its services."""
    refusal = ClientAuthenticationError("the key is wrong")

    there, here = in_our_words(refusal, CLOUD), in_our_words(refusal, LAPTOP)

    assert (there.code, here.code) == (Exit.NO_ACCESS, Exit.NO_ACCESS)
    assert there.next_step == "sign in by `az login`, then `recur doctor`"
    assert here.next_step == (
        "`make up` writes the keys into local.settings.json, then `recur doctor`"
    )
