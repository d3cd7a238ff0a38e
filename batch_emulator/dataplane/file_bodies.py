"""The checks of files in request bodies: what a task gets before it runs, what it leaves behind."""

import re
from pathlib import PurePosixPath
from typing import Final, cast
from urllib.parse import urlsplit

from batch_emulator.dataplane.shapes import choice, items, shape, text
from batch_emulator.errors import invalid_property, not_supported
from batch_emulator.runtime.output_files import METADATA_HEADER, SETTINGS_BY_HEADER
from batch_emulator.wire import Json

_SOURCES: Final = ("autoStorageContainerName", "storageContainerUrl", "httpUrl")
_EXCLUDED: Final = {"httpUrl": "blobPrefix", "autoStorageContainerName": "identityReference"}
_FILE_MODE: Final = re.compile(r"0?[0-7]{3,4}")


def _url(path: str, value: object) -> object:
    url = urlsplit(cast("str", text(path, value)))
    if url.scheme not in {"http", "https"} or not url.netloc:
        raise invalid_property(path, value, "The specified URL is not a valid URI")
    return value


def _file_path(path: str, value: object) -> object:
    parts = PurePosixPath(cast("str", text(path, value)))
    if parts.is_absolute():
        raise not_supported(f"property {path} with an absolute path")
    if ".." in parts.parts or "\0" in str(value):
        reason = "The path must stay inside the task's working directory"
        raise invalid_property(path, value, reason)
    return value


def _file_mode(path: str, value: object) -> object:
    if not _FILE_MODE.fullmatch(cast("str", text(path, value))):
        raise invalid_property(path, value, "The value must be three or four octal digits")
    return value


def _header_name(path: str, value: object) -> object:
    name = cast("str", text(path, value)).lower()
    if name not in SETTINGS_BY_HEADER and not name.startswith(METADATA_HEADER):
        raise not_supported(f"property {path} with value {value!r}")
    return value


_IDENTITY: Final = shape({"resourceId": text}, required=("resourceId",))
_RESOURCE_FILE_SHAPE: Final = shape(
    {
        "autoStorageContainerName": text,
        "storageContainerUrl": _url,
        "httpUrl": _url,
        "blobPrefix": text,
        "filePath": _file_path,
        "fileMode": _file_mode,
        "identityReference": _IDENTITY,
    },
    title="resource file",
)


def _resource_file(path: str, value: object) -> object:
    file = cast("Json", _RESOURCE_FILE_SHAPE(path, value))
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


RESOURCE_FILES: Final = items(_resource_file)

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
                                shape({"name": _header_name, "value": text}, required=("name",))
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
