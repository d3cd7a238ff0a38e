"""
The shapes of the file systems that a pool mounts on its nodes, and of a task's container.

Both are kept and echoed. Nothing is mounted and no container runs, so nodes and tasks that ask for
it fail.
"""

from typing import Final

from batch_emulator.dataplane.shapes import (
    Check,
    boolean,
    choice,
    items,
    kept,
    secret,
    shape,
    text,
)

_IDENTITY: Final = shape({"resourceId": text})
_WHERE: Final[dict[str, Check]] = {"relativeMountPath": text, "mountOptions": text}

MOUNTS: Final = kept(
    items(
        shape(
            {
                "azureBlobFileSystemConfiguration": shape(
                    {
                        "accountName": text,
                        "containerName": text,
                        "accountKey": secret,
                        "sasKey": secret,
                        "blobfuseOptions": text,
                        "relativeMountPath": text,
                        "identityReference": _IDENTITY,
                    },
                    required=("accountName", "containerName", "relativeMountPath"),
                ),
                "nfsMountConfiguration": shape(
                    {"source": text, **_WHERE}, required=("source", "relativeMountPath")
                ),
                "cifsMountConfiguration": shape(
                    {"username": text, "source": text, "password": secret, **_WHERE},
                    required=("username", "source", "password", "relativeMountPath"),
                ),
                "azureFileShareConfiguration": shape(
                    {"accountName": text, "azureFileUrl": text, "accountKey": secret, **_WHERE},
                    required=("accountName", "azureFileUrl", "accountKey", "relativeMountPath"),
                ),
            }
        )
    )
)

CONTAINER: Final = kept(
    shape(
        {
            "imageName": text,
            "containerRunOptions": text,
            "registry": shape(
                {
                    "username": text,
                    "password": secret,
                    "registryServer": text,
                    "identityReference": _IDENTITY,
                }
            ),
            "workingDirectory": choice("taskWorkingDirectory", "containerImageDefault"),
            "containerHostBatchBindMounts": items(shape({"source": text, "isReadOnly": boolean})),
        },
        required=("imageName",),
    )
)
