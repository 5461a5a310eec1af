"""Reading a company's own tables through its mapping: files to typed contract columns, in DuckDB.

Every problem of reading is a DataRefused that names table, column and remedy.
"""

import glob
from dataclasses import dataclass
from pathlib import Path

import duckdb

from features.company import Company
from features.contract import TABLES, Column, TableContract
from features.conversions import convert, is_number, missing, quoted
from features.errors import ConfigRefused, DataRefused
from features.mapping import TableMapping
from features.settings import Workspace

#: What CSV may be read as. Not as an instant: DuckDB takes times without an offset for UTC if a
#: single row has one; left as texts, they are converted by the company's zone and checked.
CSV_TYPES = "['BOOLEAN', 'BIGINT', 'DOUBLE', 'TIME', 'DATE', 'TIMESTAMP', 'VARCHAR']"
READERS = {
    ".parquet": "read_parquet({files}, union_by_name = true)",
    ".csv": "read_csv({files}, union_by_name = true, sample_size = -1, "
    f"auto_type_candidates = {CSV_TYPES})",
}


@dataclass(frozen=True)
class Mapped:
    """One table of a company as it was read: rows before and after its drop rules.

    The DuckDB table `typed_<name>` holds the contract columns; `raw_<column>` beside a converted
    column keeps the text it came from, so that what failed to convert can be counted and shown.
    `attributes` are the open columns of customers, with "text" or "number".
    """

    contract: TableContract
    columns: tuple[str, ...]
    converted: tuple[str, ...]
    attributes: dict[str, str]
    dropped: dict[str, int]


def connect(workspace: Workspace, company: Company) -> duckdb.DuckDBPyConnection:
    """A DuckDB session in UTC whose memory is bounded and which spills beside the company's data."""
    con = duckdb.connect()
    spill = workspace.company(company.name) / "spill"
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET memory_limit = '4GB'")
    con.execute("SET preserve_insertion_order = false")
    con.execute("SET enable_progress_bar = false")
    con.execute(f"SET temp_directory = {quoted(str(spill))}")
    return con


def map_table(
    con: duckdb.DuckDBPyConnection, company: Company, name: str, workspace: Workspace
) -> Mapped:
    """Read one table's files, apply its query, drop rules and expressions; leave `typed_<name>`."""
    mapping = company.tables[name]  # type: ignore[index]
    contract = TABLES[name]
    _bind_sources(con, company, name, mapping, workspace)
    _run(con, f"create temp view reshaped as {mapping.query or 'select * from source'}",
         company, f"tables.{name}.query")  # fmt: skip
    kept, dropped = _drop(con, company, name, mapping)
    types = {c: _type_of(con, company, name, c, sql, kept) for c, sql in mapping.columns.items()}
    attributes = _attributes(company, mapping, types) if contract.open_ended else {}
    selected, converted = [], []
    typed: dict[str, str] = {}
    for column in _all_columns(contract, attributes):
        expression = mapping.columns.get(column.name)
        if expression is None:
            selected.append(f'{missing(column, typed)} as "{column.name}"')
            continue
        sql, keep_raw = convert(company, name, column, types[column.name], expression)
        typed[column.name] = sql
        selected.append(f'{sql} as "{column.name}"')
        if keep_raw:
            converted.append(column.name)
            selected.append(f'({expression})::varchar as "raw_{column.name}"')
    _run(con, f"create temp table typed_{name} as select {', '.join(selected)} from {kept}",
         company, f"tables.{name}.columns")  # fmt: skip
    con.execute("drop view if exists kept; drop view reshaped")
    return Mapped(contract, tuple(mapping.columns), tuple(converted), attributes, dropped)


def _bind_sources(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    table: str,
    mapping: TableMapping,
    workspace: Workspace,
) -> None:
    """Make each named source (or `source`) a view of its files."""
    root = company.root(workspace)
    named = mapping.sources or {"source": mapping.files or []}
    for name, patterns in named.items():
        paths = [p for text in _as_list(patterns) for p in _expand(company, table, root, text)]
        suffixes = {_suffix(p) for p in paths}
        if len(suffixes) > 1 or not suffixes <= set(READERS):
            raise DataRefused(
                f"{company.path.name}: tables.{table} reads {', '.join(p.name for p in paths[:3])}; "
                f"the files of one source must all be Parquet or all be CSV (also .csv.gz)"
            )
        files = "[" + ", ".join(quoted(str(p)) for p in paths) + "]"
        reader = READERS[suffixes.pop()].format(files=files)
        _run(con, f'create or replace temp view "{name}" as select * from {reader}',
             company, f"tables.{table}: file {paths[0].name}")  # fmt: skip


