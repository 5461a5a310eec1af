"""The sources of a folder: its files, where those whose names differ in numbers only are one source."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from features.config.table_mapping import CsvFormat
from features.errors import DataRefused
from features.ingest.excel import sheet_names, sheet_rows
from features.ingest.files import CSV, JSON_LINES, PACKED, file_kind
from features.proposal.dialects import detect_format
from features.proposal.vocabulary import tokens

#: What is not a letter in a name that many files share: numbers of years, months, parts.
_NUMBERED = re.compile(r"\d+|(?<![a-z])(part|first|second|q)(?![a-z])")
DEFAULT_FORMAT = CsvFormat()
_RESERVED = {"source", "order", "group", "select", "table", "case", "end", "user", "values", "all"}


@dataclass(frozen=True)
class SourceFiles:
    """A source of files: the name that SQL sees, its patterns relative to the folder, and its format.

    `title` is the name of the file or sheet as it is; `others` are encodings in which the file could be
    read too; `single_patterns` name each file where `patterns` is one for all.
    """

    name: str
    paths: tuple[Path, ...]
    patterns: tuple[str, ...]
    sheet: str | None = None
    form: CsvFormat = DEFAULT_FORMAT
    others: tuple[str, ...] = ()
    title: str = ""
    single_patterns: tuple[str, ...] = ()


def find_sources(folder: Path) -> tuple[list[SourceFiles], list[str]]:
    """Find the sources of a folder at any depth, and the files that are none, each with the reason.

    Raises DataRefused when there is none.
    """
    if not folder.is_dir():
        raise DataRefused(f"{folder} is not a folder; name the folder of your files")
    found, unused = [], []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        relative = path.relative_to(folder)
        if any(part.startswith((".", "~")) for part in relative.parts):
            continue
        kind = file_kind(path)
        if kind is None or path.stat().st_size == 0:
            why = "an empty file" if kind else "not CSV, Excel, Parquet or JSON lines"
            unused.append(f"{relative}: {why}")
            continue
        found += list(_pieces(path, folder, kind))
    if not found:
        raise DataRefused(
            f"{folder} has no data file; readable are {', '.join((*CSV, *JSON_LINES))}, .parquet and "
            f".xlsx, also packed as {' or '.join(PACKED)}" + _listed(unused)
        )
    return _named([_with_pattern(source, folder) for source in _grouped(found)]), unused


def _listed(unused: list[str]) -> str:
    return f"; found: {'; '.join(unused[:5])}" if unused else ""


def _pieces(path: Path, folder: Path, kind: str) -> Iterator[SourceFiles]:
    """One source for a file, several for a workbook with several sheets."""
    relative = str(path.relative_to(folder))
    stem = path.name.split(".")[0]
    if kind == "excel":
        names = sheet_names(path)
        for sheet in names:
            rows = sheet_rows(path, sheet)
            if len(next(rows, [])) > 1 and next(rows, None):
                title = sheet if len(names) > 1 else stem
                yield SourceFiles(title, (path,), (f"{relative}#{sheet}",), sheet)
    elif kind == "csv":
        form, others = detect_format(path)
        yield SourceFiles(stem, (path,), (relative,), None, form, tuple(others))
    else:
        yield SourceFiles(stem, (path,), (relative,))


def _grouped(found: list[SourceFiles]) -> list[SourceFiles]:
    """Join files whose names differ in numbers only and whose kind and format are the same."""
    groups: dict[tuple[object, ...], list[SourceFiles]] = {}
    for piece in found:
        path = piece.paths[0]
        stem = _NUMBERED.sub("", "_".join(tokens(piece.name))).strip("_")
        key = (path.parent, file_kind(path), stem, piece.form, piece.sheet)
        groups.setdefault(key, []).append(piece)
    return [_joined(pieces) for pieces in groups.values()]


def _joined(pieces: list[SourceFiles]) -> SourceFiles:
    if len(pieces) == 1:
        return pieces[0]
    name = _NUMBERED.sub("", "_".join(tokens(pieces[0].name))).strip("_") or pieces[0].name
    paths = tuple(path for piece in pieces for path in piece.paths)
    patterns = tuple(pattern for piece in pieces for pattern in piece.patterns)
    return replace(pieces[0], name=name, paths=paths, patterns=patterns)


def _with_pattern(source: SourceFiles, folder: Path) -> SourceFiles:
    """The source with one pattern for its many files, if no other file fits it: later ones then do."""
    if len(source.paths) < 3 or source.sheet:
        return source
    prefix = re.split(r"\d", source.patterns[0], maxsplit=1)[0]
    path = source.paths[0]
    packed = path.suffix.lower() in PACKED
    ending = "".join(path.suffixes[-2:]) if packed else path.suffix
    pattern = f"{prefix}*{ending}"
    return (
        replace(source, patterns=(pattern,), single_patterns=source.patterns)
        if set(folder.glob(pattern)) == set(source.paths)
        else source
    )


def _named(sources: list[SourceFiles]) -> list[SourceFiles]:
    """Give each source a name that SQL takes without quotes, and no other source has."""
    taken: set[str] = set()
    named = []
    for number, source in enumerate(sources, start=1):
        plain = re.sub(r"\W+", "_", "_".join(tokens(source.name)))[:40].strip("_")
        name = plain if plain and not plain[0].isdigit() else f"table_{plain or number}"
        name = f"{name}_rows" if name in _RESERVED else name
        while name in taken:
            name += "_2"
        taken.add(name)
        named.append(replace(source, name=name, title=source.name))
    return named
