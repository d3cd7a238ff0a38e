"""The checks of files in request bodies: resource files, output files and logs of nodes."""

import re
from pathlib import PurePosixPath
from typing import Final, cast
from urllib.parse import urlsplit

from batch_emulator.dataplane.shapes import Shape, choice, items, partly, shape, text
from batch_emulator.errors import invalid_property, not_supported
from batch_emulator.runtime.output_files import METADATA_HEADER, SETTINGS_BY_HEADER
from batch_emulator.wire import Json

_SOURCES: Final = ("autoStorageContainerName", "storageContainerUrl", "httpUrl")
_EXCLUDED: Final = {"httpUrl": "blobPrefix", "autoStorageContainerName": "identityReference"}
_FILE_MODE: Final = re.compile(r"0?[0-7]{3,4}")


def _url(path: str, value: object) -> object:
    try:
        url = urlsplit(cast("str", text(path, value)))
    except ValueError:  # as for http://[
        url = urlsplit("")
    if url.scheme not in {"http", "https"} or not url.netloc:
        raise invalid_property(path, value, "The specified URL is not a valid URI")
    return value


def _file_path(path: str, value: object) -> object:
    parts = PurePosixPath(cast("str", text(path, value))).parts
    if ".." in parts or "\0" in str(value):
        reason = "The path must stay inside the task's working directory"
        raise invalid_property(path, value, reason)
    return value


def _refuse_absolute(path: str, value: object) -> None:
    if isinstance(value, str) and value.startswith("/"):
        raise not_supported(f"property {path} with an absolute path")


def _file_mode(path: str, value: object) -> object:
    if not _FILE_MODE.fullmatch(cast("str", text(path, value))):
        raise invalid_property(path, value, "The value must be three or four octal digits")
    return value


def _refuse_header(path: str, value: object) -> None:
    name = str(value).lower()
    if name not in SETTINGS_BY_HEADER and not name.startswith(METADATA_HEADER):
        raise not_supported(f"property {path} with value {value!r}")


_HEADER_NAME: Final = partly(
    text,
    _refuse_header,
    f"other than {', '.join(f'`{name}`' for name in SETTINGS_BY_HEADER)} and `{METADATA_HEADER}*`",
)
_IDENTITY: Final = shape({"resourceId": text}, required=("resourceId",))


class _ResourceFile(Shape):
    """A resource file: its one source decides which other properties it has."""

    def _check_values(self, path: str, value: object) -> object:
        file = cast("Json", super()._check_values(path, value))
        _check_source(path, file)
        return file


def _check_source(path: str, file: Json) -> None:
    given = [name for name in _SOURCES if name in file]
    if len(given) != 1:
        reason = f"Exactly one of {', '.join(_SOURCES)} must be specified"
        raise invalid_property(path, ", ".join(given), reason)
    (source,) = given
    if source == "httpUrl" and not file.get("filePath"):
        reason = "The property is required with httpUrl"
        raise invalid_property(f"{path}.filePath", file.get("filePath", ""), reason)
    other = _EXCLUDED.get(source, "")
    if other in file:
        reason = f"The property cannot be specified with {source}"
        raise invalid_property(f"{path}.{other}", file[other], reason)


RESOURCE_FILES: Final = items(
    _ResourceFile(
        {
            "autoStorageContainerName": text,
            "storageContainerUrl": _url,
            "httpUrl": _url,
            "blobPrefix": text,
            "filePath": partly(_file_path, _refuse_absolute, "with an absolute path"),
            "fileMode": _file_mode,
            "identityReference": _IDENTITY,
        },
        required=(),
        title="resource file",
    )
)

OUTPUT_FILES: Final = items(
    shape(
        {
            "filePattern": text,
            "destination": shape(
                {
                    "container": shape(
                        {
                            "containerUrl": _url,
                            "path": text,
                            "identityReference": _IDENTITY,
                            "uploadHeaders": items(
                                shape({"name": _HEADER_NAME, "value": text}, required=("name",))
                            ),
                        },
                        required=("containerUrl",),
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
)

_LOG_REQUEST: Final = shape(
    {
        "containerUrl": _url,
        "startTime": text,
        "endTime": text,
        "identityReference": _IDENTITY,
    },
    required=("containerUrl", "startTime"),
)


def read_log_request(body: object) -> tuple[str, bool]:
    """
    Return the container for the logs of a node, and whether an identity opens it.

    Raises:
        ServiceError: The body is wrong.
    """
    given = cast("Json", _LOG_REQUEST("", body))
    return str(given["containerUrl"]), "identityReference" in given
