"""The paths under ``/emulator/clock``, which show and advance the account's time."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from batch_emulator.clock import Clock, RealClock
from batch_emulator.faults.rules import BadRuleError, problems_of
from batch_emulator.virtual_clock import VirtualClock

_MOST_SECONDS: Final = 366 * 24 * 3600.0


class _Advance(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: Annotated[float, Field(ge=0, le=_MOST_SECONDS)] | None = None
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "_Advance":
        if (self.seconds is None) == (self.until is None):
            raise ValueError("give either seconds or until")
        return self


def show_clock(clock: Clock) -> dict[str, object]:
    """Return a clock's kind, time and speed."""
    kind, speed = "virtual", 0.0
    if isinstance(clock, RealClock):
        kind, speed = "real" if clock.exact else "scaled", clock.speed
    return {"kind": kind, "speed": speed, "time": _print(clock.now())}


async def advance(clock: Clock, body: bytes) -> dict[str, object]:
    """
    Advance an account's virtual clock; return what it shows then.

    Raises:
        BadRuleError: The body is wrong.
        ValueError: The clock is not virtual, or the requested time is past or too far away.
    """
    try:
        asked = _Advance.model_validate_json(body)
    except ValidationError as error:
        raise BadRuleError(problems_of(error)) from error
    if not isinstance(clock, VirtualClock):
        raise ValueError("the clock runs by itself: start the emulator with --clock virtual")  # noqa: TRY004 - of the request
    if asked.until is not None:
        if not 0 <= (asked.until - clock.now()).total_seconds() <= _MOST_SECONDS:
            raise ValueError(
                f"the clock shows {_print(clock.now())}: until is past, or over a year"
            )
        await clock.advance_to(asked.until.astimezone(UTC))
    else:
        try:
            await clock.advance(asked.seconds or 0.0)
        except OverflowError as error:
            raise ValueError(
                f"the clock shows {_print(clock.now())}: this is beyond the calendar"
            ) from error
    return show_clock(clock)


def _print(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