def _as_list(patterns: str | list[str]) -> list[str]:
    return [patterns] if isinstance(patterns, str) else patterns


def _suffix(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz").removesuffix(".zst")
    return Path(name).suffix


def _expand(company: Company, table: str, root: Path, pattern: str) -> list[Path]:
    found = sorted(Path(p) for p in glob.glob(str(Path(glob.escape(str(root))) / pattern)))
    if not found:
        hint = "make it with `goodwill data`" if company.name == "sample" else (
            "check `root` and `files`, or set GOODWILL_REAL_DATA if it holds {real_data}"
        )  # fmt: skip
        raise DataRefused(
            f"table {table}: missing file {root / pattern} (0 rows read); {hint} "
            f"in {company.path.name}"
        )
    return found


def _drop(
    con: duckdb.DuckDBPyConnection, company: Company, name: str, mapping: TableMapping
) -> tuple[str, dict[str, int]]:
    """Count what each drop rule leaves out (a row under the first rule it meets)."""
    if not mapping.drop:
        return "reshaped", {}
    counts: dict[str, int] = {}
    earlier = "false"
    for rule, condition in mapping.drop.items():
        hit = f"coalesce(({condition}), false)"
        sql = f"select count(*) from reshaped where {hit} and not ({earlier})"
        place = f"tables.{name}.drop.{rule!r}"
        counts[rule] = _run(con, sql, company, place, condition)[0][0]
        earlier = f"{earlier} or {hit}"
    con.execute(f"create temp view kept as select * from reshaped where not ({earlier})")
    return "kept", counts


def _type_of(
    con: duckdb.DuckDBPyConnection, company: Company, table: str, column: str, sql: str, base: str
) -> str:
    """The SQL type of one expression, tried alone so that an error names its column."""
    described = _run(
        con,
        f"describe select ({sql}) as x from {base}",
        company,
        f"tables.{table}.columns.{column}",
        sql,
    )
    return str(described[0][1])


def _attributes(company: Company, mapping: TableMapping, types: dict[str, str]) -> dict[str, str]:
    """The CRM attributes that may be used: all with `valid_from`, else only the constant ones."""
    names = [c for c in mapping.columns if c not in {"customer_id", "valid_from"}]
    if "valid_from" not in mapping.columns:
        changing = [n for n in names if n not in mapping.constant]
        if changing:
            raise ConfigRefused(
                f"{company.path.name}: customers has no valid_from, so {', '.join(changing)} would "
                "show today's state in the past; map valid_from, or list columns that never change "
                "under tables.customers.constant"
            )
    return {n: "number" if is_number(types[n]) else "text" for n in names}


def _all_columns(contract: TableContract, attributes: dict[str, str]) -> list[Column]:
    extra = [Column(n, "text" if k == "text" else "number") for n, k in attributes.items()]
    return [*contract.columns, *extra]


def _run(
    con: duckdb.DuckDBPyConnection, sql: str, company: Company, place: str, given: str = "null"
) -> list[tuple]:  # type: ignore[type-arg]
    """Run SQL out of the company's file; an error names the place in the file and what to mend.

    `given` is the expression of the file inside it, which must be one by itself.
    """
    try:
        if [len(con.extract_statements(text)) for text in (f"select {given}", sql)] != [1, 1]:
            raise duckdb.ParserException("it holds several statements; write a single one")
        return list(con.execute(sql).fetchall())
    except duckdb.BinderException as err:
        raise DataRefused(
            f"{company.path.name}: {place} names something the data do not have: {_first(err)}"
            f"{_columns_hint(con)}"
        ) from None
    except duckdb.ParserException as err:
        raise DataRefused(
            f"{company.path.name}: {place} is not a valid SQL expression: {_first(err)}"
        ) from None
    except duckdb.Error as err:
        raise DataRefused(f"{company.path.name}: {place} cannot be read: {_first(err)}") from None


def _first(err: Exception) -> str:
    lines = [line for line in str(err).splitlines() if line.strip()]
    return " ".join(lines[:2])


def _columns_hint(con: duckdb.DuckDBPyConnection) -> str:
    try:
        names = [row[0] for row in con.execute("describe reshaped").fetchall()]
    except duckdb.Error:
        return ""
    return f"; the columns are: {', '.join(names)}"
