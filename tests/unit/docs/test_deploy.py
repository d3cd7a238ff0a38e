"""docs/deploy.md says what the Bicep files, the command line and the price list of its own say."""

import inspect
import json
import re
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
import typer

from orchestrator.document.parse import parse
from recur.commands import NAMES, load_command, publish
from recur.role_waiting import LIMIT
from recur.shared_options import hoisted
from tests.peers.commands import VALUE, Command, in_repository

_ROOT = Path(__file__).parents[3]
_PAGE = (_ROOT / "docs/deploy.md").read_text()
_PROSE = " ".join(_PAGE.split())
"""The page without its ends of lines, since a sentence may begin on one line and end on another."""

_PARAMETER = re.compile(r"^param (\w+) [^=\n]+?(?:= (.+))?$", re.MULTILINE)
_READ = re.compile(r"^param (\w+) = [^=]*?readEnvironmentVariable\('(\w+)'", re.MULTILINE)
_NOT_RUN = (
    "`azd up` is checked against azd's rules and compiled templates; "
    "it has not been run against a subscription yet."
)
_ROW = re.compile(r"^\| `(\w+)` \| (?:`(\w+)`)? ?\| ([^|]*) \|", re.MULTILINE)


def _table(layer: str) -> dict[str, tuple[str, str]]:
    """Return the environment variable and the default of each documented parameter."""
    _, _, after = _PAGE.partition(f"\n`infra/{layer}`:\n")
    rows = _ROW.findall(re.split(r"\n(?:`infra|[A-Z])", after, maxsplit=1)[0])
    return {name: (variable, default.strip()) for name, variable, default in rows}


@pytest.mark.parametrize("layer", ["group", "core", "pool"])
def test_every_parameter_is_documented(layer: str) -> None:
    """With the environment variable by which azd and the shell give it, and no other."""
    template = (_ROOT / f"infra/{layer}/main.bicep").read_text()
    read = dict(_READ.findall((_ROOT / f"infra/{layer}/main.bicepparam").read_text()))

    table = _table(layer)

    assert list(table) == [name for name, _ in _PARAMETER.findall(template)]
    assert {name: variable for name, (variable, _) in table.items() if variable} == read


@pytest.mark.parametrize("layer", ["core", "pool"])
def test_documented_defaults_are_in_force(layer: str) -> None:
    """Where the default is a value and not a sentence."""
    template = (_ROOT / f"infra/{layer}/main.bicep").read_text()
    values = json.loads((_ROOT / "infra/pool/pool.json").read_text())
    given = {
        name: default.strip("'")
        for name, default in _PARAMETER.findall(template)
        if re.fullmatch(r"'[^'$]+'|\d+|true|false|\{\}", default)
    } | ({"vmSize": values["vmSize"]} if layer == "pool" else {})

    documented = {name: default.strip("`") for name, (_, default) in _table(layer).items()}

    assert given
    assert {name: documented[name] for name in given} == given


def _number(text: str) -> int:
    return int(text.replace(",", ""))


@cache
def _all(program: str) -> tuple[Command, ...]:
    return in_repository(_ROOT, program=program)


def test_every_command_of_recur_is_named() -> None:
    """Whoever reads the pages has heard of each."""
    named = {one.words[1] for one in _all("recur") if one.path.endswith(".md")}

    assert {*NAMES} <= named


def test_recur_takes_what_is_documented() -> None:
    """Its own parser is the judge."""
    wrong: list[tuple[str, str]] = []
    for command in _all("recur"):
        name = command.words[1]
        words = hoisted(command.words[1:])
        rest = words[words.index(name) + 1 :]
        if name not in NAMES:
            wrong.append((str(command), "no such command"))
        elif command.whole:
            try:
                load_command(name).make_context(name, rest)
            except typer.TyperException as error:
                wrong.append((str(command), error.format_message()))

    assert len(_all("recur")) > 400
    assert wrong == []


def test_what_azd_is_told_is_read() -> None:
    """Each name that is set somewhere is one that the Bicep files read."""
    read = {
        variable
        for layer in ("core", "pool")
        for _, variable in _READ.findall((_ROOT / f"infra/{layer}/main.bicepparam").read_text())
    }
    told = {one.words[3] for one in _all("azd") if one.words[1:3] == ("env", "set")}

    assert told - {"NAME", VALUE} <= read
    assert told


