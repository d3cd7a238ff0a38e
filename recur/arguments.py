"""The arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated, Final

import typer

from recur.completion import run_ids, runs_and_schedules, schedules

TIME: Final = (
    "ISO 8601, with an offset or Z, or in the schedule's time zone; a date or yesterday, for the "
    "start of that day; now; 1h, for an hour ago; 22:38, for the most recent one."
)
TIME_TO_COME: Final = (
    "ISO 8601, with an offset or Z, or in the schedule's time zone; a date or tomorrow, for the "
    "start of that day; now; 1h, for one hour from now; 22:38, for the next one."
)

File = Annotated[Path, typer.Argument(help="The schedule document, a TOML file.")]
Schedule = Annotated[str, typer.Argument(help="The id of a schedule.", autocompletion=schedules)]
AnySchedule = Annotated[
    str | None, typer.Argument(help="The id of a schedule. Default: all.", autocompletion=schedules)
]
Run = Annotated[
    str,
    typer.Argument(help="The id of a run, or of one of its Batch jobs.", autocompletion=run_ids),
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
        help="The ids of runs, or of their Batch jobs.",
        autocompletion=run_ids,
        show_default=False,
    ),
]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="The earliest nominal time. Default: 400 days ago."),
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
All = Annotated[bool, typer.Option("--all", help="Choose all schedules.")]
Tag = Annotated[
    list[str] | None,
    typer.Option(
        "--tag", metavar="TAG", help="Choose schedules with this tag. Repeat it to add other tags."
    ),
]
Note = Annotated[str | None, typer.Option(help="The reason; the record keeps it.")]
By = Annotated[
    str | None,
    typer.Option(
        help="Who makes the request; the record keeps it, and nothing checks it.",
        show_default="login name and host",
    ),
]
Wait = Annotated[
    int, typer.Option(min=0, metavar="SECONDS", help="The longest time to wait for the answer.")
]
NoWait = Annotated[
    bool,
    typer.Option(
        "--no-wait",
        help="Make the request, but do not wait; `recur answer` shows the answer later.",
    ),
]
