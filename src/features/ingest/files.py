"""A company's files: which ones a pattern names, and CSV streamed once into Parquet."""

import glob
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from features.config.company import Company
from features.config.table_mapping import CsvFormat
from features.errors import DataRefused
from features.ingest.sql import quote_literal
from features.ingest.type_inference import cast_sql, infer_text_types

CSV = (".csv", ".tsv")
PACKED = (".gz", ".zst")
#: How DuckDB begins when the first thousands of rows of a file make no sense to it.
UNFIT = "Error when"


def find_files(company: Company, table: str, root: Path, patterns: Sequence[str]) -> list[Path]:
    """The files the patterns of one source name, all of one kind; `**` goes through all folders.

    A folder stands for the data files in it, however deep. Raises DataRefused for a pattern without
    a file, and for files that are neither all Parquet nor all CSV.
    """
    paths = [path for pattern in patterns for path in _matching(company, table, root, pattern)]
    paths = list(dict.fromkeys(paths))
    kinds = {_kind(path) for path in paths}
    if len(kinds) > 1 or None in kinds:
        odd = sorted(paths, key=lambda path: _kind(path) or "")[:3]
        raise DataRefused(
            f"{company.path.name}: tables.{table} reads {', '.join(p.name for p in odd)}; the files "
            f"of one source must all be Parquet or all be CSV (.csv, .tsv, also .gz or .zst)"
        )
    return paths


def is_csv(path: Path) -> bool:
    """Whether a file is read as CSV."""
    return _kind(path) == "csv"


def _kind(path: Path) -> str | None:
    name = path.name.lower()
    if name.endswith(".parquet"):
        return "parquet"
    for packed in PACKED:
        name = name.removesuffix(packed)
    return "csv" if name.endswith(CSV) else None


def _matching(company: Company, table: str, root: Path, pattern: str) -> list[Path]:
    full = str(Path(glob.escape(str(root))) / pattern)
    found = sorted(Path(p) for p in glob.glob(full, recursive=True))
    inside = [path for folder in found if folder.is_dir() for path in sorted(folder.rglob("*"))]
    files = [p for p in found if p.is_file()] + [p for p in inside if p.is_file() and _kind(p)]
    if not files:
        hint = "make it with `goodwill data`" if company.name == "sample" else (
            "check `root` and `files`, or set GOODWILL_REAL_DATA if it holds {real_data}"
        )  # fmt: skip
        raise DataRefused(
            f"table {table}: missing file {root / pattern} (0 rows read); {hint} "
            f"in {company.path.name}"
        )
    return files


def parquet_sql(paths: Sequence[Path]) -> str:
    """SQL that reads Parquet files, columns matched by name, folders `key=value` as columns."""
    return f"select * from read_parquet({_list(paths)}, union_by_name = true)"


def csv_sql(
    con: duckdb.DuckDBPyConnection, paths: Sequence[Path], form: CsvFormat, spill: Path, place: str
) -> str:
    """SQL that reads CSV files, from a Parquet copy of their texts made once for this session.

    The files are streamed through once, also packed ones. Then the types are found by asking every
    row: guessing from the first ones would round or cut what comes later. Raises DataRefused with
    file, line and remedy (`place` is the section of the company's file) where CSV is broken.
    """
    told = f"{form!r} {[str(path) for path in paths]}"
    name = f"spooled_{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    if not con.execute(f"select 1 from duckdb_views() where view_name = '{name}'").fetchall():
        try:
            _refuse_unsplit(con, paths, form)
            _spool(con, _csv_reader(paths, form), spill / f"{name}.parquet", name)
        except duckdb.InvalidInputException as err:
            raise DataRefused(_broken_csv(str(err), place)) from None
    return f"select * from {name}"


def _csv_reader(paths: Sequence[Path], form: CsvFormat) -> str:
    """All columns as texts; the delimiter is DuckDB's to find, file by file, and nothing else.

    It would take a file whose first thousands of rows need no quotes to have none, skip first lines
    and take rows that begin with # for remarks.
    """
    delimiter = f", delim = {quote_literal(form.delimiter)}" if form.delimiter else ""
    return (
        f"read_csv({_list(paths)}, union_by_name = true, all_varchar = true, header = true, "
        f"quote = {quote_literal(form.quote)}, escape = {quote_literal(form.escape)}, skip = {form.skip_lines}, "
        "comment = '', strict_mode = true, null_padding = false, ignore_errors = false, "
        f"encoding = {quote_literal(form.encoding)}{delimiter})"
    )


def _spool(con: duckdb.DuckDBPyConnection, reader: str, path: Path, name: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    con.execute(f"copy (from {reader}) to {quote_literal(str(path))} (format parquet, compression zstd)")
    spooled = f"read_parquet({quote_literal(str(path))}, hive_partitioning = false)"
    described = con.execute(f"describe from {spooled}").fetchall()
    texts = [row[0] for row in described if row[1] == "VARCHAR"]  # a folder's key may be a date
    con.execute(
        f"create temp view {name} as {cast_sql(spooled, infer_text_types(con, spooled, texts))}"
    )


def _refuse_unsplit(con: duckdb.DuckDBPyConnection, paths: Sequence[Path], form: CsvFormat) -> None:
    """A header that stayed one column: no delimiter fits the first thousands of rows of its file."""
    columns = _columns(con, paths, form)
    for name in columns:
        parts = [part.strip('" ') for part in re.split(r"[,;|\t]", name)]
        if len(parts) > 1 and (len(columns) == 1 or set(parts) < set(columns)):
            file = next(path for path in paths if name in _columns(con, [path], form))
            raise duckdb.InvalidInputException(f'{UNFIT} sniffing file "{file}"')


def _columns(con: duckdb.DuckDBPyConnection, paths: Sequence[Path], form: CsvFormat) -> list[str]:
    return [row[0] for row in con.execute(f"describe from {_csv_reader(paths, form)}").fetchall()]


def _broken_csv(told: str, place: str) -> str:
    """What is wrong with a CSV file, out of DuckDB's report on it."""
    file = re.search(r"\n\s*file = (.+)", told) or re.search(r'sniffing file "(.+)"', told)
    line = re.search(r"CSV Error on Line: (\d+)", told)
    where = f"{place}: {Path(file[1]).name if file else 'a CSV file'}"
    where += f", line {line[1]}" if line else ""
    if "not utf-8 encoded" in told:
        return (
            f"{where}: not UTF-8; say how it is written under {place}, "
            'csv = { encoding = "latin-1" } (or "utf-16"), or save it as UTF-8'
        )
    lines = [text.strip() for text in told.removeprefix("Invalid Input Error: ").splitlines()]
    why = next(text for text in lines if text and not text.startswith(("CSV Error", "Original")))
    if UNFIT in told:
        why = "no delimiter splits its rows as its header: a row is longer, or a quote does not end"
    return (
        f"{where}: {why}; mend the file, or say how it is written under {place}, such as "
        'csv = { delimiter = ";", quote = "\'", escape = "\\\\" }'
    )


def _list(paths: Sequence[Path]) -> str:
    return "[" + ", ".join(quote_literal(str(path)) for path in paths) + "]"
