"""A company's source files: find them by pattern, and convert CSV to Parquet once."""

import glob
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from features.config.company import Company
from features.config.table_mapping import CsvFormat
from features.errors import DataRefused, EnvironmentFailed
from features.ingest.excel import split_sheet
from features.ingest.sql import quote_literal
from features.ingest.type_inference import cast_sql, infer_text_types

CSV = (".csv", ".tsv", ".txt")
JSON_LINES = (".jsonl", ".ndjson")
PACKED = (".gz", ".zst")
#: How DuckDB's message starts when it cannot detect the format of a file.
NOT_DETECTED = "Error when"


def find_files(company: Company, table: str, root: Path, patterns: Sequence[str]) -> list[Path]:
    """Find the files of one source by its patterns; `**` matches folders of any depth.

    A folder stands for the data files in it, at any depth. Raises EnvironmentFailed when the company's
    folder itself is away, DataRefused for a pattern without files, and for files of several kinds.
    """
    if not root.is_dir():
        raise EnvironmentFailed(
            f"the folder of the sources, {root}, is away: mount it, then run again; or correct "
            f"company.root in {company.path.name}, {_hint(company)}"
        )
    paths = [path for pattern in patterns for path in _matching(company, table, root, pattern)]
    paths = list(dict.fromkeys(paths))
    kinds = {file_kind(path) for path in paths}
    if len(kinds) > 1 or None in kinds:
        odd = sorted(paths, key=lambda path: file_kind(path) or "")[:3]
        raise DataRefused(
            f"{company.path.name}: tables.{table} reads {', '.join(p.name for p in odd)}; the files "
            f"of one source must all be Parquet, all be CSV (.csv, .tsv, also .gz or .zst), all be JSON "
            f"lines (.jsonl) or all be Excel workbooks (.xlsx)"
        )
    return paths


def file_kind(path: Path) -> str | None:
    """How a file is read: as parquet, csv, json or excel; None if it is none of them."""
    name = path.name.lower()
    if name.endswith(".parquet"):
        return "parquet"
    if name.endswith(".xlsx"):
        return "excel"
    for packed in PACKED:
        name = name.removesuffix(packed)
    if name.endswith(JSON_LINES):
        return "json"
    return "csv" if name.endswith(CSV) else None


def _matching(company: Company, table: str, root: Path, pattern: str) -> list[Path]:
    pattern, _ = split_sheet(pattern)
    full = str(Path(glob.escape(str(root))) / pattern)
    found = sorted(Path(p) for p in glob.glob(full, recursive=True))
    inside = [path for folder in found if folder.is_dir() for path in sorted(folder.rglob("*"))]
    files = [p for p in found if p.is_file()] + [p for p in inside if p.is_file() and file_kind(p)]
    if not files:
        raise DataRefused(
            f"table {table}: missing file {root / pattern} (0 rows read); check `root` and `files` in "
            f"{company.path.name}, {_hint(company)}"
        )
    return files


def _hint(company: Company) -> str:
    if company.name == "sample":
        return "or make its tables with `goodwill data`"
    return "or set GOODWILL_REAL_DATA if it holds {real_data}"


def parquet_sql(paths: Sequence[Path]) -> str:
    """SQL that reads Parquet files: columns are matched by name, folders `key=value` become columns."""
    return f"select * from read_parquet({_sql_list(paths)}, union_by_name = true)"


def csv_sql(
    con: duckdb.DuckDBPyConnection, paths: Sequence[Path], form: CsvFormat, spill: Path, place: str
) -> str:
    """SQL that reads CSV files, from a Parquet copy of their texts written once for this session.

    The files, also compressed ones, are streamed once. Types are then inferred from every row:
    inferring them from the first rows would round or cut later values. Raises DataRefused with file,
    line and remedy for invalid CSV (`place` is the section of the company's file).
    """
    identity = f"{form!r} {[str(path) for path in paths]}"
    name = f"spooled_{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
    if not con.execute(f"select 1 from duckdb_views() where view_name = '{name}'").fetchall():
        try:
            _check_delimiter(con, paths, form)
            _spool(con, _csv_reader(paths, form), spill / f"{name}.parquet", name)
        except duckdb.InvalidInputException as err:
            raise DataRefused(_explain_csv_error(str(err), place)) from None
    return f"select * from {name}"


