"""What every value that is stored as a JSON object has in common."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, cast, get_type_hints

from pydantic import (
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """
    A value that keeps the fields that this version does not know.

    Another version may have written them. They stand in the object's JSON after the known fields.
    They never make two values differ. Where a field is stored under another name, ``Field(alias=...)``
    names it; ``Field(exclude=True)`` keeps a field out of the JSON.

    Attributes:
        extra: The unknown fields, in the order in which they were read.
    """

    __pydantic_config__: ClassVar = ConfigDict(serialize_by_alias=True)

    extra: Annotated[dict[str, JsonValue], Field(exclude=True)] = field(
        default_factory=dict[str, JsonValue], compare=False, repr=False
    )

    _stored_names: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        """Note the names under which fields are stored: each object that is read asks for them."""
        cls._stored_names = frozenset(
            _alias(hint) or name
            for name, hint in get_type_hints(cls, include_extras=True).items()
            if not _is_left_out(hint) and not name.startswith("_")
        )

    @model_validator(mode="before")
    @classmethod
    def _set_apart(cls, value: object) -> object:
        """Move the unknown fields of a JSON object into ``extra``."""
        if not isinstance(value, dict):
            return value
        given = cast("dict[str, JsonValue]", value)
        names = cls._stored_names
        if given.keys() <= names:
            return given
        known = {name: one for name, one in given.items() if name in names}
        extra = {name: one for name, one in given.items() if name not in names}
        return {**known, "extra": extra}

    @model_serializer(mode="wrap")
    def _put_back(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Return the JSON object with the unknown fields after the known ones."""
        known: dict[str, Any] = dump(self)
        return known | self.extra


def _alias(hint: object) -> str | None:
    """Return the other name under which a field with this type hint is stored."""
    aliases = (getattr(one, "alias", None) for one in getattr(hint, "__metadata__", ()))
    return next(filter(None, aliases), None)


def _is_left_out(hint: object) -> bool:
    """Tell whether a field with this type hint is not part of the JSON."""
    return any(getattr(one, "exclude", None) for one in getattr(hint, "__metadata__", ()))
