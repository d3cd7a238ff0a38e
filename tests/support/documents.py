"""Schedule documents for tests."""

GOOD = """
[defaults]
time_zone = "America/Montreal"
retries = { max = 2, backoff = "5m" }
environment = { REGION = "east", LEVEL = "info" }
max_queued = 7

[schedules.nightly]
cron = ["0  2 * * MON-FRI", "@monthly"]
except = [2026-12-25, "2027-01-01", "* * * 8 *"]
dst = { gap = "skip", overlap = "both" }
command = "python3 x.py"
environment = { LEVEL = "debug" }
overlap = "queue"
max_queued = 3
catch_up = { mode = "all", window = "6h", max = 3 }
jitter = "0s"
start_timeout = "90s"
run_timeout = "P1DT30M"
retries = { on = ["failed", "timed_out"], exit_codes = [75, -1, "SIGKILL"] }
outputs = ["report/*.csv", "**/*.[ch]", "summary.json"]
last_words = false
pause_after_failures = 5
interval = { every = 2, unit = "weeks", anchor = 2026-12-07 }
at = [2026-12-31T12:00:00, "2026-12-24 18:00"]
start = 2026-12-01T00:00:00-05:00
end = 2027-12-01T00:00:00-05:00
paused = true
description = "Sales of the day, for finance"
owner = "finance-data@example.com"
runbook = "https://wiki.example/nightly?page=1#failed"
tags = ["finance", "tier:1"]

[schedules.steady]
every = "PT30M"
anchor = 2026-12-01T00:10:00Z
time_zone = "UTC"
command = "true"
overlap = "allow"
max_parallel = 4
"""
PLAIN = '[schedules.plain-1]\ncron = "* * * * *"\ncommand = "true"\n'


def table(**keys: str) -> str:
    """Return the document of one schedule, ``bad``, with some of its keys changed."""
    values = {"cron": '"0 2 * * *"', "command": '"true"'} | keys
    return "[schedules.bad]\n" + "\n".join(f"{key} = {value}" for key, value in values.items())