def test_every_role_is_named() -> None:
    """That the deployment gives."""
    roles = re.findall(
        r"^var (\w+) = '[0-9a-f-]{36}'",
        (_ROOT / "infra/core/modules/roles.bicep").read_text(),
        re.MULTILINE,
    )
    names = [re.sub(r"([a-z])([A-Z])", r"\1 \2", role) for role in roles]

    assert names
    assert [name for name in names if name.lower() not in _PAGE.lower()] == []


def test_the_price_list_adds_up() -> None:
    """And it counts as many alerts as are deployed."""
    _, _, section = _PAGE.partition("## What it costs")
    rows = re.findall(r"^\| ([^*|]+) \| ([^|]*) \| (\d+\.\d\d) \|$", section, re.MULTILINE)
    (idle,) = re.findall(r"^\| \*\*idle.*\*\*about (\d+)\*\*", section, re.MULTILINE)
    alerts = (_ROOT / "infra/core/modules/alerts.bicep").read_text()

    assert round(sum(float(price) for _, _, price in rows)) == int(idle)
    for kind, price, words in (("log", 0.5, "log alerts"), ("metric", 0.1, "metric alerts")):
        (block,) = re.findall(rf"^var {kind}Rules .*?^\]", alerts, re.MULTILINE | re.DOTALL)
        count = len(re.findall(r"^    name: ", block, re.MULTILINE))
        (told,) = [row for row in rows if words in row[0]]
        assert told[0].startswith(f"{count} ")
        assert float(told[2]) == count * price


def test_the_free_grant_is_reckoned() -> None:
    """How long a tick may take comes from the memory and the timers that are deployed."""
    core = (_ROOT / "infra/core/main.bicep").read_text()
    (megabytes,) = re.findall(r"^param instanceMemoryMB \w+ = (\d+)$", core, re.MULTILINE)
    timers = re.findall(r"^param (?:submit|collect)Cron string = '\d+ \* ", core, re.MULTILINE)
    minutes = timedelta(days=30) // timedelta(minutes=1)
    ((grant, ticks, memory, told),) = re.findall(
        r"([\d,]+) GB-s / ([\d,]+) ticks / ([\d.]+) GB = ([\d.]+) s", _PROSE
    )

    assert float(memory) == int(megabytes) / 1024
    assert _number(ticks) == len(timers) * minutes
    assert float(told) == round(_number(grant) / _number(ticks) / float(memory), 1)


def test_a_run_is_reckoned() -> None:
    """Hours times the price of an hour; the nightly job is 30 of them and what is idle."""
    ((hours, price, run),) = re.findall(r"= ([\d.]+) h x ([\d.]+);.*\| ([\d.]+) a run \|", _PAGE)
    ((idle, runs, each, job),) = re.findall(
        r"\| (\d+) \+ (\d+) x ([\d.]+) \| \*\*about ([\d.]+)\*\* \|", _PAGE
    )

    assert float(run) == round(float(hours) * float(price), 2)
    assert each == run
    assert float(job) == round(int(idle) + int(runs) * float(each), 2)


@pytest.mark.parametrize(
    ("page", "heading"), [("README.md", "In Azure"), ("docs/deploy.md", "With azd")]
)
def test_nothing_is_promised_that_nobody_has_run(page: str, heading: str) -> None:
    """In the section in which a reader meets `azd up`."""
    _, _, after = (_ROOT / page).read_text().partition(f"\n## {heading}\n")
    section, _, _ = after.partition("\n## ")

    assert "azd up" in section
    assert _NOT_RUN in " ".join(section.split())


def test_the_sample_runs_nothing() -> None:
    """It is valid, and every schedule in it is paused."""
    document = parse((_ROOT / "schedules.sample.toml").read_text())

    assert document.problems == ()
    assert [schedule.paused for schedule in document.schedules.values()] == [True]


def test_the_time_for_a_role_is_documented() -> None:
    """It is the one by which `recur publish` waits without an option."""
    wait = inspect.signature(publish.command).parameters["wait"]

    assert wait.default == LIMIT.total_seconds()
    assert f"up to {LIMIT // timedelta(minutes=1)} minutes with a countdown" in _PROSE
