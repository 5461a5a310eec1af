"""The dialect of a CSV file: its encoding, its delimiter, its quote, and lines above the header."""

import csv
import re
from collections import Counter
from pathlib import Path

from features.config.table_mapping import CsvFormat
from features.ingest.encodings import open_unpacked

#: How much of a file is looked at for its encoding, and how many lines for its delimiter.
SAMPLE_BYTES, SAMPLE_LINES = 4_000_000, 300
DELIMITERS = (",", ";", "\t", "|")
_HAN = re.compile(r"[\u4e00-\u9fff]")
#: Letters beyond ASCII that texts in Windows-1252 use; others hint at another encoding.
_WESTERN = re.compile(r"[ÄÖÜäöüßéèêàâáãçñõóôíìúùÉÈÀÂÃÇÑÕÓÍÚ€£’‘“”–—°²³®©´`§ºªêîïëûåøæÅØÆ½¼]")


def detect_encoding(path: Path) -> tuple[str, list[str]]:
    """The encoding of a text file, and the others that would read it without an error too.

    An encoding is chosen by the bytes: a mark, valid UTF-8, else Chinese characters or western letters.
    """
    with open_unpacked(path) as file:
        raw = file.read(SAMPLE_BYTES)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", []
    whole = raw if len(raw) < SAMPLE_BYTES else raw[: raw.rfind(b"\n") + 1]
    if _decodes(whole, "utf-8"):
        return "utf-8", []
    chinese, western = _chinese_share(whole), _western_share(whole)
    known = ["gb18030"] * (chinese > 0) + ["windows-1252"] * (western > 0) or ["latin-1"]
    if chinese > western:
        return "gb18030", [e for e in ("big5", "windows-1252") if _decodes(whole, e)]
    return known[-1], [e for e in ("windows-1250", "latin-1") if _decodes(whole, e)]


def detect_format(path: Path) -> tuple[CsvFormat, list[str]]:
    """The format of a CSV file, and other encodings that are possible.

    The delimiter is the one that splits the most lines into the same number of columns; lines above
    the header have fewer.
    """
    encoding, others = detect_encoding(path)
    with open_unpacked(path) as file:
        raw = file.read(SAMPLE_BYTES)
    lines = (
        raw.decode(encoding, errors="replace").removeprefix("\ufeff").splitlines()[:SAMPLE_LINES]
    )
    quote = "'" if _single_quoted(lines) else '"'
    delimiter, columns = _best_delimiter(lines, quote)
    skipped = 0
    for row in csv.reader(lines, delimiter=delimiter, quotechar=quote):
        if len(row) == columns and sum(1 for cell in row if cell.strip()) > columns / 2:
            break
        skipped += 1
    if skipped >= len(lines) / 2:
        skipped = 0
    escape = "\\" if re.search(r'[^\\]\\"', "\n".join(lines)) else quote
    form = CsvFormat(
        delimiter=delimiter, quote=quote, escape=escape, encoding=encoding, skip_lines=skipped
    )
    return form, others


def _best_delimiter(lines: list[str], quote: str) -> tuple[str, int]:
    """The delimiter and number of columns that most lines agree on; a comma and 1 if there is none."""
    best = (0.0, 0, ",", 1)
    for delimiter in DELIMITERS:
        widths = Counter(
            len(row) for row in csv.reader(lines, delimiter=delimiter, quotechar=quote)
        )
        columns, agreeing = max(widths.items(), key=lambda item: (item[0] > 1, item[1], item[0]))
        if columns > 1:
            best = max(best, (round(agreeing / len(lines), 2), columns, delimiter, columns))
    return best[2], best[3]


def _single_quoted(lines: list[str]) -> bool:
    """Whether texts stand in single quotes: cells begin and end with one, and none with a double one."""
    text = "\n".join(lines)
    return not re.search(r'(^|[,;|\t])"', text) and bool(
        re.search(r"(^|[,;|\t])'[^'\n]*'([,;|\t]|$)", text, re.MULTILINE)
    )


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _chinese_share(raw: bytes) -> float:
    """The share of Chinese characters among those beyond ASCII, read as GB 18030; common ones count."""
    if not _decodes(raw, "gb18030"):
        return 0.0
    beyond = [c for c in raw.decode("gb18030") if ord(c) > 127]
    common = sum(1 for c in beyond if _HAN.match(c) and 0xB0 <= c.encode("gb18030")[0] <= 0xD7)
    return common / max(len(beyond), 1)


def _western_share(raw: bytes) -> float:
    """The share of western letters among the characters beyond ASCII, read as Windows-1252."""
    if not _decodes(raw, "windows-1252"):
        return 0.0
    beyond = [c for c in raw.decode("windows-1252") if ord(c) > 127]
    return sum(1 for c in beyond if _WESTERN.match(c)) / max(len(beyond), 1)
