"""Copies of text files in UTF-8, and the encodings that fit a file."""

import gzip
from pathlib import Path

import pytest

from features.ingest.encodings import FittingEncoding, fitting_encodings, write_utf8

TEXT = "编号,城市\n1,上海\n2,北京\n"


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-8-sig", "gbk"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_copy_has_the_same_text(tmp_path: Path, encoding: str, packed: bool) -> None:
    path, copy = tmp_path / ("a.csv.gz" if packed else "a.csv"), tmp_path / "copy.csv"
    raw = TEXT.encode(encoding)
    path.write_bytes(gzip.compress(raw) if packed else raw)
    write_utf8(path, copy, encoding)
    assert copy.read_text("utf-8") == TEXT


def test_bytes_of_another_encoding_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a\nb\n" + "ü\n".encode("cp1252"))
    with pytest.raises(UnicodeDecodeError):
        write_utf8(path, tmp_path / "copy.csv", "gb18030")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("5 €", "windows-1252"),
        ("Köln", "windows-1252"),
        ("华北", "gb18030"),
        ("Москва", "windows-1251"),
    ],
)
def test_the_encodings_that_fit_show_how_they_read_a_word(
    tmp_path: Path, text: str, encoding: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"id,name\n1,{text}\n".encode(encoding))
    assert FittingEncoding(encoding, text.split()[-1]) in fitting_encodings(path)


def test_symbols_and_control_characters_fit_no_language(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id\n\x81\x8d\n")
    assert "windows-1252" not in [found.name for found in fitting_encodings(path)]
