"""Copies in UTF-8 of files in other encodings."""

import gzip
from pathlib import Path

import pytest

from features.config.table_mapping import CsvFormat
from features.errors import DataRefused
from features.ingest.utf8_copies import as_utf8_csv

TEXT = "编号,城市\n1,上海\n2,北京\n"


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "gbk"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_copy_has_the_same_text(tmp_path: Path, encoding: str, packed: bool) -> None:
    path = tmp_path / ("a.csv.gz" if packed else "a.csv")
    raw = TEXT.encode(encoding)
    path.write_bytes(gzip.compress(raw) if packed else raw)
    copies, form = as_utf8_csv([path], CsvFormat(encoding=encoding), None, tmp_path / "spill", "t")
    assert copies[0].read_text("utf-8") == TEXT
    assert (form.encoding, copies[0].name) == ("utf-8", "a.csv")


def test_utf8_needs_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    assert as_utf8_csv([path], CsvFormat(), None, tmp_path, "t")[0] == [path]


def test_bytes_of_another_encoding_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a\nb\n" + "ü\n".encode("cp1252"))
    with pytest.raises(
        DataRefused, match=r"t: a.csv, line 3: the byte 0xfc is not gb18030; .* UTF-8"
    ):
        as_utf8_csv([path], CsvFormat(encoding="gb18030"), None, tmp_path / "spill", "t")
