"""
The SQL of duckdb-kql with less of what makes it long: each text that ``strcat`` joins.

The library does not know that an argument is a text. It writes a CASE over the types that it may
have, with the argument in it a dozen times, and a ``strcat`` in a ``strcat`` multiplies that: 3 KB of
a query become 190 KB, which DuckDB reads for half a second. In the alerts all arguments are texts.
"""

import re
from typing import Final

_CASE: Final = "CASE typeof("
_TOKEN: Final = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|CASE typeof\(|\bCASE\b|\bEND\b|[()]""")


def with_texts_as_they_are(sql: str) -> str:
    """Return the query without its questions for the type of what is joined."""
    parts: list[str] = []
    begin = 0
    while (case := sql.find(_CASE, begin)) >= 0:
        argument, end = _argument_and_end(sql, case)
        asks = f"{_CASE}{argument}) WHEN 'JSON' THEN {argument} ->> '$' WHEN 'BOOLEAN' THEN "
        if sql.startswith(asks, case):
            parts += [sql[begin:case], f"CAST({with_texts_as_they_are(argument)} AS VARCHAR)"]
            begin = end
        else:  # of another function
            parts.append(sql[begin : case + len(_CASE)])
            begin = case + len(_CASE)
    return "".join([*parts, sql[begin:]])


def _argument_and_end(sql: str, case: int) -> tuple[str, int]:
    """Return what a CASE asks the type of, and the index behind its END."""
    begin = case + len(_CASE)
    cases = parentheses = 1
    argument = ""
    for token in _TOKEN.finditer(sql, begin):
        cases += token[0].startswith("CASE")
        cases -= token[0] == "END"
        parentheses += token[0].endswith("(")
        parentheses -= token[0] == ")"
        if parentheses == 0 and not argument:
            argument = sql[begin : token.start()]
        if cases == 0:
            return argument, token.end()
    raise ValueError(f"a CASE without END: {sql[case : case + 200]}")
