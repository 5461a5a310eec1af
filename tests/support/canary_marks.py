"""Search files, including Parquet, for the canary customer's personal data."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

#: Parts of the canary's name, phone and mail address that occur nowhere else, in lower case.
MARKS = ("canary", "quietwater", "-4711")


def find_marks(text: str | bytes) -> list[str]:
    """The marks that occur in a text."""
    content = text.lower() if isinstance(text, bytes) else text.lower().encode()
    return [mark for mark in MARKS if mark.encode() in content]


def marked_files(folders: Iterable[Path]) -> dict[str, list[str]]:
    """The files in the folders that contain marks, with the marks."""
    files = [f for folder in folders for f in (folder.rglob("*") if folder.is_dir() else [folder])]
    assert len(files) > 0
    found = {str(file): find_marks(_content(file)) for file in files if file.is_file()}
    return {name: marks for name, marks in found.items() if marks}


def _content(file: Path) -> bytes:
    if file.suffix != ".parquet":
        return file.read_bytes()
    table = pq.read_table(file)
    texts = [
        str(column.cast(pa.string()).unique().to_pylist())
        for column in table.columns
        if pa.types.is_string(column.type) or pa.types.is_dictionary(column.type)
    ]
    return " ".join((*table.column_names, *texts, str(table.schema.metadata))).encode()
