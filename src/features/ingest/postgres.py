"""PostgreSQL as a source: read all queries of a company in one read-only snapshot, into Parquet files.

The only file that uses ADBC. Rows stream in batches, so memory does not grow with a table.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.markup import escape

from features.config.postgres_settings import PostgresAddress, PostgresSettings
from features.errors import DataRefused, EnvironmentFailed
from features.ingest.sql import quote_identifier
from features.progress import StepResult, Steps

TABLE = re.compile(r'("[^"]+"|[A-Za-z_][\w$]*)(\.("[^"]+"|[A-Za-z_][\w$]*)){0,2}')
#: Types that ADBC delivers as the matching Arrow type. All others are selected as text (padded char,
#: enum, uuid, json, arrays; numeric to stay exact) and get a type by their values.
NATIVE_TYPES = {
    "bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "name",
    "date", "timestamp", "timestamptz", "time", "bytea",
}  # fmt: skip
#: The first and last value of the years 1 to 9999, in the units of the Arrow type.
CALENDAR_LIMITS = {
    "timestamp": (-62_135_596_800_000_000, 253_402_300_799_999_999),
    "date32": (-719_162, 2_932_896),
}
#: Settings of the transaction only, so they cannot affect others where a pool shares connections.
TRANSACTION_SETTINGS = (
    "set transaction isolation level repeatable read read only",
    "set local default_transaction_read_only = on",
    "set local timezone = 'UTC'",
    "set local datestyle = 'ISO'",
    "set local client_encoding = 'UTF8'",
)
CAN_WRITE = """
select exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname !~ '^(pg_|information_schema$)'
    and has_table_privilege(c.oid, 'insert, update, delete, truncate')
) as can_write
"""
#: The remedy by SQLSTATE (PostgreSQL manual, appendix "Error Codes").
REMEDIES = {
    "42P01": "name a table that exists, with its schema if that is not in the role's search_path",
    "3F000": "name a schema that exists",
    "42703": "name a column that exists",
    "42883": "use a function or operator PostgreSQL has; this SQL runs there, not in DuckDB",
    "42601": "give a table's name or one PostgreSQL select",
    "0A000": "give a table's name or one PostgreSQL select",
    "25006": "Goodwill only reads: remove from the query whatever writes",
    "42501": "grant it: GRANT USAGE ON SCHEMA ..., GRANT SELECT ON ... TO {user}",
    "57014": "read less (columns, a where clause), add an index, or raise "
    "postgres.statement_timeout_seconds",
}
#: An error in the middle of a stream carries no SQLSTATE: words of its message, and the SQLSTATE.
STATES = {"statement timeout": "57014", "read-only": "25006", "permission denied": "42501"}
#: SQLSTATEs after which the same query may succeed: connection lost, shutdown, startup, no free slot,
#: a standby that lags.
TRANSIENT = ("08", "57P", "53300", "40001", "25P03")
TRANSIENT_WORDS = re.compile(
    "starting up|shutting down|recovery|too many|connection slots|not accepting connections"
    "|terminating connection"
)
#: Messages of a server or libpq that rejects the connection for good.
REJECTED_WORDS = re.compile(
    "FATAL|no password supplied|was required|certificate|does not support|invalid|not supported"
)


class ServerUnavailable(Exception):
    """The server is unavailable now; another try may succeed. The text is the reason."""


@dataclass(frozen=True)
class PostgresExtract:
    """The rows of one query in a Parquet file.

    `types` are the DuckDB types of number columns that were selected as text: a DECIMAL, or None where
    the values decide. `infinite` counts times outside the years 1 to 9999, which are null now.
    """

    path: Path
    rows: int
    types: dict[str, str | None]
    infinite: dict[str, int]


def extract_queries(
    address: PostgresAddress,
    settings: PostgresSettings,
    queries: Mapping[str, str],
    folder: Path,
    steps: Steps,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, PostgresExtract]:
    """Read each query (by its place in the TOML file) into a Parquet file of the folder.

    When the server becomes unavailable, everything is read again in a new snapshot, so the tables
    are always consistent. Raises EnvironmentFailed when it stays unavailable, and DataRefused at once
    for errors that a retry cannot fix.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with steps.step("read PostgreSQL") as done:
        found, retries = None, 0
        while found is None:
            try:
                found = _read_all(address, settings, queries, folder, steps)
            except ServerUnavailable as err:
                if retries == settings.retries:
                    raise _unavailable(address, settings, err) from None
                seconds, retries = min(2.0**retries, 60.0), retries + 1
                steps.note(escape(f"  {address} is unavailable ({err}); next try in {seconds:g} s "
                                  f"(try {retries + 1} of {settings.retries + 1})"))  # fmt: skip
                pause(seconds)
        _report(found, retries, steps, done)
    return found


