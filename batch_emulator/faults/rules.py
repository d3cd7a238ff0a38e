"""The rules of faults, and how they are read from JSON."""

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from batch_emulator.arm.operations import ARM_OPERATIONS
from batch_emulator.dataplane.operations import SUPPORTED
from batch_emulator.errors import TABLE

_LONGEST_MILLISECONDS: Final = 600_000
_LONGEST_RETRY_SECONDS: Final = 3600
_READS: Final = frozenset({"GET", "HEAD"})
_METHODS: Final = {operation.name: operation.method for operation in SUPPORTED}
_ARM_METHODS: Final = {operation.name: operation.method for operation in ARM_OPERATIONS}
_CREATION: Final = "create_job"
_DOWNLOADS: Final = frozenset({"download_task_file", "download_node_file"})


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingRequest:
    """
    The parts of a request that rules can match.

    Attributes:
        method: The HTTP method.
        path: Decoded, without the query.
        operation: The official client's name for it; None if Azure Batch has no such operation.
        job: The id in the path, or in the body of a creation; None if there is none.
    """

    method: str
    path: str
    operation: str | None
    job: str | None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Match(_Strict):
    """
    The requests that a rule concerns; an absent field matches every request.

    Attributes:
        method: In upper case.
        path: A regular expression for the whole path, in any case.
        operation: The name of a supported operation.
        job: A regular expression for the whole id of the job, in any case.
    """

    methods: ClassVar = _METHODS

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] | None = None
    path: re.Pattern[str] | None = None
    operation: str | None = None
    job: re.Pattern[str] | None = None

    @field_validator("operation")
    @classmethod
    def _is_known(cls, operation: str | None) -> str | None:
        if operation is not None and operation not in cls.methods:
            raise ValueError(f"no supported operation is called {operation}")
        return operation

    @property
    def reads(self) -> bool:
        """Whether only requests that change nothing are concerned."""
        return (self.method or self.methods.get(self.operation or "")) in _READS

    def concerns(self, asked: IncomingRequest) -> bool:
        """Whether a request is one of these."""
        return (
            self.method in {None, asked.method}
            and self.operation in {None, asked.operation}
            and _matches_whole(self.path, asked.path)
            and _matches_whole(self.job, asked.job)
        )


class ArmMatch(Match):
    """The requests to Azure Resource Manager that a rule concerns; they have no job."""

    methods: ClassVar = _ARM_METHODS
    job: None = None


def _matches_whole(pattern: re.Pattern[str] | None, text: str | None) -> bool:
    if pattern is None:
        return True
    return text is not None and re.fullmatch(pattern.pattern, text, re.IGNORECASE) is not None


