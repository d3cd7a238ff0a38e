"""The arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated, Final

import typer

from recur.completion import run_ids, runs_and_schedules, schedules

TIME: Final = (
    "ISO 8601 with an offset or Z, else the wall time of the schedule's zone; a date or yesterday "
    "is when that day begins there; now, 1h for an hour ago, 22:38 for the last one."
)
TIME_TO_COME: Final = (
    "ISO 8601 with an offset or Z, else the wall time of the schedule's zone; a date or tomorrow "
    "is when that day begins there; now, 1h for in an hour, 22:38 for the next one."
)

File = Annotated[Path, typer.Argument(help="The schedule document, TOML.")]
Schedule = Annotated[str, typer.Argument(help="The id of a schedule.", autocompletion=schedules)]
AnySchedule = Annotated[str | None, typer.Argument(help="Default: all.", autocompletion=schedules)]
Run = Annotated[
    str, typer.Argument(help="A run id, or the id of one of its jobs.", autocompletion=run_ids)
]
RunOrSchedule = Annotated[
    str,
    typer.Argument(
        metavar="RUN|SCHEDULE",
        help="A run id, the id of one of its jobs, or a schedule: its latest run that wrote "
        "something.",
        autocompletion=runs_and_schedules,
    ),
]
Runs = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...",
        help="Run ids, or the ids of their jobs.",
        autocompletion=run_ids,
        show_default=False,
    ),
]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="From this nominal time on. Default: 400 days back."),
]
Schedules = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SCHEDULE...",
        help="The ids of schedules.",
        autocompletion=schedules,
        show_default=False,
    ),
]
All = Annotated[bool, typer.Option("--all", help="All schedules, instead of named ones.")]
Tag = Annotated[
    list[str] | None,
    typer.Option(
        "--tag", metavar="TAG", help="Those with this tag; may be repeated, then any of them."
    ),
]
Note = Annotated[str | None, typer.Option(help="Why, for the record.")]
By = Annotated[
    str | None,
    typer.Option(
        help="Who asks, for the record: nobody checks it.", show_default="login name and host"
    ),
]
Wait = Annotated[
    int, typer.Option(min=0, metavar="SECONDS", help="How long to wait for the answer.")
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Make the request and end: `recur answer` looks later.")
]
