"""Which type the texts of a column have: found by looking at all of them, exact or not at all.

A column is of a type only if every text is written as that type writes it, so nothing is rounded
and no id loses its leading zeros. Times with an offset stay texts: the company's zone decides.
"""

from collections.abc import Iterable

import duckdb

from features.ingest.sql import quote_identifier

#: type: how its texts are written, most special first.
WRITTEN = {
    "BOOLEAN": "(?i:true|false)",
    "BIGINT": "0|-?[1-9][0-9]{0,17}",
    "HUGEINT": "0|-?[1-9][0-9]{0,37}",
    "DOUBLE": "-?(0|[1-9][0-9]*)?([.][0-9]+)?([eE][-+]?[0-9]+)?|(?i:[-+]?(nan|inf|infinity))",
    "TIME": "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?",
    "DATE": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "TIMESTAMP": "[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?",
}
NUMBERS = ("BIGINT", "HUGEINT", "DOUBLE")

#: Rows that show cheaply which types a column cannot have, before all rows are asked.
FIRST_LOOK = 10_000


def infer_text_types(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Iterable[str],
    types: Iterable[str] = tuple(WRITTEN),
) -> dict[str, str]:
    """The DuckDB type of each text column of a relation; columns that stay texts are left out.

    A column without a single value stays text.
    """
    possible = {column: list(types) for column in columns}
    possible = _narrow(con, f"(from {relation} limit {FIRST_LOOK})", possible, or_empty=True)
    possible = _narrow(con, relation, possible, or_empty=False)
    return {column: left[0] for column, left in possible.items()}


def _narrow(
    con: duckdb.DuckDBPyConnection, rows: str, possible: dict[str, list[str]], or_empty: bool
) -> dict[str, list[str]]:
    """The types, of those still possible, that every value of the rows has (or there is none)."""
    asked = [(column, kind) for column, kinds in possible.items() for kind in kinds]
    if not asked:
        return {}
    held = ", ".join(f"bool_and({_fits(quote_identifier(c), k)})" for c, k in asked)
    answers = con.execute(f"select {held} from {rows}").fetchall()[0]
    kept: dict[str, list[str]] = {}
    for (column, kind), fits in zip(asked, answers, strict=True):
        if fits or (fits is None and or_empty):
            kept.setdefault(column, []).append(kind)
    return kept


def _fits(text: str, kind: str) -> str:
    """SQL: the text is of the type, null where there is none. A cast that fails is slow: it is the
    last thing tried."""
    written = f"regexp_full_match({text}, '{WRITTEN[kind]}')"
    return (
        f"case when {text} is null then null when {written} "
        f"then try_cast({text} as {kind}) is not null else false end"
    )


def cast_sql(relation: str, types: dict[str, str]) -> str:
    """SQL of a relation whose text columns are cast to their types."""
    casts = ", ".join(f"cast({quote_identifier(c)} as {kind}) as {quote_identifier(c)}" for c, kind in types.items())
    return f"select * {f'replace ({casts})' if casts else ''} from {relation}"
