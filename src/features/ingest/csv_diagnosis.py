"""Why a CSV file cannot be read: the line, what is wrong with it, and what would be right."""

import codecs
import csv
import re
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

import pyarrow as pa

from features.config.table_mapping import CsvFormat

_DELIMITERS = (",", ";", "\t", "|")
_SHOWN = 60
#: A record over more lines than this has a quote that does not end.
_LINES = 50


def diagnose_csv(path: Path, form: CsvFormat) -> str | None:
    """The line of the first row that does not fit the header, with the remedy; None where all do.

    Reads the file row by row, so only after it could not be read otherwise.
    """
    with _open_text(path, form) as text:
        lines = iter(text)
        for _ in range(form.skip_lines):
            next(lines, "")
        first = next(lines, "")
    if re.fullmatch(r'"?sep=.?"?\s*', first, re.IGNORECASE):
        number = form.skip_lines + 1
        return (
            f"line {number}: {first.strip()!r} is a note for Excel, not the header; declare "
            f"skip_lines = {number}"
        )
    delimiter = form.delimiter or max(_DELIMITERS, key=first.count)
    header = len(next(csv.reader([first], delimiter=delimiter, quotechar=form.quote or None), []))
    following = form.skip_lines + 2
    try:
        for line, until, row in _rows(path, form, delimiter):
            following = until + 1
            if until - line >= _LINES or (until > line and len(row) != header):
                return f"line {line}: {_unclosed_quote(path, form, line)}"
            if len(row) != header:
                return f"line {line}: {_wrong_length(row, header, delimiter, line)}"
    except csv.Error:
        return f"line {following}: {_unclosed_quote(path, form, following)}"
    return None


def _rows(path: Path, form: CsvFormat, delimiter: str) -> Iterator[tuple[int, int, list[str]]]:
    """The rows with a field after the header, each with its first and last line."""
    escape = form.escape if form.escape != form.quote else None
    with _open_text(path, form) as text:
        reader = csv.reader(
            text, delimiter=delimiter, quotechar=form.quote or None, escapechar=escape,
            doublequote=escape is None, strict=True,
        )  # fmt: skip
        csv.field_size_limit(2**31 - 1)
        line = 1
        for number, row in enumerate(reader):
            if number > form.skip_lines and row:
                yield line, reader.line_num, row
            line = reader.line_num + 1


def _wrong_length(row: list[str], header: int, delimiter: str, line: int) -> str:
    shown = delimiter.join(row)
    shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."
    fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
    if len(row) < header:
        remedy = f"complete it; if it is a note below the rows, remove line {line} and all after it"
    else:
        remedy = f"put a text that holds {delimiter!r} in quotes, or declare another delimiter"
    return f"{fields} where the header has {header} ({shown!r}): {remedy}"


def _unclosed_quote(path: Path, form: CsvFormat, line: int) -> str:
    with _open_text(path, form) as text:
        content = next((one for number, one in enumerate(text, 1) if number == line), "")
    if "\\" + form.quote in content and form.escape == form.quote:
        return f'a quote is written as \\{form.quote}: declare escape = "\\\\"'
    return (
        f"a text begins with {form.quote} and does not end ({content.strip()[:_SHOWN]!r}): close or "
        'remove the quote; in a file without quotes around texts, declare quote = ""'
    )


def _open_text(path: Path, form: CsvFormat) -> TextIOWrapper:
    stream = pa.input_stream(str(path), compression="detect")
    encoding = "utf-8-sig" if codecs.lookup(form.encoding).name == "utf-8" else form.encoding
    return TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")
