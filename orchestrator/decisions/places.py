"""Where the job of an attempt is, frozen when it is first tried, and from when it may be."""

from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from orchestrator.batch_state import JobPlace
from orchestrator.enums import AttemptState
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Record

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def place_of(attempt: Attempt, place: JobPlace) -> JobPlace:
    """Return where the job of an attempt belongs: its own place, else that of the settings."""
    outputs = attempt.outputs_url
    return replace(
        place,
        account=attempt.account or place.account,
        pool_id=attempt.pool or place.pool_id,
        outputs_url=outputs
        if outputs and portless(outputs) != portless(place.outputs_url)
        else place.outputs_url,
    )


def portless(url: str) -> str:
    """
    Return a URL with its host in lower case, and on a laptop without its port.

    There Azurite and the emulator may have another port at each start.
    """
    parts = urlsplit(url)
    if parts.hostname in LOOPBACK:
        return parts._replace(netloc="127.0.0.1").geturl()
    return parts._replace(netloc=parts.netloc.lower()).geturl()


def is_elsewhere(account: str | None, place: JobPlace) -> bool:
    """Tell whether a job is in another Batch account than this app's."""
    return account is not None and account != place.account


def placed(record: Record, place: JobPlace) -> Record:
    """Return a record whose attempt in hand keeps its place."""
    attempt = replace(
        record.attempt,
        account=place.account,
        pool=place.pool_id,
        outputs_url=place.outputs_url,
    )
    return record.with_attempt(attempt)


def placed_if_at_once(record: Record, place: JobPlace | None) -> Record:
    """Return a claim with its place, where it is dispatched in the tick that claims it."""
    attempt = record.attempt if record.attempts else None
    waits = attempt is None or attempt.after is not None or attempt.not_before is not None
    return record if place is None or waits else placed(record, place)


def unplaced(record: Record) -> Record:
    """Return a planned record without a place: nobody has tried its job yet."""
    if not record.attempts:
        return record
    return record.with_attempt(replace(record.attempt, account=None, pool=None, outputs_url=None))


def needs_account(record: Record) -> bool:
    """
    Tell whether an attempt may have a job and does not say in which account.

    Earlier versions noted none. This one notes it before it tries.
    """
    attempt = record.attempt
    if attempt.account is not None or attempt.state is AttemptState.ENDED:
        return False
    untried = attempt.after is not None and attempt.ready is None
    return attempt.state is AttemptState.SUBMITTED or (record.claim is None and not untried)


def with_account(record: Record, account: str) -> Record:
    """Return a record whose attempt in hand says in which account its job is."""
    return record.with_attempt(replace(record.attempt, account=account))


def is_noted(attempt: Attempt) -> bool:
    """Tell whether an attempt has all that is to be written before its job is first tried."""
    return attempt.account is not None and not (attempt.after and attempt.ready is None)


def noted(record: Record, place: JobPlace, now: datetime) -> Record:
    """Return a record with what is to be written before its job is first tried."""
    attempt = record.attempt
    ready = gates_opened(attempt) or now
    return placed(record.with_attempt(replace(attempt, ready=ready)), place_of(attempt, place))


def gates_opened(attempt: Attempt) -> datetime | None:
    """Return when a job for an attempt could first have been created; None: only just now."""
    if attempt.ready or attempt.after:
        return attempt.ready
    return max(attempt.claimed, attempt.not_before or attempt.claimed)
