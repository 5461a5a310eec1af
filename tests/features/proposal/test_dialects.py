"""Encodings and dialects of CSV files."""

import gzip
from pathlib import Path

import pytest

from features.proposal.dialects import detect_encoding, detect_format


@pytest.mark.parametrize(
    ("text", "written", "found"),
    [
        ("a,b\n1,Grüße\n", "utf-8", "utf-8"),
        ("a,b\n1,Grüße aus Köln, schöne Straße\n", "cp1252", "windows-1252"),
        ("编号,城市\n1,上海\n2,北京\n", "gbk", "gb18030"),
        ("a,b\n1,2\n", "utf-16", "utf-16"),
        ("a,b\n1,São João, ação\n", "cp1252", "windows-1252"),
        ("a,b\n1,2\n", "ascii", "utf-8"),
    ],
)
def test_encodings(tmp_path: Path, text: str, written: str, found: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(written))
    assert detect_encoding(path)[0] == found
    assert path.read_bytes().decode(found).lstrip("\ufeff") == text


def test_an_encoding_that_is_not_certain_names_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("a\nGrüße\n".encode("cp1252"))
    assert "windows-1250" in detect_encoding(path)[1]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_with_commas_in_numbers_and_texts(tmp_path: Path, delimiter: str) -> None:
    rows = [["id", "amount", "note"], ["1", '"1,50"', '"a; b"'], ["2", '"2,75"', '"c, d | e"']]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(delimiter.join(row) for row in rows))
    assert detect_format(path)[0].delimiter == delimiter


def test_lines_above_the_header_and_packed_files(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(
        gzip.compress(b"Report of May\n\nid;day;sum\n1;2024-05-01;3\n2;2024-05-02;4\n")
    )
    form, _ = detect_format(path)
    assert (form.delimiter, form.skip_lines) == (";", 2)


def test_single_quotes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,note\n1,'a, b'\n2,'c, d'\n")
    assert detect_format(path)[0].quote == "'"