def _unavailable(
    address: PostgresAddress, settings: PostgresSettings, err: ServerUnavailable
) -> EnvironmentFailed:
    tries = settings.retries + 1
    return EnvironmentFailed(
        f"{address} is unavailable: {err} (tried {tries} time{'s' if tries > 1 else ''}); check that "
        f"the server runs and accepts connections from here, then run again; the URL comes from "
        f"{settings.url_from or 'the PG* variables'}, postgres.retries sets the number of retries"
    )


def _report(
    found: dict[str, PostgresExtract], retries: int, steps: Steps, done: StepResult
) -> None:
    done(queries=len(found), rows=sum(s.rows for s in found.values()), retries=retries)
    for place, extract in found.items():
        for column, rows in extract.infinite.items():
            steps.note(escape(f"  {place}: column {column} is infinite or outside the years 1 to "
                              f"9999 in {rows:,} rows; read as null"))  # fmt: skip


def _read_all(
    address: PostgresAddress,
    settings: PostgresSettings,
    queries: Mapping[str, str],
    folder: Path,
    steps: Steps,
) -> dict[str, PostgresExtract]:
    """Read all queries in one transaction, so that they see the same snapshot."""
    found = {}
    with _connection(address) as link, closing(link.cursor()) as cursor:
        with _translate_driver_errors(address, link, "postgres"):
            for statement in TRANSACTION_SETTINGS:
                cursor.execute(statement)
            milliseconds = settings.statement_timeout_seconds * 1000
            cursor.execute(f"set local statement_timeout = {milliseconds}")
            cursor.execute(CAN_WRITE)
            if cursor.fetchone()[0]:
                steps.note(escape(f"  user {address.user} may write to this database; Goodwill only "
                                  "reads: use a role without write access "
                                  "(docs/how-to/connect-your-data.md)"))  # fmt: skip
        size = str(settings.batch_mb * 1024 * 1024)
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": size})
        for number, (place, query) in enumerate(queries.items()):
            with _translate_driver_errors(address, link, place):
                found[place] = _read(cursor, place, query, folder / f"{number}.parquet")
    return found


@contextmanager
def _connection(address: PostgresAddress) -> Iterator[Any]:
    import adbc_driver_manager
    from adbc_driver_postgresql import dbapi  # type: ignore[import-untyped]

    try:
        link = dbapi.connect(address.url)
    except adbc_driver_manager.Error as err:
        raise translate_error(address, "postgres", err, while_connecting=True) from None
    with closing(link):
        yield link


@contextmanager
def _translate_driver_errors(address: PostgresAddress, link: Any, place: str) -> Iterator[None]:
    """Translate the driver's errors: the server is unavailable, or it refuses the query at `place`."""
    import adbc_driver_manager

    try:
        yield
    except (adbc_driver_manager.Error, pa.ArrowException, OSError) as err:
        if getattr(err, "errno", None):  # of this machine, such as a full disk
            raise
        status = link.adbc_connection.get_option("adbc.postgresql.transaction_status")
        if status == "unknown":  # libpq's word for a lost connection
            raise ServerUnavailable(unavailable_reason(address, err)) from None
        raise translate_error(address, place, err) from None


