"""Resource files and output files in request bodies."""

from typing import Any

import pytest

from batch_emulator.dataplane.file_bodies import OUTPUT_FILES, RESOURCE_FILES
from batch_emulator.errors import ServiceError

type Json = dict[str, Any]

IDENTITY = {"identityReference": {"resourceId": "/x"}}
PAGE = {"httpUrl": "https://h/a?b=c", "filePath": "a"}
CONTAINER = {"storageContainerUrl": "http://h:1/account/c"}


@pytest.mark.parametrize(
    "file",
    [
        PAGE,
        {**PAGE, "fileMode": "0644", **IDENTITY},
        {**PAGE, "filePath": "a/..b/c", "fileMode": "777"},
        CONTAINER,
        {**CONTAINER, "blobPrefix": "a/", "filePath": "./b", "fileMode": "1770", **IDENTITY},
        {"autoStorageContainerName": "c", "blobPrefix": "", "filePath": ""},
    ],
)
def test_resource_files_are_kept_as_they_are(file: Json) -> None:
    """Each kind of source, with what may stand beside it."""
    assert RESOURCE_FILES("resourceFiles", [file]) == [file]


@pytest.mark.parametrize(
    ("file", "code", "named"),
    [
        ({}, "InvalidPropertyValue", "files[0]"),
        ({"filePath": "a"}, "InvalidPropertyValue", "files[0]"),
        ({**PAGE, "httpUrl": "http://["}, "InvalidPropertyValue", "files[0].httpUrl"),
        ({**PAGE, **CONTAINER}, "InvalidPropertyValue", "httpUrl"),
        ({"httpUrl": "https://h/a"}, "InvalidPropertyValue", "files[0].filePath"),
        ({**PAGE, "filePath": ""}, "InvalidPropertyValue", "files[0].filePath"),
        ({**PAGE, "filePath": "../a"}, "InvalidPropertyValue", "files[0].filePath"),
        ({**PAGE, "filePath": "a/../../b"}, "InvalidPropertyValue", "files[0].filePath"),
        ({**PAGE, "filePath": "a\0"}, "InvalidPropertyValue", "files[0].filePath"),
        ({**PAGE, "filePath": "/etc/x"}, "NotSupportedByEmulator", "files[0].filePath"),
        ({**PAGE, "httpUrl": "ftp://h/a"}, "InvalidPropertyValue", "files[0].httpUrl"),
        ({**PAGE, "httpUrl": "a"}, "InvalidPropertyValue", "files[0].httpUrl"),
        ({**PAGE, "blobPrefix": "a"}, "InvalidPropertyValue", "files[0].blobPrefix"),
        ({**PAGE, "fileMode": "0888"}, "InvalidPropertyValue", "files[0].fileMode"),
        ({**PAGE, "fileMode": "rwx"}, "InvalidPropertyValue", "files[0].fileMode"),
        ({**PAGE, "fileMode": 770}, "InvalidPropertyValue", "files[0].fileMode"),
        ({**PAGE, "identityReference": {}}, "MissingRequiredProperty", "resourceId"),
        ({"autoStorageContainerName": "c", **IDENTITY}, "InvalidPropertyValue", "identityRef"),
        ({**PAGE, "blobSource": "x"}, "NotSupportedByEmulator", "files[0].blobSource"),
    ],
)
def test_resource_files_that_are_refused(file: Json, code: str, named: str) -> None:
    """The refusal names the property that is wrong."""
    with pytest.raises(ServiceError) as refused:
        RESOURCE_FILES("files", [file])
    assert refused.value.code == code
    assert named in str(refused.value)


def output(**container: object) -> Json:
    return {
        "filePattern": "*",
        "destination": {"container": {"containerUrl": "http://h/c", **container}},
        "uploadOptions": {"uploadCondition": "taskcompletion"},
    }


def test_output_files_are_kept_as_they_are() -> None:
    """A signature, headers in any case and a path; the condition gets the service's spelling."""
    headers = [{"name": "X-MS-Blob-Content-Type", "value": "a/b"}, {"name": "x-ms-meta-a"}]
    given = output(containerUrl="http://h/c?sig=a%2Fb", path="x", uploadHeaders=headers)
    expected = {**given, "uploadOptions": {"uploadCondition": "TaskCompletion"}}
    assert OUTPUT_FILES("outputFiles", [given]) == [expected]
    assert OUTPUT_FILES("outputFiles", [output(**IDENTITY)])


@pytest.mark.parametrize(
    ("file", "code", "named"),
    [
        (output(containerUrl=None), "MissingRequiredProperty", "containerUrl"),
        (output(containerUrl="c"), "InvalidPropertyValue", "containerUrl"),
        (output(uploadHeaders=[{"name": "Content-Type"}]), "NotSupportedByEmulator", "[0].name"),
        (output(uploadHeaders=[{"value": "x"}]), "MissingRequiredProperty", "[0].name"),
        ({**output(), "uploadOptions": {}}, "MissingRequiredProperty", "uploadCondition"),
    ],
)
def test_output_files_that_are_refused(file: Json, code: str, named: str) -> None:
    """The refusal names the property that is wrong."""
    with pytest.raises(ServiceError) as refused:
        OUTPUT_FILES("files", [file])
    assert refused.value.code == code
    assert named in str(refused.value)