def _csv_reader(paths: Sequence[Path], form: CsvFormat) -> str:
    """SQL that reads all columns as texts; DuckDB detects only the delimiter, file by file.

    Its further detection would assume no quotes where the first rows have none, skip first lines and
    take rows that begin with # for comments.
    """
    delimiter = f", delim = {quote_literal(form.delimiter)}" if form.delimiter else ""
    return (
        f"read_csv({_sql_list(paths)}, union_by_name = true, all_varchar = true, header = true, "
        f"quote = {quote_literal(form.quote)}, escape = {quote_literal(form.escape)}, "
        f"skip = {form.skip_lines}, "
        "comment = '', strict_mode = true, null_padding = false, ignore_errors = false, "
        f"encoding = {quote_literal(form.encoding)}{delimiter})"
    )


def _spool(con: duckdb.DuckDBPyConnection, reader: str, path: Path, name: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    con.execute(
        f"copy (from {reader}) to {quote_literal(str(path))} (format parquet, compression zstd)"
    )
    spooled = f"read_parquet({quote_literal(str(path))}, hive_partitioning = false)"
    described = con.execute(f"describe from {spooled}").fetchall()
    texts = [
        row[0] for row in described if row[1] == "VARCHAR"
    ]  # the key of a folder may be a date
    con.execute(
        f"create temp view {name} as {cast_sql(spooled, infer_text_types(con, spooled, texts))}"
    )


def _check_delimiter(
    con: duckdb.DuckDBPyConnection, paths: Sequence[Path], form: CsvFormat
) -> None:
    """Raise where a header stayed one column: no delimiter fits the first rows of its file."""
    columns = _columns(con, paths, form)
    for name in columns:
        parts = [part.strip('" ') for part in re.split(r"[,;|\t]", name)]
        if len(parts) > 1 and (len(columns) == 1 or set(parts) < set(columns)):
            file = next(path for path in paths if name in _columns(con, [path], form))
            raise duckdb.InvalidInputException(f'{NOT_DETECTED} sniffing file "{file}"')


def _columns(con: duckdb.DuckDBPyConnection, paths: Sequence[Path], form: CsvFormat) -> list[str]:
    return [row[0] for row in con.execute(f"describe from {_csv_reader(paths, form)}").fetchall()]


def _explain_csv_error(error: str, place: str) -> str:
    """What is wrong with a CSV file and how to fix it, from DuckDB's error message."""
    file = re.search(r"\n\s*file = (.+)", error) or re.search(r'sniffing file "(.+)"', error)
    line = re.search(r"CSV Error on Line: (\d+)", error)
    where = f"{place}: {Path(file[1]).name if file else 'a CSV file'}"
    where += f", line {line[1]}" if line else ""
    if "not utf-8 encoded" in error:
        return (
            f"{where}: not UTF-8; declare its encoding under {place}, "
            'csv = { encoding = "latin-1" } (or "utf-16"), or save it as UTF-8'
        )
    lines = [text.strip() for text in error.removeprefix("Invalid Input Error: ").splitlines()]
    reason = next(text for text in lines if text and not text.startswith(("CSV Error", "Original")))
    if NOT_DETECTED in error:
        reason = (
            "no delimiter splits rows and header alike: a row is longer, or a quote is not closed"
        )
    return (
        f"{where}: {reason}; fix the file, or declare its format under {place}, such as "
        'csv = { delimiter = ";", quote = "\'", escape = "\\\\" }'
    )


def _sql_list(paths: Sequence[Path]) -> str:
    return "[" + ", ".join(quote_literal(str(path)) for path in paths) + "]"
