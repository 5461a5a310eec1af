"""Sheets of workbooks as rows of texts."""

from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter

from features.errors import DataRefused
from features.ingest.excel import sheet_names, sheet_rows, split_sheet


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.xlsx"
    made = xlsxwriter.Workbook(str(path))
    sheet, moment = (
        made.add_worksheet("Orders"),
        made.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
    )
    sheet.write_row(1, 1, ["id", "day", "paid", "sum", "whole"])
    sheet.write(2, 1, "0012")
    sheet.write(2, 2, datetime.combine(date(2024, 5, 31), datetime.min.time()), moment)
    sheet.write(2, 3, True)
    sheet.write(2, 4, 1.5)
    sheet.write(2, 5, 7.0)
    made.add_worksheet("Empty")
    made.close()
    return path


def test_rows_keep_ids_dates_and_whole_numbers(book: Path) -> None:
    assert list(sheet_rows(book, "Orders")) == [
        ["id", "day", "paid", "sum", "whole"],
        ["0012", "2024-05-31", "true", "1.5", "7"],
    ]
    assert list(sheet_rows(book, "Empty")) == []
    assert sheet_names(book) == ["Orders", "Empty"]


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(book: Path) -> None:
    with pytest.raises(DataRefused, match=r"no sheet 'Order'; its sheets: Orders, Empty"):
        list(sheet_rows(book, "Order"))


def test_a_file_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(DataRefused, match=r"a.xlsx cannot be read as an Excel workbook"):
        sheet_names(tmp_path / "a.xlsx")


def test_the_sheet_stands_behind_the_file() -> None:
    assert split_sheet("x/book.xlsx#May #1") == ("x/book.xlsx", "May #1")
    assert split_sheet("orders#1.csv") == ("orders#1.csv", None)