class _Rule(_Strict):
    """
    The fields of every rule.

    Attributes:
        id: Chosen by the client; by default ``rule-1``, ``rule-2`` and so on.
        match: The requests that it concerns.
        after: The number of these requests that pass first.
        times: The number of requests that it hits then; None hits all.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    match: Match = Match()
    after: Annotated[int, Field(ge=0)] = 0
    times: Annotated[int, Field(ge=1)] | None = None

    def concerns(self, asked: IncomingRequest) -> bool:
        """Whether a request is one that this rule is about."""
        return self.match.concerns(asked)


class _AnswerLost(_Rule):
    """
    A rule whose fault may come after the request has been carried out.

    Attributes:
        after_effect: Whether the request is carried out first. Such a rule does not concern
            requests that change nothing.
    """

    after_effect: bool = False

    @field_validator("after_effect")
    @classmethod
    def _has_effect(cls, after_effect: bool, info: ValidationInfo) -> bool:
        match = info.data.get("match")
        if after_effect and isinstance(match, Match) and match.reads:
            raise ValueError("the requests of match change nothing, they have no effect")
        return after_effect

    def concerns(self, asked: IncomingRequest) -> bool:
        """Whether a request is one that this rule is about."""
        return super().concerns(asked) and not (self.after_effect and asked.method in _READS)


class Latency(_Rule):
    """The request waits, then goes on to the rules that follow."""

    kind: Literal["latency"]
    milliseconds: Annotated[int, Field(ge=0, le=_LONGEST_MILLISECONDS)]


class Refusal(_AnswerLost):
    """
    An error that has nothing to do with the request.

    Attributes:
        status: A status that says nothing about the request; None if ``code`` is given.
        code: A code of the service, sent with its own status; None if ``status`` is given.
        retry_after: Seconds in the header ``Retry-After``; None leaves it out.
        body: Whether the reply has a body in Batch's shape; else it is empty, as from a gateway.
    """

    kind: Literal["refusal"]
    status: Literal[403, 429, 500, 503] | None = None
    code: str | None = None
    retry_after: Annotated[int, Field(ge=0, le=_LONGEST_RETRY_SECONDS)] | None = None
    body: bool = True

    @field_validator("code")
    @classmethod
    def _is_the_services(cls, code: str | None) -> str | None:
        if code is not None and (code not in TABLE or code == "NotSupportedByEmulator"):
            raise ValueError(f"no code of the service that the emulator knows is called {code}")
        return code

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.status is None) is (self.code is None):
            raise ValueError("a refusal has a status or a code, and not both")
        return self


class Reset(_AnswerLost):
    """The connection is reset, without an answer."""

    kind: Literal["reset"]


class Silence(_AnswerLost):
    """No answer at all, until the client gives up."""

    kind: Literal["silence"]


class Quota(_Rule):
    """No job is created, as if the account had all the active jobs that it may have."""

    kind: Literal["quota"]

    def concerns(self, asked: IncomingRequest) -> bool:
        """Whether a request is one that this rule is about."""
        return super().concerns(asked) and asked.operation == _CREATION

    @field_validator("match")
    @classmethod
    def _can_be_creation(cls, match: Match) -> Match:
        if match.operation not in {None, _CREATION} or match.method not in {None, "POST"}:
            raise ValueError(f"only {_CREATION} is refused for the quota")
        return match


class Absence(_Rule):
    """Reads do not find a job, as for a moment after its creation."""

    kind: Literal["absence"]

    def concerns(self, asked: IncomingRequest) -> bool:
        """Whether a request is one that this rule is about."""
        return super().concerns(asked) and asked.job is not None and asked.method in _READS

    @field_validator("match")
    @classmethod
    def _can_read(cls, match: Match) -> Match:
        method = match.method or match.methods.get(match.operation or "")
        if method is not None and method not in _READS:
            raise ValueError("only what reads a job does not find it")
        return match


class Cut(_Rule):
    """
    The connection breaks while a file is sent.

    Attributes:
        bytes: The number of requested bytes that arrive; if there are no more, nothing breaks.
    """

    kind: Literal["cut"]
    bytes: Annotated[int, Field(ge=0)]

    def concerns(self, asked: IncomingRequest) -> bool:
        """Whether a request is one that this rule is about."""
        return super().concerns(asked) and asked.method == "GET" and asked.operation in _DOWNLOADS

    @field_validator("match")
    @classmethod
    def _can_download(cls, match: Match) -> Match:
        if match.operation not in {None, *_DOWNLOADS} or match.method not in {None, "GET"}:
            raise ValueError(f"only {' and '.join(sorted(_DOWNLOADS))} send files")
        return match


class Denial(_Rule):
    """
    Azure Resource Manager denies a request, since a role is missing.

    Attributes:
        match: The requests to Azure Resource Manager that it concerns.
        whose: Who lacks the role: the caller on the account, or the account's identity on its
            storage.
        code: The error code. If the caller lacks the role, it is ``AuthorizationFailed``.
    """

    kind: Literal["denial"]
    match: ArmMatch = ArmMatch()
    whose: Literal["caller", "account"]
    code: Literal[
        "AuthorizationFailed", "AuthorizationPermissionMismatch", "InsufficientPermissions"
    ] = "AuthorizationFailed"

    @field_validator("code")
    @classmethod
    def _is_said(cls, code: str, info: ValidationInfo) -> str:
        if info.data.get("whose") == "caller" and code != "AuthorizationFailed":
            raise ValueError(f"{code} is about the account's identity, and not about the caller")
        return code


type Fault = Refusal | Reset | Silence | Quota | Absence | Cut
type Rule = Latency | Refusal | Reset | Silence | Quota | Absence | Cut | Denial

_RULE: Final[TypeAdapter[Rule]] = TypeAdapter(Annotated[Rule, Field(discriminator="kind")])

KINDS: Final = {
    cls.__name__.lower(): tuple(cls.model_fields.keys() - _Rule.model_fields.keys() - {"kind"})
    for cls in (Latency, Refusal, Reset, Silence, Quota, Absence, Cut, Denial)
}
"""The fields of each kind besides those of every rule."""


class BadRuleError(Exception):
    """
    A rule that cannot be used.

    Attributes:
        problems: The name of each wrong field, and what is wrong with it.
    """

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{field}: {message}" for field, message in problems))


def read_rule(body: bytes) -> Rule:
    """
    Read a rule from JSON.

    Raises:
        BadRuleError: It is not a rule.
    """
    try:
        return _RULE.validate_json(body, strict=True)
    except ValidationError as error:
        raise BadRuleError(problems_of(error)) from error


def problems_of(error: ValidationError) -> tuple[tuple[str, str], ...]:
    """Return the name of each wrong field, and what is wrong with it."""
    return tuple(
        (_field(problem["type"], problem["loc"]), problem["msg"])
        for problem in error.errors(include_url=False)
    )


def _field(problem: str, place: tuple[int | str, ...]) -> str:
    """Return the name of the field that is wrong, without the kind that pydantic puts first."""
    names = place[1:] if place and place[0] in KINDS else place
    if names:
        return ".".join(str(name) for name in names)
    return "kind" if problem.startswith("union_tag") else "body"
