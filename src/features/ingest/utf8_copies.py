"""UTF-8 copies of what DuckDB cannot read itself: CSV in other encodings, and Excel sheets.

DuckDB would load an extension from the network for other encodings, so Python's codecs read them.
"""

import codecs
import csv
import gzip
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import pyarrow as pa

from features.config.table_mapping import CsvFormat
from features.errors import DataRefused
from features.ingest.excel import sheet_rows

#: Encodings that DuckDB reads without an extension, by Python's names.
NATIVE = {"utf-8"}
CHUNK = 1 << 20


def as_utf8_csv(
    paths: Sequence[Path], form: CsvFormat, sheet: str | None, spill: Path, place: str
) -> tuple[list[Path], CsvFormat]:
    """Make UTF-8 copies of workbooks and of CSV files in other encodings; the paths to read, and how.

    Files that need no copy stay. The copies last as long as the session (`spill`). Raises DataRefused
    with file, line and remedy for bytes that are not of the encoding.
    """
    if paths[0].suffix.lower() == ".xlsx":
        return [_sheet_copy(path, sheet, spill) for path in paths], CsvFormat(delimiter=",")
    if codecs.lookup(form.encoding).name in NATIVE:
        return list(paths), form
    copies = [_text_copy(path, form.encoding, spill, place) for path in paths]
    return copies, form.model_copy(update={"encoding": "utf-8"})


def open_unpacked(path: Path) -> IO[bytes]:
    """Open a file for reading, unpacked if it ends in .gz or .zst."""
    name = path.name.lower()
    if name.endswith(".gz"):
        return gzip.open(path)  # type: ignore[return-value]
    if name.endswith(".zst"):
        return pa.input_stream(str(path), compression="zstd")  # type: ignore[no-any-return]
    return path.open("rb")


def _copy_path(path: Path, what: str, spill: Path) -> Path:
    """The place of a copy: its name ends with the file's own, so that messages can be understood."""
    digest = hashlib.sha256(f"{path} {what}".encode()).hexdigest()[:12]
    folder = spill / f"utf8_{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    stem = path.name
    for ending in (".gz", ".zst"):
        stem = stem.removesuffix(ending)
    return folder / (stem if stem.lower().endswith((".csv", ".tsv", ".txt")) else f"{stem}.csv")


def _sheet_copy(path: Path, sheet: str | None, spill: Path) -> Path:
    copy = _copy_path(path, sheet or "", spill)
    with copy.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(sheet_rows(path, sheet))
    return copy


def _text_copy(path: Path, encoding: str, spill: Path, place: str) -> Path:
    copy = _copy_path(path, encoding, spill)
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with open_unpacked(path) as source, copy.open("w", encoding="utf-8", newline="") as out:
        while True:
            chunk = source.read(CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as err:
                number = line + err.object[: err.start].count(b"\n")
                wrong = err.object[err.start : err.start + 1]
                raise DataRefused(
                    f"{place}: {path.name}, line {number}: the byte "
                    f"0x{wrong.hex()} is not {encoding}; declare the right encoding (utf-8, "
                    "windows-1252, gb18030, ...), or save the file as UTF-8"
                ) from None
            out.write(text.removeprefix("\ufeff") if line == 1 else text)
            line += text.count("\n")
            if not chunk:
                return copy
