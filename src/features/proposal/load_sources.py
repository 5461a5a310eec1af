"""The sources of a folder or a database: bound as views by the import's own readers, with profiles."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from features.config.postgres_settings import PostgresAddress, PostgresSettings
from features.config.table_mapping import CsvFormat
from features.errors import DataRefused
from features.ingest.postgres import extract_queries
from features.ingest.source_views import extract_sql, files_sql
from features.ingest.sql import quote_identifier
from features.progress import Steps
from features.proposal.column_profile import Column, profile_columns
from features.proposal.source_files import SourceFiles, find_sources
from features.proposal.vocabulary import Reading, read_name

TABLES_OF_DATABASE = """
select table_schema, table_name from information_schema.tables
where table_schema not in ('pg_catalog', 'information_schema')
and has_table_privilege(quote_ident(table_schema) || '.' || quote_ident(table_name), 'select')
order by table_schema, table_name
"""


@dataclass(frozen=True)
class Source:
    """A source as SQL sees it, with its profile; it comes from `files` or from the PostgreSQL `table`.

    `restriction` is SQL that puts it together from its files where they repeat rows of each other.
    """

    name: str
    title: str
    rows: int
    columns: Mapping[str, Column]
    files: SourceFiles | None = None
    table: str | None = None
    restriction: str | None = None

    @property
    def quoted(self) -> str:
        return quote_identifier(self.name)

    @property
    def means(self) -> Reading:
        """The kinds of tables that the title mentions."""
        return read_name(self.title, "tables")

    @property
    def form(self) -> CsvFormat:
        return self.files.form if self.files else CsvFormat()


def load_folder(
    con: duckdb.DuckDBPyConnection, folder: Path, spill: Path, steps: Steps
) -> tuple[list[Source], list[str]]:
    """Load the sources of a folder, and name the files that are not used, each with the reason."""
    found, unused = find_sources(folder)
    sources = []
    with steps.step("look at the files") as done:
        for place, files in enumerate(found):
            try:
                sql = files_sql(con, files.paths, files.form, files.sheet, spill, files.patterns[0])
                con.execute(f"create or replace temp view {quote_identifier(files.name)} as {sql}")
                source = _profiled(con, files.name, files.title)
            except (DataRefused, duckdb.Error) as err:
                unused.append(f"{files.patterns[0]}: {str(err).splitlines()[0]}")
                continue
            done.progress(place + 1, len(found))
            sources.append(replace(source, files=files))
        done(sources=len(sources), rows=sum(s.rows for s in sources))
    return sources, unused


def load_database(
    con: duckdb.DuckDBPyConnection, address: PostgresAddress, spill: Path, steps: Steps
) -> list[Source]:
    """Load every table of a PostgreSQL database that the role may read, in one snapshot."""
    settings = PostgresSettings(retries=0)
    listed = extract_queries(address, settings, {"tables": TABLES_OF_DATABASE}, spill / "a", steps)
    con.execute(f"create or replace temp view listed as {extract_sql(con, listed['tables'])}")
    names = [(str(s), str(t)) for s, t in con.execute("from listed").fetchall()]
    if not names:
        raise DataRefused(f"{address}: user {address.user} may read no table; grant select on them")
    tables = {(t if s == "public" else f"{s}.{t}"): _qualified(s, t) for s, t in names}
    found = extract_queries(address, settings, tables, spill / "b", steps)
    sources = []
    for title, extract in found.items():
        name = re.sub(r"\W+", "_", title.lower())
        con.execute(
            f"create or replace temp view {quote_identifier(name)} as {extract_sql(con, extract)}"
        )
        sources.append(replace(_profiled(con, name, title), table=tables[title]))
    return sources


def _qualified(schema: str, table: str) -> str:
    parts = (table,) if schema == "public" else (schema, table)
    plain = all(re.fullmatch(r"[a-z_][a-z0-9_]*", part) for part in parts)
    return ".".join(parts if plain else map(quote_identifier, parts))


def _profiled(con: duckdb.DuckDBPyConnection, name: str, title: str) -> Source:
    columns = profile_columns(con, quote_identifier(name))
    rows = next(iter(columns.values())).rows if columns else 0
    return Source(name, title, rows, columns)
