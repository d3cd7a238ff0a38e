"""The users of a node, for logging in: kept, though nobody can log in here."""

from datetime import datetime, timedelta
from typing import Final

from batch_emulator.errors import ServiceError
from batch_emulator.journal import tell
from batch_emulator.runtime.node_changes import require_in_service
from batch_emulator.runtime.state.node import Node
from batch_emulator.wire import Json, print_time

_LIFETIME: Final = timedelta(days=1)


def create(node: Node, body: Json) -> None:
    """
    Add a user, who expires after a day by default.

    Raises:
        ServiceError: The node is not in service, or has this user.
    """
    require_in_service(node)
    name = str(body["name"])
    if _find(node, name) is not None:
        raise ServiceError("NodeUserExists")
    node.users[name.lower()] = {"isAdmin": False, **body, **_expiry(node, body)}
    tell("node.user_created", node=node.id, user=name)


def replace(node: Node, name: str, body: Json) -> None:
    """
    Replace the properties of a user; absent ones get their defaults.

    Raises:
        ServiceError: The node is not in service, or has no such user.
    """
    require_in_service(node)
    user = _the_user(node, name)
    kept = {key: user[key] for key in ("name", "isAdmin")}
    node.users[name.lower()] = {**kept, **body, **_expiry(node, body)}
    tell("node.user_replaced", node=node.id, user=name)


def delete(node: Node, name: str) -> None:
    """
    Remove a user.

    Raises:
        ServiceError: The node is not in service, or has no such user.
    """
    require_in_service(node)
    _the_user(node, name)
    del node.users[name.lower()]
    tell("node.user_deleted", node=node.id, user=name)


def _expiry(node: Node, body: Json) -> Json:
    usual = print_time(node.pool.clock.now() + _LIFETIME)
    return {"expiryTime": body.get("expiryTime", usual)}


def _find(node: Node, name: str) -> Json | None:
    user = node.users.get(name.lower())
    moment = node.pool.clock.now()
    if user is not None and datetime.fromisoformat(user["expiryTime"]) <= moment:
        del node.users[name.lower()]
        return None
    return user


def _the_user(node: Node, name: str) -> Json:
    if user := _find(node, name):
        return user
    raise ServiceError("NodeUserNotFound")
