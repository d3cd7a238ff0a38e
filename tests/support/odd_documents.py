"""Documents that would take a parser long, or much memory, or would say too much: one of each kind."""

from collections.abc import Callable

from orchestrator.document.text_bounds import MOST_BYTES, MOST_TABLES, MOST_VALUES

ONE = '[schedules.aa]\ncron = "0 2 * * *"\ncommand = "true"\n'


def filled(unit: Callable[[int], str], head: str = "", most: int = MOST_VALUES) -> str:
    """Write as much of one kind as the text may hold."""
    count = min(most, (MOST_BYTES - len(head)) // len(unit(10**6))) - 20
    return head + "".join(map(unit, range(count)))


ODD = {
    "unknown keys": filled(lambda n: f"k{n} = 1\n", ONE),
    "unknown keys of [defaults]": filled(lambda n: f"k{n} = 1\n", "[defaults]\n", 100_000)
    + "".join(f"[schedules.s{n}]\n" for n in range(1000)),
    "bad names of variables": filled(lambda n: f"9{n} = 1\n", f"{ONE}[schedules.aa.environment]\n"),
    "bad variables that all inherit": "[defaults]\ncommand = 'x'\n[defaults.environment]\n"
    + "".join(f"9{n} = 1\n" for n in range(8000))
    + "".join(f"[schedules.s{n}]\nenvironment = {{ A = 'b' }}\n" for n in range(1000)),
    "a list of another kind": ONE + f"retries = {{ on = [{'1,' * (MOST_VALUES - 20)}] }}\n",
    "a list of bad expressions": f"[schedules.aa]\ncron = [{'1,' * (MOST_VALUES - 20)}]\n",
    "bad expressions that all inherit": f"[defaults]\ncron = [{'1,' * 30_000}]\n"
    + "".join(f"[schedules.s{n}]\ncommand = 'x'\n" for n in range(1000)),
    "expressions of which all is wrong": "".join(
        f'[schedules.s{n}]\ncommand = "x"\ncron = ["{",".join(["99"] * 160)} * * * *"]\n'
        for n in range(1000)
    ),
    "inner tables": filled(lambda n: f"[schedules.aa.k{n}]\n", most=MOST_TABLES // 3),
    "unknown tables": filled(lambda n: f"[k{n}]\n", most=MOST_TABLES),
    "unknown keys of prices": filled(lambda n: f"k{n} = 1\n", "[prices]\n"),
    "pools of prices": filled(lambda n: f"p{n} = {{}}\n", "[prices.pools]\n", MOST_TABLES),
    "dates of a calendar": f"[calendars.bank]\ndates = [{'1,' * (MOST_VALUES - 20)}]\n",
    "calendars that all lack": f"[defaults]\nholidays = [{'"x",' * 30_000}]\n"
    + "".join(f"[schedules.s{n}]\ncommand = 'x'\ncron = '0 2 * * *'\n" for n in range(1000)),
    "schedules": filled(lambda n: f"[schedules.s{n}]\n", most=MOST_TABLES // 2),
    "one expression": ONE.replace("0 2 * * *", "ab " * 1_300_000),
    "one zone": f'{ONE}time_zone = "Europe/{"x" * 4_000_000}"\n',
    "one key": f'{ONE}"{"k" * 4_000_000}" = 1\n',
    "one id": f'[schedules."{"k" * 4_000_000}"]\n',
    "one unknown table": f'["{"k" * 4_000_000}"]\n',
    "one command": ONE.replace("true", "\\n" * 2_000_000),
    "numbers": ONE + "outputs = [" + f"0x{'F' * 9000}," * 400 + "]\n",
}
