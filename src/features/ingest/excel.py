"""Excel workbooks: the sheet that a source names, and its rows as texts. The only user of calamine."""

import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from features.errors import DataRefused

_SHEET = re.compile(r"(?i)^(.*\.xlsx)#(.+)$")


def split_sheet(pattern: str) -> tuple[str, str | None]:
    """Split "book.xlsx#Orders" into the pattern of the file and the name of its sheet."""
    found = _SHEET.match(pattern)
    return (found[1], found[2]) if found else (pattern, None)


def sheet_names(path: Path) -> list[str]:
    """The sheets of a workbook, in its order."""
    return list(_open(path).sheet_names)


def sheet_rows(path: Path, sheet: str | None) -> Iterator[list[str]]:
    """The rows of a sheet (default: the first) as texts, from its first row that is not empty.

    Dates are written as 2024-05-31, whole numbers without decimals, empty cells as "". Empty rows and
    columns without a name and a value are left out.
    """
    book = _open(path)
    names = book.sheet_names
    if sheet is not None and sheet not in names:
        raise DataRefused(f"{path.name} has no sheet {sheet!r}; its sheets: {', '.join(names)}")
    cells = book.get_sheet_by_name(sheet or names[0]).to_python()
    rows = [[_text(cell) for cell in row] for row in cells]
    rows = [row for row in rows if any(row)]
    used = [any(row[i] for row in rows) for i in range(len(rows[0]) if rows else 0)]
    for row in rows:
        yield [text for text, keep in zip(row, used, strict=True) if keep]


def _text(cell: Any) -> str:
    """The text of a cell."""
    if isinstance(cell, datetime):
        return cell.isoformat(" ") if cell.time() != time() else cell.date().isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell).strip()


def _open(path: Path) -> Any:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        return CalamineWorkbook.from_path(str(path))
    except (CalamineError, OSError) as err:
        raise DataRefused(
            f"{path.name} cannot be read as an Excel workbook: {err}; save it again as .xlsx or as CSV"
        ) from None


def sheets_as_csv(paths: Sequence[Path], sheet: str | None, spill: Path) -> list[Path]:
    """Write a sheet of each workbook as CSV in UTF-8, into the session's own folder (`spill`)."""
    copies = []
    for path in paths:
        digest = hashlib.sha256(f"{path} {sheet}".encode()).hexdigest()[:12]
        copy = spill / f"sheet_{digest}" / f"{path.name}.csv"
        copy.parent.mkdir(parents=True, exist_ok=True)
        with copy.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out, lineterminator="\n").writerows(sheet_rows(path, sheet))
        copies.append(copy)
    return copies
