"""The two functions as they are deployed: bindings, settings, heartbeat."""

import json
import logging

import azure.functions as func
import pytest

import function_app
from orchestrator.adapters.telemetry import KEYS, Event
from orchestrator.errors import SettingsError

TIMER = func.TimerRequest(past_due=False)


@pytest.fixture(autouse=True)
def _fresh_settings() -> None:
    function_app._settings.cache_clear()  # noqa: SLF001 - they are read once in a process


def test_the_bindings_are_a_heartbeat() -> None:
    """Crons by settings, the monitor on, nothing at start-up, no retry."""
    functions = {str(one.get_function_name()): one for one in function_app.app.get_functions()}

    assert set(functions) == {"submit", "collect"}
    for name, one in functions.items():
        binding = json.loads(one.get_raw_bindings()[0])
        assert binding["type"] == "timerTrigger"
        assert binding["schedule"] == f"%{name.upper()}_CRON%"
        assert binding["useMonitor"] is True
        assert not binding.get("runOnStartup")
        assert one.get_settings_dict("retry_policy") is None


async def test_a_tick_without_settings_names_them_all(caplog: pytest.LogCaptureFixture) -> None:
    """In the heartbeat as well, which an operator's query reads."""
    caplog.set_level(logging.INFO, logger="recur")

    with pytest.raises(SettingsError, match=r"SUBMIT_CRON is missing.*AZURE_CLIENT_ID is missing"):
        await function_app.submit(TIMER)

    told = vars(caplog.records[-1])
    assert told["microsoft.custom_event.name"] == Event.TICK_FINISHED
    assert set(KEYS[Event.TICK_FINISHED]) <= set(told)
    assert "BATCH_POOL_ID is missing" in told["problem"]
