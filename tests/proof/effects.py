"""
Every effect of a tick, written down: what a call changes, in words.

A call that changes something and has no words here is one that nobody has thought about: the kill
table does not pass it over, it fails.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from orchestrator.ids import (
    DAYS_PREFIX,
    DOCUMENT,
    HOUSEKEEPING,
    MOVED_PREFIX,
    RECENT,
    REMOVED_PREFIX,
)
from tests.proof.proxy import Call

SUBMIT: Final = (
    "acquire the lease of submit.json",
    "create submit.json",
    "archive an upload by hand",
    "write submit.json with a plan",
    "write submit.json with no plan",
    "move old timings out of submit.json",
    "keep the state of a removed schedule",
    "claim a run",
    "create a record of a skipped occurrence",
    "create a record of a skipped range",
    "create a record of a missed occurrence",
    "create a record of a missed range",
    "write the recent summary",
    "create a job",
    "create a job of a later attempt",
    "write open record: ready",
    "write open record: submitted",
    "write open record: blocked",
    "write open record: stop",
    "write open record: ended",  # it is stopped after its end, so that it is not tried again
    "answer a request",
    "remove a request",
    "remove open record",
    "release the lease of submit.json",
)
"""What a submit tick changes."""

COLLECT: Final = (
    "acquire the lease of collect.json",
    "create collect.json",
    "write open record: submitted",  # its metadata are written anew
    "write open record: begun",
    "write open record: held up",
    "write open record: stop",
    "terminate a job",
    "write open record: ended",
    "write open record: outputs",
    "stage a block of an output",
    "store an output",
    "write open record: next attempt",
    "create the final record of a run",
    "replace the final record of a run",
    "write collect.json",
    "write collect.json: made anew",
    "keep unreadable results",
    "write the recent summary",
    "write the summary of a day",
    "remove open record",
    "delete a job",
    "note that old jobs were looked for",
    "release the lease of collect.json",
)
"""What a collect tick changes."""

ADOPT: Final = (
    "acquire the lease of submit.json",
    "acquire the lease of collect.json",
    "write open record: submitted",  # an earlier version did not write its account
    "write submit.json with no plan",
    "write open record: stop",
    "release the lease of collect.json",
    "release the lease of submit.json",
)
"""What an operator changes who moves a ledger to another account."""

BEGIN_ANEW: Final = (
    "create submit.json",
    "acquire the lease of submit.json",
    "create collect.json",
    "acquire the lease of collect.json",
    "keep an unreadable submit.json",
    "write submit.json with no plan",
    "release the lease of collect.json",
    "release the lease of submit.json",
)
"""What an operator changes who begins a lost ``submit.json`` anew."""

APPLY: Final = (
    "archive an upload by hand",
    "create a version",
    "put a version in force",
)
"""What an operator changes who applies a document."""

EFFECTS: Final = frozenset(
    (which, words)
    for which, effects in (
        ("submit", SUBMIT),
        ("collect", COLLECT),
        ("adopt", ADOPT),
        ("begin anew", BEGIN_ANEW),
        ("apply", APPLY),
    )
    for words in effects
)
"""All of them, each with the pass that has it."""


def words(call: Call) -> str | None:
    """Return what a call changes, in words; None if it only reads."""
    if not call.changes:
        return None
    named = next(_of_batch(call) if call.path.startswith("/jobs") else _of_storage(call), None)
    return named or f"unknown: {call.method} {call.raw}"


def _of_batch(call: Call) -> Iterator[str]:
    if call.method == "POST" and call.path == "/jobs":
        first = json.loads(call.body)["metadata"][1]["value"] == "1"
        yield "create a job" if first else "create a job of a later attempt"
    elif call.method == "POST" and call.path.endswith("/terminate"):
        yield "terminate a job"
    elif call.method == "DELETE":
        yield "delete a job"


def _of_storage(call: Call) -> Iterator[str]:
    _, _, container, name = call.path.split("/", 3)
    if container.startswith("outputs-"):
        yield from _of_outputs(call)
    elif call.query.get("comp") == "lease":
        yield f"{call.headers['x-ms-lease-action']} the lease of {name}"
    elif call.method == "DELETE":
        yield from _of_removal(name)
    elif call.method == "PUT" and name.startswith("submit-"):
        yield "keep an unreadable submit.json"
    elif call.method == "PUT" and "comp" not in call.query and name.startswith("collect."):
        yield _of_results(name, call)
    elif call.method == "PUT" and "comp" not in call.query and name.endswith(".toml"):
        yield _of_document(name, call)
    elif call.method == "PUT" and "comp" not in call.query:
        yield from _of_write(name, call.headers.get("If-None-Match") == "*", json.loads(call.body))


def _of_outputs(call: Call) -> Iterator[str]:
    if call.method == "PUT" and call.query.get("comp") == "block":
        yield "stage a block of an output"
    elif call.method == "PUT" and call.query.get("comp") == "blocklist":
        # Nothing of a node's is ever written over.
        yield "store an output" if call.headers.get("If-None-Match") == "*" else "replace an output"


def _of_removal(name: str) -> Iterator[str]:
    if name.startswith("open/request/"):
        yield "remove a request"
    elif name.startswith("open/"):
        yield "remove open record"


def _of_write(name: str, new: bool, content: dict[str, Any]) -> Iterator[str]:
    if name == "submit.json":
        plan = "a plan" if content["plan"] else "no plan"
        yield "create submit.json" if new else f"write submit.json with {plan}"
    elif name == RECENT:
        yield "write the recent summary"
    elif name.startswith(DAYS_PREFIX):
        yield "write the summary of a day"
    elif name.startswith("answers/"):
        yield "answer a request"
    elif name.startswith(MOVED_PREFIX):
        yield "move old timings out of submit.json"
    elif name.startswith(REMOVED_PREFIX):
        yield "keep the state of a removed schedule"
    elif name == HOUSEKEEPING:
        yield "note that old jobs were looked for"
    elif name.startswith("open/"):
        yield "claim a run" if new else f"write open record: {_how_far(content)}"
    elif name.startswith("runs/"):
        yield f"{'create' if new else 'replace'} {_which(content)}"


def _of_document(name: str, call: Call) -> str:
    if name == DOCUMENT:
        return "put a version in force"
    applied = "x-ms-meta-by" in call.headers
    return "create a version" if applied else "archive an upload by hand"


def _of_results(name: str, call: Call) -> str:
    """Return what becomes of results; those that cannot be read are kept whatever they hold."""
    if name != "collect.json":
        return "keep unreadable results"
    if call.headers.get("If-None-Match") == "*":
        return "create collect.json"
    again = json.loads(call.body)["rebuilding"]
    going_on = again and not again["ended"]
    return "write collect.json: made anew" if going_on else "write collect.json"


def _how_far(record: dict[str, Any]) -> str:
    attempt = record["attempts"][-1]
    if attempt["state"] == "ended":
        known = record["outputs"] or record["outputs_unread_since"]
        return "outputs" if known else "ended"
    if record["stop"]:
        return "stop"
    if attempt["state"] == "submitted":
        return _of_submitted(attempt)
    if attempt["blocked"]:
        return "blocked"
    if attempt["ready"]:
        return "ready"
    return "next attempt" if attempt["number"] > 1 else "claimed"


def _of_submitted(attempt: dict[str, Any]) -> str:
    if attempt.get("diagnosis"):
        return "held up"
    return "begun" if attempt["started"] or attempt["waiting_since"] else "submitted"


def _which(record: dict[str, Any]) -> str:
    if record["outcome"]:
        return "the final record of a run"
    action = record["decision"]["action"]
    return f"a record of a {action} {'range' if record['range'] else 'occurrence'}"
