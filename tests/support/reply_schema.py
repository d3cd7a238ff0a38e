"""The JSON that each operation answers, as a schema derived from azure-batch or azure-mgmt-batch."""

import enum
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any, Final, Self

import azure.batch.models
import azure.mgmt.batch.models
import azure.mgmt.batch.operations
from azure.batch import BatchClient
from azure.core.paging import ItemPaged
from jsonschema import Draft202012Validator, FormatChecker

type Schema = dict[str, Any]

ERROR: Final = "BatchError"
ARM_ERROR: Final = "CloudError"
SECRETS: Final = frozenset(
    {"password", "sshPrivateKey", "protectedSettings", "accountKey", "sasKey"}
)
"""What the service never returns; azure-batch does not mark it."""

_NOT_ALWAYS: Final = {("BatchNode", "lastBootTime"), ("BatchApplication", "displayName")}
"""
Required by azure-batch, and absent from recorded replies of the service.

A node has no boot time before it has booted, and an application no name unless it was given one.
"""

_PLACE: Final = "#/$defs/"
_DURATION: Final = r"^-?P(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)$"
_PLAIN: Final[dict[object, Schema]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bytes: {"type": "string"},
    datetime: {"type": "string", "format": "date-time"},
    timedelta: {"type": "string", "pattern": _DURATION},
}

_formats = FormatChecker(formats=())


@_formats.checks("date-time", raises=ValueError)
def _is_time(text: object) -> bool:
    """Tell whether a text is a time as the service prints it: in UTC, with up to 7 decimals."""
    return not isinstance(text, str) or (
        text.endswith("Z") and datetime.fromisoformat(text[:-1]).tzinfo is None
    )


class ReplySchema:
    """
    What an official client reads from replies.

    A property that no model has is a violation, and so is a missing one that the model requires,
    one of another type, or a word that is not in its enumeration. The case of words does not count: the
    service mixes both.

    Args:
        models: The client's module of models.
        method: Finds the client's method by the name that the emulator gives an operation.
    """

    def __init__(self, models: ModuleType, method: Callable[[str], object]) -> None:
        self._module = models
        self._method = method
        self._shapes: dict[str, tuple[str, bool] | None] = {}
        self._models = {
            name: model
            for name, model in inspect.getmembers(models, inspect.isclass)
            if issubclass(model, typing.MutableMapping)
        }
        self._schemas = {name: self._model(model) for name, model in self._models.items()}
        self._whole = {name: self._validator(schema) for name, schema in self._schemas.items()}
        loose = {name: {**schema, "required": []} for name, schema in self._schemas.items()}
        self._part = {name: self._validator(schema) for name, schema in loose.items()}
        self._parts_of_parts = {
            name: self._validator(schema, loose) for name, schema in loose.items()
        }

    @classmethod
    def of_batch(cls) -> Self:
        """Return what azure-batch reads."""
        return cls(azure.batch.models, lambda name: getattr(BatchClient, name, None))

    @classmethod
    def of_resource_manager(cls) -> Self:
        """Return what azure-mgmt-batch reads; the names have their groups, as in ``pool.get``."""

        def method(operation: str) -> object:
            group, _, name = operation.partition(".")
            title = "".join(word.title() for word in group.split("_"))
            return getattr(getattr(azure.mgmt.batch.operations, f"{title}Operations"), name, None)

        return cls(azure.mgmt.batch.models, method)

    def shape(self, operation: str) -> tuple[str, bool] | None:
        """
        Return the model that an operation answers, and whether it answers a list of them.

        None stands for an operation that answers no JSON.
        """
        if operation not in self._shapes:
            self._shapes[operation] = self._find_shape(operation)
        return self._shapes[operation]

    def _find_shape(self, operation: str) -> tuple[str, bool] | None:
        method = self._method(operation)
        answer = inspect.signature(method).return_annotation if callable(method) else None
        if typing.get_origin(answer) is ItemPaged:
            (item,) = typing.get_args(answer)
            return str(item).removeprefix("_models."), True
        name = getattr(answer, "__name__", "")
        return (name, False) if name in self._models else None

    def violations(self, model: str, value: object, *, selected: str = "") -> list[str]:
        """
        Return what is wrong with a resource, each with the path of its property.

        Args:
            model: The name of its class.
            value: The resource, as JSON.
            selected: What ``$select`` says: it leaves required properties out, also those
                inside of a property if it names a part of one.
        """
        validators = self._parts_of_parts if "/" in selected else self._part
        validator = (validators if selected else self._whole)[model]
        found = [
            f"{fault.json_path}: {fault.message}"
            for fault in validator.iter_errors(_simplified(value))
        ]
        return [*found, *(f"{path}: is never returned" for path in _secrets(value, "$"))]

    def _validator(self, top: Schema, others: Schema | None = None) -> Draft202012Validator:
        definitions = self._schemas if others is None else others
        return Draft202012Validator({**top, "$defs": definitions}, format_checker=_formats)

    def _model(self, model: type) -> Schema:
        fields = {
            name: field
            for base in reversed(model.__mro__)
            for name, field in vars(base).items()
            if hasattr(field, "_rest_name_input")
        }
        hints = typing.get_type_hints(model, {"_models": self._module, **vars(typing)})
        names = {name: fields[name]._rest_name_input or name for name in fields}  # noqa: SLF001
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                names[name]: _type(hints[name], as_text=field._format == "str")  # noqa: SLF001
                for name, field in fields.items()
            },
            "required": [
                names[name]
                for name in fields
                if type(None) not in _options(hints[name])
                and names[name] not in SECRETS
                and (model.__name__, names[name]) not in _NOT_ALWAYS
            ],
        }


def _options(hint: object) -> tuple[object, ...]:
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        return typing.get_args(hint)
    return (hint,)


def _type(hint: object, *, as_text: bool = False) -> Schema:
    options = [option for option in _options(hint) if option is not type(None)]
    words = [
        option for option in options if inspect.isclass(option) and issubclass(option, enum.Enum)
    ]
    if words:
        known = "|".join(re.escape(str(word.value)) for word in words[0])
        return {"type": "string", "pattern": f"^(?i:{known})$"}
    (only,) = options
    if typing.get_origin(only) is list:
        return {"type": "array", "items": _type(typing.get_args(only)[0])}
    if typing.get_origin(only) is dict:
        return {"type": "object", "additionalProperties": _type(typing.get_args(only)[1])}
    if only is int and as_text:
        return {"type": "string", "pattern": r"^-?\d+$"}
    if only in _PLAIN:
        return _PLAIN[only]
    if not inspect.isclass(only):
        raise TypeError(f"a property of a kind that is not known: {only}")
    return {"$ref": f"{_PLACE}{only.__name__}"}


def _simplified(value: object) -> object:
    """Return a reply without what OData adds to it."""
    if isinstance(value, dict):
        return {name: _simplified(item) for name, item in value.items() if "odata." not in name}
    if isinstance(value, list):
        return [_simplified(item) for item in value]
    return value


def _secrets(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name in SECRETS:
                yield f"{path}.{name}"
            yield from _secrets(item, f"{path}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _secrets(item, f"{path}[{number}]")
