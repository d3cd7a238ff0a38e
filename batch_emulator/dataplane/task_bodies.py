"""The request bodies of tasks, and what the other bodies share with them."""

from datetime import timedelta
from typing import Final, cast
from urllib.parse import urlsplit

from batch_emulator.dataplane.shapes import (
    choice,
    duration,
    integer,
    kept,
    partly,
    shape,
    text,
    unsupported,
)
from batch_emulator.errors import invalid_property, not_supported
from batch_emulator.wire import UNLIMITED, Json, print_duration

ENDLESS: Final = print_duration(UNLIMITED)
RETRIES: Final = integer(-1, 2**31 - 1)
WALL_CLOCK: Final = duration(timedelta(microseconds=1))
DEFAULT_IDENTITY: Final[Json] = {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}


def _container_url(path: str, value: object) -> object:
    url = urlsplit(cast("str", text(path, value)))
    if url.scheme not in {"http", "https"} or not url.netloc:
        raise invalid_property(path, value, "The specified URL is not a valid URI")
    return value


def _refuse_signature(path: str, value: object) -> None:
    if isinstance(value, str) and "?" in value:
        raise not_supported(f"property {path} with a shared access signature")


OUTPUT_FILE: Final = shape(
    {
        "filePattern": text,
        "destination": shape(
            {
                "container": shape(
                    {
                        "containerUrl": partly(
                            _container_url, _refuse_signature, "with a shared access signature"
                        ),
                        "path": text,
                        "identityReference": shape({"resourceId": text}, required=("resourceId",)),
                        "uploadHeaders": unsupported,
                    },
                    required=("containerUrl", "identityReference"),
                )
            },
            required=("container",),
        ),
        "uploadOptions": shape(
            {"uploadCondition": choice("TaskSuccess", "TaskFailure", "TaskCompletion")},
            required=("uploadCondition",),
        ),
    },
    required=("filePattern", "destination", "uploadOptions"),
    title="output file",
)

TASK_CONSTRAINTS: Final = shape(
    {
        "maxWallClockTime": WALL_CLOCK,
        "retentionTime": kept(duration()),
        "maxTaskRetryCount": RETRIES,
    }
)
