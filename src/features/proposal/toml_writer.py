"""The company file of a proposal, as TOML with a comment at each guess."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from features.proposal.file_overlap import part_name
from features.proposal.guess import GuessBook
from features.proposal.load_sources import Source
from features.proposal.table_proposal import TableProposal

_BARE = re.compile(r"[A-Za-z0-9_-]+")
WIDTH = 110


def write_company_file(
    settings: Mapping[str, object],
    tables: Iterable[TableProposal],
    targets: Mapping[str, Mapping[str, object]],
    sources: Mapping[str, Source],
    book: GuessBook,
    url_from: str | None,
) -> str:
    """Write the company file; `settings` are those of `[company]`, `url_from` names a variable."""
    lines = [
        f"# {settings['title']}: proposed by `goodwill init`. Look at the comments, first at "
        "those marked unsure.",
        "# sure: the data say so. likely: nothing speaks against it. unsure: it may well be otherwise.",
    ]
    lines += [f"# asked: {q.text} -> {answer}" for q, answer in book.decided]
    lines += ["", "[company]"]
    for key, value in settings.items():
        lines += [*_comment(book, f"company.{key}"), f"{_key(key)} = {_value(value)}"]
    if url_from:
        lines += [
            "",
            "[postgres]",
            f"url_from = {_value(url_from)}  # the variable holds user and password",
        ]
    for table in tables:
        lines += ["", *_table(table, sources, book)]
    for target, values in targets.items():
        lines += ["", f"[targets.{target}]"]
        places = (f"targets.{target}.definition", f"targets.{target}.horizon_days")
        for place in places:
            lines += _comment(book, place)
        lines += [f"{_key(key)} = {_value(value)}" for key, value in values.items()]
    if book.left_out.get("sources"):
        lines += ["", "# Not used:", *(f"#   {text}" for text in book.left_out["sources"])]
    return "\n".join(lines) + "\n"


def _table(table: TableProposal, sources: Mapping[str, Source], book: GuessBook) -> list[str]:
    """One contract table: comments, sources, query, columns, rules."""
    used = {name: sources[name] for name in table.sources}
    lines = [f"[tables.{table.name}]"]
    lines += [f"# left out: {text}" for text in book.left_out.get(table.name, [])]
    for key, part in _origin_lines(used).items():
        lines.append(f"{key} = {part}")
    notes = [g for place, g in book.guesses.items() if place.startswith(f"{table.name}.")]
    names = {f"{table.name}.{column}" for column in table.columns}
    lines += [f"# {g.place.split('.', 1)[1]}: {g.comment}" for g in notes if g.place not in names]
    query = with_parts(table.query, used.values()).replace("\\", "\\\\").replace('"""', '\\"""')
    lines += ['query = """', query, '"""']
    if table.constant:
        lines += [
            "# never change, so they may be used without valid_from",
            f"constant = {_value(table.constant)}",
        ]
    lines += ["", f"[tables.{table.name}.columns]"]
    for column, sql in table.columns.items():
        found = book.guesses.get(f"{table.name}.{column}")
        lines.append(f"{_key(column)} = {_value(sql)}" + (f"  # {found.comment}" if found else ""))
    if table.drop:
        lines += ["", f"[tables.{table.name}.drop]"]
        lines += [f"{_key(rule)} = {_value(sql)}" for rule, sql in table.drop.items()]
    for name, source in used.items():
        form = _format(source)
        if form:
            lines += ["", f"[tables.{table.name}.formats.{_key(name)}]"]
            lines += [f"{key} = {_value(value)}" for key, value in form.items()]
            if source.files and source.files.others:
                lines.append(f"# the encoding could also be {', '.join(source.files.others)}")
    return lines


def _origin_lines(used: Mapping[str, Source]) -> dict[str, str]:
    """The keys `sources` and `postgres` of a table."""
    files: dict[str, list[str]] = {}
    for name, source in used.items():
        if source.files and source.restriction:
            for number, pattern in enumerate(
                source.files.single_patterns or source.files.patterns, start=1
            ):
                files[part_name(source, number)] = [pattern]
        elif source.files:
            files[name] = list(source.files.patterns)
    tables = {n: s.table for n, s in used.items() if s.table}
    found = {}
    if files:
        found["sources"] = _value({n: p[0] if len(p) == 1 else p for n, p in files.items()})
    if tables:
        found["postgres"] = _value(tables)
    return found


def with_parts(query: str, used: Iterable[Source]) -> str:
    """A query with the sources that are put together from parts as common table expressions."""
    parts = [f"{s.quoted} as (\n    {s.restriction}\n)" for s in used if s.restriction]
    if not parts:
        return query
    rest = f", {query.removeprefix('with ')}" if query.startswith("with ") else f"\n{query}"
    return f"with {', '.join(parts)}{rest}"


def _format(source: Source) -> dict[str, object]:
    """The settings of a source's CSV format that are not the defaults."""
    if not source.files or Path(source.files.patterns[0].split("#")[0]).suffix.lower() == ".xlsx":
        return {}
    changed = source.form.model_dump(exclude_defaults=True)
    return {k: v for k, v in changed.items() if not (k == "delimiter" and v == ",")}


def _comment(book: GuessBook, place: str) -> list[str]:
    found = book.guesses.get(place)
    return [f"# {place.rsplit('.', 1)[1]}, {found.comment}"] if found else []


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _value(text)


def _value(value: object) -> str:
    """A TOML value; texts are written as JSON, whose strings are TOML's basic strings."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(str(k))} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
