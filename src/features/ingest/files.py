"""A company's source files: find them by pattern, and convert CSV to Parquet once."""

import codecs
import glob
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb

from features.atomic_write import atomic_path
from features.config.company import Company
from features.config.table_mapping import CsvFormat
from features.errors import DataRefused, EnvironmentFailed
from features.ingest.csv_diagnosis import diagnose_csv
from features.ingest.encodings import fitting_encodings, write_utf8
from features.ingest.excel import split_sheet
from features.ingest.number_texts import AmbiguousNumbers, NumberFormat, find_ambiguous_numbers
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
    con: duckdb.DuckDBPyConnection,
    paths: Sequence[Path],
    form: CsvFormat,
    spill: Path,
    place: str,
    is_used: Callable[[str], bool] = lambda column: True,
) -> str:
    """SQL that reads CSV files, from a Parquet copy of their texts written once for this session.

    The files, also compressed ones, are streamed once. Types are then inferred from every row:
    inferring them from the first rows would round or cut later values. Raises DataRefused with file,
    line and remedy for invalid CSV (`place` is the section of the company's file), and for numbers of a
    used column that can be read in two ways.
    """
    form, texts = form.model_copy(update={"texts": ()}), form.texts
    identity = hashlib.sha256(f"{form!r} {[str(path) for path in paths]}".encode()).hexdigest()[:16]
    spooled = spill / f"spooled_{identity}.parquet"
    read = _in_utf8(paths, form, spill, place)
    try:
        if not spooled.exists():
            _check_delimiter(con, list(read), form)
            _spool(con, _csv_reader(list(read), form), spooled)
        name, unclear = _typed_view(con, spooled, texts, NumberFormat.of(form))
    except duckdb.InvalidInputException as err:
        raise DataRefused(f"{place}: {_explain_csv_error(str(err), form, read)}") from None
    for numbers in unclear:
        if is_used(numbers.column):
            raise DataRefused(f"{place}: {paths[0].name}, {numbers}")
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
        f"encoding = 'utf-8'{delimiter})"
    )


def _spool(con: duckdb.DuckDBPyConnection, reader: str, path: Path) -> None:
    """Copy all rows of CSV files, as texts, to a Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        con.execute(
            f"copy (from {reader}) to {quote_literal(str(temporary))} "
            "(format parquet, compression zstd)"
        )


def _typed_view(
    con: duckdb.DuckDBPyConnection,
    spooled: Path,
    texts: Sequence[str],
    declared: NumberFormat | None,
) -> tuple[str, list[AmbiguousNumbers]]:
    """A view of the rows with types by their values, but for `texts`; and numbers of two readings."""
    name = f"{spooled.stem}_{hashlib.sha256(repr(texts).encode()).hexdigest()[:8]}"
    rows = f"read_parquet({quote_literal(str(spooled))}, hive_partitioning = false)"
    if con.execute(f"select 1 from duckdb_views() where view_name = '{name}'").fetchall():
        return name, []
    described = con.execute(f"describe from {rows}").fetchall()
    columns = [  # the key of a folder may be a date
        row[0] for row in described if row[1] == "VARCHAR" and row[0] not in texts
    ]
    types = infer_text_types(con, rows, columns, numbers=declared)
    con.execute(f"create temp view {name} as {cast_sql(rows, types, declared)}")
    doubles = [column for column, kind in types.items() if kind == "DOUBLE"]
    return name, [] if declared else find_ambiguous_numbers(con, rows, doubles)


def _check_delimiter(
    con: duckdb.DuckDBPyConnection, paths: Sequence[Path], form: CsvFormat
) -> None:
    """Raise where a header stayed one column: no delimiter fits the first rows of its file."""
    columns = _columns(con, paths, form)
    for name in columns:
        parts = [part.strip('" ') for part in re.split(r"[,;|\t]", name)]
        is_note = name == columns[0] and name.lower().startswith("sep=")
        if is_note or (len(parts) > 1 and (len(columns) == 1 or set(parts) < set(columns))):
            file = next(path for path in paths if name in _columns(con, [path], form))
            raise duckdb.InvalidInputException(f'{NOT_DETECTED} sniffing file "{file}"')


def _columns(con: duckdb.DuckDBPyConnection, paths: Sequence[Path], form: CsvFormat) -> list[str]:
    return [row[0] for row in con.execute(f"describe from {_csv_reader(paths, form)}").fetchall()]


def _in_utf8(paths: Sequence[Path], form: CsvFormat, spill: Path, place: str) -> dict[Path, Path]:
    """The files to read, each with its original: copies where the files are not in UTF-8."""
    if codecs.lookup(form.encoding).name == "utf-8":
        return {path: path for path in paths}
    copies = {}
    for path in paths:
        copy = spill / "utf-8" / path.relative_to(path.anchor)  # folders may be columns
        copy = copy.with_name(re.sub("[.](gz|zst)$", "", copy.name, flags=re.IGNORECASE))
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_utf8(path, copy, form.encoding)
        except UnicodeDecodeError:
            raise DataRefused(
                f"{place}: {path.name} is not in {form.encoding}; {_suggest_encodings(path)}"
            ) from None
        copies[copy] = path
    return copies


def _suggest_encodings(path: Path) -> str:
    found = fitting_encodings(path)
    if not found:
        return "save it as UTF-8"
    fits = ", ".join(f'encoding = "{f.name}" for {f.example!r}' for f in found)
    return f"declare under csv the one that reads its texts right: {fits}; or save it as UTF-8"


def _explain_csv_error(error: str, form: CsvFormat, read: Mapping[Path, Path]) -> str:
    """What is wrong with a CSV file, in which line, and how to fix it, from DuckDB's error message."""
    named = re.search(r"\n\s*file = (.+)", error) or re.search(r'sniffing file "(.+)"', error)
    file = read.get(Path(named[1]), Path(named[1])) if named else next(iter(read.values()))
    line = re.search(r"CSV Error on Line: (\d+)", error)
    where = f"{file.name}, line {line[1]}" if line else file.name
    if "not utf-8 encoded" in error:
        return f"{where}: not UTF-8; {_suggest_encodings(file)}"
    if found := diagnose_csv(file, form):
        return f"{file.name}, {found}"
    lines = [text.strip() for text in error.removeprefix("Invalid Input Error: ").splitlines()]
    reason = next(text for text in lines if text and not text.startswith(("CSV Error", "Original")))
    if NOT_DETECTED in error:
        reason = (
            "no delimiter splits rows and header alike: a row is longer, or a quote is not closed"
        )
    return (
        f"{where}: {reason}; fix the file, or declare its format, such as "
        'csv = { delimiter = ";", quote = "\'", escape = "\\\\" }'
    )


def _sql_list(paths: Sequence[Path]) -> str:
    return "[" + ", ".join(quote_literal(str(path)) for path in paths) + "]"
