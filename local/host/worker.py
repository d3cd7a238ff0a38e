"""
Microsoft's own Python worker library, spoken to as the host speaks to it.

``azure-functions-runtime`` is what runs inside the Python worker on Azure. Its public entry points
take the host's messages; it needs only their attributes, so plain values stand in for protobuf.
The invocation goes through ``invocation_request``, the entry point that the worker on Azure uses
today and the only one that the library exports; ``native_invocation`` is newer and private.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import azure_functions_runtime as runtime  # type: ignore[import-untyped]

from local.errors import LocalError


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """
    One indexed function.

    Attributes:
        name: Its name.
        function_id: What the worker calls it.
        bindings: Its bindings as the worker reports them, with ``%NAME%`` unresolved.
    """

    name: str
    function_id: str
    bindings: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionFailure:
    """
    An exception that the worker reports.

    Attributes:
        message: Its type and text.
        stack_trace: Its traceback, several lines.
    """

    message: str
    stack_trace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """
    One run of one function.

    Attributes:
        invocation_id: A UUID.
        parameter: The name of the function's trigger parameter.
        value: The trigger's value, JSON.
        trace_parent: The W3C trace context that the function's spans and logs belong to.
    """

    invocation_id: str
    parameter: str
    value: str
    trace_parent: str


class _StatusResult(SimpleNamespace):
    Failure: ClassVar[int] = 0
    Success: ClassVar[int] = 1


class _BindingInfo(SimpleNamespace):
    undefined: ClassVar[int] = 0
    out: ClassVar[int] = 1
    inout: ClassVar[int] = 2


_MESSAGES = SimpleNamespace(
    BindingInfo=_BindingInfo,
    FunctionLoadResponse=SimpleNamespace,
    FunctionMetadataResponse=SimpleNamespace,
    InvocationResponse=SimpleNamespace,
    ParameterBinding=SimpleNamespace,
    RpcException=SimpleNamespace,
    RpcFunctionMetadata=SimpleNamespace,
    RpcRetryOptions=SimpleNamespace,
    StatusResult=_StatusResult,
    TypedData=SimpleNamespace,
    WorkerInitResponse=SimpleNamespace,
    WorkerMetadata=SimpleNamespace,
)


class _Json:
    """The one kind of typed data that a timer's trigger has."""

    def __init__(self, text: str) -> None:
        self.json = text

    def WhichOneof(self, _: str) -> str:  # noqa: N802 - protobuf's name
        return "json"


class _Parameter:
    """A named trigger value."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.data = _Json(text)

    def WhichOneof(self, _: str) -> str:  # noqa: N802 - protobuf's name
        return "data"


async def index_functions(app: Path) -> tuple[Function, ...]:
    """
    Import ``function_app.py`` of a folder and return its functions.

    The library keeps them in the process: one app per process. The folder must be importable.

    Raises:
        LocalError: It cannot be indexed; the message has the worker's own words.
    """
    runtime.start_threadpool_executor()
    began = await runtime.worker_init_request(
        _request(
            "worker_init_request",
            SimpleNamespace(capabilities={}, function_app_directory=str(app)),
        )
    )
    if failure := _failure_of(began):
        raise LocalError(f"{app / 'function_app.py'}: {failure.message}\n{failure.stack_trace}")
    answer = await runtime.functions_metadata_request(_request("functions_metadata_request", None))
    functions = tuple(
        Function(
            name=found.name,
            function_id=found.function_id,
            bindings=tuple(json.loads(binding) for binding in found.raw_bindings),
        )
        for found in answer.function_metadata_results or ()
    )
    if not functions:
        raise LocalError(f"{app / 'function_app.py'} has no functions, or does not exist")
    for function in functions:
        await runtime.function_load_request(
            _request("function_load_request", SimpleNamespace(function_id=function.function_id))
        )
    return functions


async def invoke_function(function: Function, invocation: Invocation) -> FunctionFailure | None:
    """Run a function once and return what went wrong, if anything."""
    answer = await runtime.invocation_request(
        _request(
            "invocation_request",
            SimpleNamespace(
                invocation_id=invocation.invocation_id,
                function_id=function.function_id,
                input_data=[_Parameter(invocation.parameter, invocation.value)],
                trigger_metadata={},
                trace_context=SimpleNamespace(
                    trace_parent=invocation.trace_parent, trace_state="", attributes={}
                ),
                retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
            ),
        )
    )
    return _failure_of(answer)


def stop_worker() -> None:
    """Wait for the threads of synchronous functions and end them."""
    runtime.stop_threadpool_executor()


def _request(kind: str, content: object) -> SimpleNamespace:
    return SimpleNamespace(
        request=SimpleNamespace(**{kind: content}),
        properties={"host": "127.0.0.1", "protos": _MESSAGES},
    )


def _failure_of(answer: SimpleNamespace) -> FunctionFailure | None:
    if answer.result.status == _StatusResult.Success:
        return None
    exception = answer.result.exception
    return FunctionFailure(message=exception.message, stack_trace=exception.stack_trace)
