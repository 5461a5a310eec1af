"""Infer the types of text columns from all their values.

A column gets a type only if every text is written in that type's form, so nothing is rounded and no
id loses its leading zeros. Times with an offset stay texts: the company's zone decides.
"""

from collections.abc import Iterable

import duckdb

from features.ingest.number_texts import NumberFormat
from features.ingest.sql import quote_identifier

#: The pattern of the texts of each type, the most specific type first.
PATTERNS = {
    "BOOLEAN": "(?i:true|false)",
    "BIGINT": "0|-?[1-9][0-9]{0,17}",
    "HUGEINT": "0|-?[1-9][0-9]{0,37}",
    # With more digits before the dot, the number nearest to it that a double holds is another one.
    "DOUBLE": "-?(0|[1-9][0-9]{0,14})?([.][0-9]+)?([eE][-+]?[0-9]+)?|(?i:[-+]?(nan|inf|infinity))",
    "TIME": "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?",
    "DATE": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "TIMESTAMP": "[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?",
}
NUMBERS = ("BIGINT", "HUGEINT", "DOUBLE")

#: Rows that rule out most types cheaply before all rows are checked.
SAMPLE_ROWS = 1_000


def infer_text_types(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Iterable[str],
    types: Iterable[str] = tuple(PATTERNS),
    numbers: NumberFormat | None = None,
) -> dict[str, str]:
    """Infer the DuckDB type of each text column of a relation; columns that stay texts are left out.

    A column without a single value stays text. `numbers` is the declared format of decimal numbers.
    """
    possible = {column: list(types) for column in columns}
    sample = f"(from {relation} limit {SAMPLE_ROWS})"
    possible = _narrow(con, sample, possible, numbers, or_empty=True)
    possible = _narrow(con, relation, possible, numbers, or_empty=False)
    return {column: left[0] for column, left in possible.items()}


def _narrow(
    con: duckdb.DuckDBPyConnection,
    rows: str,
    possible: dict[str, list[str]],
    numbers: NumberFormat | None,
    or_empty: bool,
) -> dict[str, list[str]]:
    """Keep the possible types that fit every value; with `or_empty` also for columns without values."""
    pairs = [(column, kind) for column, kinds in possible.items() for kind in kinds]
    if not pairs:
        return {}
    checks = ", ".join(f"bool_and({_fits(quote_identifier(c), k, numbers)})" for c, k in pairs)
    answers = con.execute(f"select {checks} from {rows}").fetchall()[0]
    kept: dict[str, list[str]] = {}
    for (column, kind), fits in zip(pairs, answers, strict=True):
        if fits or (fits is None and or_empty):
            kept.setdefault(column, []).append(kind)
    return kept


def _fits(text: str, kind: str, numbers: NumberFormat | None) -> str:
    """SQL: whether the text is of the type, null for null. Failing casts are slow, so they come last."""
    matches = f"regexp_full_match({text}, '{PATTERNS[kind]}')"
    if kind == "DOUBLE" and numbers:
        matches = numbers.fits_sql(text)
    return (
        f"case when {text} is null then null when {matches} "
        f"then try_cast({_plain(text, kind, numbers)} as {kind}) is not null else false end"
    )


def _plain(text: str, kind: str, numbers: NumberFormat | None) -> str:
    return numbers.plain_sql(text) if kind == "DOUBLE" and numbers else text


def cast_sql(relation: str, types: dict[str, str], numbers: NumberFormat | None = None) -> str:
    """SQL of a relation with its text columns cast to their types."""
    casts = ", ".join(
        f"cast({_plain(quote_identifier(c), kind, numbers)} as {kind}) as {quote_identifier(c)}"
        for c, kind in types.items()
    )
    return f"select * {f'replace ({casts})' if casts else ''} from {relation}"
