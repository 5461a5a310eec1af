"""Searches files for the canary's marks, also inside Parquet."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

#: Parts of the canary's name, phone and mail address that nothing else holds; in lower case.
MARKS = ("canary", "quietwater", "-4711")


def marked(text: str | bytes) -> list[str]:
    """The marks in a text."""
    content = text.lower() if isinstance(text, bytes) else text.lower().encode()
    return [mark for mark in MARKS if mark.encode() in content]


def marked_files(folders: Iterable[Path]) -> dict[str, list[str]]:
    """Every file below the folders that holds a mark, and which."""
    files = [f for folder in folders for f in (folder.rglob("*") if folder.is_dir() else [folder])]
    assert len(files) > 0
    found = {str(file): marked(_content(file)) for file in files if file.is_file()}
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
