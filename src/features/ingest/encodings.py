"""Text files in any encoding: copies in UTF-8, and which encodings fit a file that is not UTF-8."""

import codecs
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa

#: Encodings that are suggested for a file that is not UTF-8, in the order of their frequency.
CANDIDATES = ("windows-1252", "gb18030", "utf-16", "shift_jis", "windows-1251")
_BLOCK = 1 << 20
_SHOWN = 24


@dataclass(frozen=True)
class FittingEncoding:
    """An encoding in which a file can be read, and how it reads the first text beyond ASCII."""

    name: str
    example: str


def write_utf8(source: Path, target: Path, encoding: str) -> None:
    """Copy a text file, also a packed one, in UTF-8.

    Raises UnicodeDecodeError for bytes that are no text of the encoding.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    with target.open("w", encoding="utf-8", newline="") as copy:
        for block in _blocks(source):
            copy.write(decoder.decode(block).removeprefix("\ufeff"))
        copy.write(decoder.decode(b"", final=True))


def fitting_encodings(source: Path) -> list[FittingEncoding]:
    """The candidates in which a file can be read, with an example for a person to choose by.

    Those that read its letters as control characters or symbols of no language are left out.
    """
    found = []
    for name in CANDIDATES:
        try:
            example = _first_beyond_ascii(source, name)
        except UnicodeError:
            continue
        if example and _is_plausible(example):
            found.append(FittingEncoding(name, example))
    return found


def _first_beyond_ascii(source: Path, encoding: str) -> str:
    """The first word with a letter beyond ASCII; decodes the whole file, so that it is known to fit."""
    decoder, example = codecs.getincrementaldecoder(encoding)(), ""
    for block in [*_blocks(source), b""]:
        text = decoder.decode(block, final=not block)
        if not example and not text.isascii():
            words = text.replace(",", " ").replace(";", " ").replace('"', " ").split()
            example = next((word for word in words if not word.isascii()), "")[:_SHOWN]
    return example


def _is_plausible(text: str) -> bool:
    beyond = [c for c in text if not c.isascii()]
    letters = [c for c in beyond if c.isalpha() or unicodedata.category(c) == "Sc"]
    return text.isprintable() and 2 * len(letters) > len(beyond)


def open_unpacked(path: Path) -> IO[bytes]:
    """Open a file for reading, unpacked if it ends in .gz or .zst."""
    return pa.input_stream(str(path), compression="detect")  # type: ignore[no-any-return]


def _blocks(source: Path) -> Iterator[bytes]:
    with open_unpacked(source) as stream:
        while block := stream.read(_BLOCK):
            yield block
