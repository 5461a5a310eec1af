"""Rows that files repeat: files of a source that overlap in time, sources that contain another."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import duckdb

from features.ingest.source_views import files_sql
from features.ingest.sql import quote_identifier, quote_literal
from features.proposal.guess import GuessBook
from features.proposal.load_sources import Source
from features.proposal.table_roles import time_columns

#: The share of the rows of an overlap that the later file must repeat.
REPEATED = 0.9


def leave_out_contained(
    con: duckdb.DuckDBPyConnection, sources: Sequence[Source], book: GuessBook
) -> list[Source]:
    """Leave out sources whose rows are all in another source of the same columns."""
    kept = []
    for source in sources:
        larger = next(
            (
                o
                for o in sources
                if o is not source and set(o.columns) == set(source.columns) and o.rows > source.rows
                and _contains(con, o, source)
            ),
            None,
        )  # fmt: skip
        if larger is None:
            kept.append(source)
        else:
            book.leave_out("sources", f"{source.title}: all its rows are in {larger.title}")
    return kept


def _contains(con: duckdb.DuckDBPyConnection, larger: Source, smaller: Source) -> bool:
    columns = ", ".join(c.quoted for c in smaller.columns.values())
    left = con.execute(
        f"select count(*) from (select {columns} from {smaller.quoted} except "
        f"select {columns} from {larger.quoted})"
    ).fetchall()
    return not left[0][0]


def split_overlapping(
    con: duckdb.DuckDBPyConnection, sources: Sequence[Source], spill: Path, book: GuessBook
) -> list[Source]:
    """Give sources whose files repeat rows of each other a query that reads each row once.

    Files of the same source with different first and last times: where an earlier one goes on after
    the later one begins, and the later one has nearly all of its rows there, they are read from the
    later one only. Binds the parts as `<name>_1`, `<name>_2`, ...
    """
    return [_without_overlap(con, s, spill, book) for s in sources]


def _without_overlap(
    con: duckdb.DuckDBPyConnection, source: Source, spill: Path, book: GuessBook
) -> Source:
    times = [c for c in time_columns(source) if c.type != "VARCHAR"]
    if source.files is None or len(source.files.paths) < 2 or not times:
        return source
    time = max(times, key=lambda c: c.distinct)
    parts = []
    for number, path in enumerate(source.files.paths, start=1):
        files = source.files
        part = quote_identifier(part_name(source, number))
        name = (files.single_patterns or files.patterns)[number - 1]
        sql = files_sql(con, [path], files.form, files.sheet, spill, name)
        con.execute(f"create or replace temp view {part} as {sql}")
        bounds = con.execute(
            f"select min({time.quoted}), max({time.quoted}) from {part}"
        ).fetchall()
        parts.append((*bounds[0], part, name))
    until: dict[str, str] = {}
    known = sorted((p for p in parts if p[0] is not None), key=lambda p: (str(p[0]), str(p[1])))
    for (_, high, earlier, pattern), (low, _, later, _) in pairwise(known):
        if str(low) <= str(high) and (
            rows := _repeated(con, time.quoted, earlier, later, str(low))
        ):
            until[earlier] = str(low)
            why = (
                f"{pattern} and the next file both have the {rows:,} rows from {low} on: read once"
            )
            book.add(f"events.{source.name}.files", "likely", why)
    if not until:
        return source
    restriction = _restriction([part for _, _, part, _ in parts], time.quoted, until)
    con.execute(f"create or replace temp view {source.quoted} as {restriction}")
    return replace(source, restriction=restriction)


def part_name(source: Source, number: int) -> str:
    """The name of a file of a source that is read apart."""
    return f"{source.name}_{number}"


def _repeated(con: duckdb.DuckDBPyConnection, time: str, earlier: str, later: str, low: str) -> int:
    """The rows of an overlap if the later file repeats nearly all of them; else 0."""
    inside = f"select * from {earlier} where {time} >= {quote_literal(low)}"
    try:
        total, missing = con.execute(
            f"select (select count(*) from ({inside})), "
            f"(select count(*) from ({inside} except select * from {later}))"
        ).fetchall()[0]
    except duckdb.Error:  # the files have different columns
        return 0
    return int(total) if missing <= (1 - REPEATED) * total else 0


def _restriction(parts: list[str], time: str, until: dict[str, str]) -> str:
    """SQL that reads every row of the parts once."""
    selects = [
        f"select * from {part}"
        + (f" where {time} < {quote_literal(until[part])}" if part in until else "")
        for part in parts
    ]
    return " union all by name ".join(selects)
