"""Every command with its options; the module behind one is loaded when it is run."""

import typer

from recur.commands import deployment, history, requests, schedules


def register(app: typer.Typer) -> None:
    """Register all commands."""
    for group in (schedules, history, requests, deployment):
        group.register(app)
