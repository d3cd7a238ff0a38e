"""The request bodies of changes of one node, and the extensions that it shows."""

from collections.abc import Iterator
from typing import Final, cast

from batch_emulator.dataplane.images import WINDOWS_AGENT
from batch_emulator.dataplane.shapes import Check, boolean, moment, secret, shape, text
from batch_emulator.errors import ServiceError, invalid_property
from batch_emulator.runtime.state.node import Node
from batch_emulator.wire import Json


def _name(path: str, value: object) -> object:
    name = cast("str", text(path, value))
    if not name:
        raise invalid_property(path, value, "The value is empty")
    return name


_CHANGEABLE: Final[dict[str, Check]] = {
    "expiryTime": moment,
    "password": secret,
    "sshPublicKey": text,
}
_USER: Final = shape({"name": _name, "isAdmin": boolean, **_CHANGEABLE}, required=("name",))
_REPLACEMENT: Final = shape(_CHANGEABLE)


def read_user(body: object, node: Node) -> Json:
    """
    Return the user to create, without the password.

    Raises:
        ServiceError: The body is wrong, or does not fit the node's operating system.
    """
    return _for_system(cast("Json", _USER("", body)), body, node)


def read_user_replacement(body: object, node: Node) -> Json:
    """
    Return the new properties of a user, without the password.

    Raises:
        ServiceError: As for ``read_user``.
    """
    return _for_system(cast("Json", _REPLACEMENT("", body)), body, node)


def _for_system(given: Json, body: object, node: Node) -> Json:
    if not _is_windows(node):
        return given
    if "sshPublicKey" in given:
        reason = "The property can be specified for Linux nodes only"
        raise invalid_property("sshPublicKey", given["sshPublicKey"], reason)
    if cast("Json", body).get("password") is None:
        raise ServiceError("MissingRequiredProperty", values=(("PropertyName", "password"),))
    return given


def _is_windows(node: Node) -> bool:
    agent = node.pool.body["virtualMachineConfiguration"]["nodeAgentSKUId"]
    return str(agent).lower() == WINDOWS_AGENT


def show_extensions(node: Node) -> Iterator[Json]:
    """Yield the extensions of a node: those of its pool, then Batch's own one."""
    machine = node.pool.body["virtualMachineConfiguration"]
    for extension in machine.get("extensions", ()):
        yield _installed(extension)
    yield _installed(
        {
            "name": "batchNodeExtension",
            "publisher": "Microsoft.Azure.Extensions",
            "type": "CustomScript",
            "typeHandlerVersion": "2.0",
            "autoUpgradeMinorVersion": True,
        }
    )


def _installed(extension: Json) -> Json:
    status = {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
    }
    return {
        "provisioningState": "Succeeded",
        "vmExtension": extension,
        "instanceView": {"name": extension["name"], "statuses": [status]},
    }