def _read(cursor: Any, place: str, query: str, path: Path) -> PostgresExtract:
    """Stream one query into a Parquet file."""
    query = query.strip().rstrip(";")
    query = f"select * from {query}" if TABLE.fullmatch(query) else query
    schema = cursor.adbc_execute_schema(query)
    _check_distinct_names(place, schema.names)
    cursor.execute(f"select {', '.join(map(_selected, schema))} from (\n{query}\n) as goodwill")
    rows, infinite = 0, dict.fromkeys(schema.names, 0)
    with cursor.fetch_record_batch() as batches:
        plain = pa.schema([f.remove_metadata() for f in batches.schema])
        with pq.ParquetWriter(path, plain, compression="zstd") as writer:
            for batch in batches:
                rows += batch.num_rows
                columns = []
                for name, column in zip(batch.schema.names, batch.columns, strict=True):
                    kept, outside = _within_calendar(column)
                    infinite[name] += outside
                    columns.append(kept)
                writer.write_batch(pa.record_batch(columns, schema=plain))
    types = {f.name: _number_type(f) for f in schema if _pg_type(f) in {"numeric", "money"}}
    return PostgresExtract(path, rows, types, {name: n for name, n in infinite.items() if n})


def _check_distinct_names(place: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in (n.lower() for n in names):
        if name in seen:
            raise DataRefused(f"{place}: two columns are called {name}; rename one in the query")
        seen.add(name)


def _pg_type(column: pa.Field) -> str:
    kind: bytes = (column.metadata or {}).get(b"POSTGRESQL:type", b"")
    return kind.decode()


def _selected(column: pa.Field) -> str:
    name = quote_identifier(column.name)
    if _pg_type(column) in NATIVE_TYPES:
        return name
    exact = "::numeric" if _pg_type(column) == "money" else ""  # otherwise with a currency sign
    return f"{name}{exact}::text as {name}"


def _number_type(column: pa.Field) -> str | None:
    """DECIMAL for a numeric with a declared precision that DuckDB can hold, else None."""
    declared = int((column.metadata or {}).get(b"POSTGRESQL:typmod", b"-1")) - 4
    precision, scale = declared >> 16, declared & 0x7FF  # a negative scale reads as a large one
    held = 0 < precision <= 38 and 0 <= scale <= precision
    return f"DECIMAL({precision},{scale})" if held else None


def _within_calendar(column: pa.Array) -> tuple[pa.Array, int]:
    """Replace times outside the calendar (PostgreSQL's infinity) by null, and count them."""
    limits = CALENDAR_LIMITS.get(str(column.type).split("[")[0])
    if limits is None:
        return column, 0
    raw = column.view(pa.int64() if pa.types.is_timestamp(column.type) else pa.int32())
    inside = pc.and_(pc.greater_equal(raw, limits[0]), pc.less_equal(raw, limits[1]))
    outside = len(inside) - inside.null_count - (inside.true_count or 0)
    return (pc.if_else(inside, column, None), outside) if outside else (column, 0)


def unavailable_reason(address: PostgresAddress, err: Exception) -> str:
    """The reason in one line, without the driver's prefixes and without secrets."""
    text = address.without_secrets(str(err).strip()).split("SQLSTATE:")[0].split("Query was:")[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"^(.*?\b(FATAL|ERROR): +|(\w+: )?(\[libpq\] )?(.* failed: )?)", "", lines[0])


def translate_error(
    address: PostgresAddress, place: str, err: Any, while_connecting: bool = False
) -> DataRefused | ServerUnavailable:
    """Translate an error of the driver: DataRefused with a remedy, or ServerUnavailable."""
    text, state = str(err), getattr(err, "sqlstate", None) or ""
    reason = unavailable_reason(address, err)
    if state.startswith(TRANSIENT) or TRANSIENT_WORDS.search(text):
        return ServerUnavailable(reason)
    if while_connecting:
        if not REJECTED_WORDS.search(text):
            return ServerUnavailable(reason)
        return DataRefused(
            f"{address} rejects user {address.user}: {reason}; check user, password and database of the "
            "URL, and that the server accepts this machine (pg_hba.conf)"
        )
    for words, known in STATES.items():
        state = known if words in text and not state else state
    remedy = REMEDIES.get(state, "fix the query").format(user=address.user)
    return DataRefused(f"{place}: {address} says: {reason}; {remedy}")
