"""Check of the kinds of rows: words that are not the contract's, which no feature and no label reads."""

from collections.abc import Iterator

from features.contract import KINDS, near_kind
from features.customer_definition import CANCELLED, ORDERED, SIGNED
from features.data_quality.checked_table import CheckedTable
from features.data_quality.finding import TableFinding
from features.ingest.sql import quote_literal

#: Kinds that are listed in a finding.
_SHOWN = 8


def check_kinds(table: CheckedTable) -> Iterator[TableFinding]:
    """Kinds written unlike the contract's, and tables in which no row has the kind that labels need."""
    if table.name not in KINDS or not table.has("kind"):
        return
    counts = dict(
        table.query(
            f"select kind, count(*) from {table.view} where kind is not null group by 1 "
            "order by 2 desc, 1"
        )
    )
    known = set(KINDS[table.name])
    near = {kind: near_kind(kind, table.name) for kind in counts if kind not in known}
    meant = {kind: word for kind, word in near.items() if word}
    if meant:
        yield _written_otherwise(table, counts, meant)
    if not known & counts.keys():
        yield _without(table, counts, meant, tuple(KINDS[table.name]), "features and labels read")
        return
    needed = _needed(table)
    if table.name == "events" and needed and not set(needed) <= counts.keys() | set(meant.values()):
        missing = tuple(kind for kind in needed if kind not in counts)
        yield _without(table, counts, meant, missing, "churn and value are made of")


def _needed(table: CheckedTable) -> tuple[str, ...]:
    """The kinds without which churn, as the company defines it, has no customers."""
    definition = table.company.target("churn").definition
    return {"silence": (ORDERED,), "cancel": (SIGNED, CANCELLED)}.get(definition or "", ())


def _written_otherwise(
    table: CheckedTable, counts: dict[str, int], meant: dict[str, str]
) -> TableFinding:
    rows = sum(counts[kind] for kind in meant)
    pairs = ", ".join(
        f"{kind!r} ({counts[kind]:,} rows), probably {w}" for kind, w in meant.items()
    )
    return TableFinding(
        table.name, "kind", "kinds", "warning", rows, table.rows,
        f"kinds that are written unlike the contract's, so that no feature reads their rows: {pairs}",
        _remedy(table, meant), {"meant": meant},
    )  # fmt: skip


def _without(
    table: CheckedTable,
    counts: dict[str, int],
    meant: dict[str, str],
    missing: tuple[str, ...],
    role: str,
) -> TableFinding:
    found = ", ".join(f"{kind!r} ({rows:,})" for kind, rows in list(counts.items())[:_SHOWN])
    others = {k: "..." for k in list(counts)[:_SHOWN] if k not in KINDS[table.name]}
    return TableFinding(
        table.name, "kind", "kinds", "warning", table.rows, table.rows,
        f"no row is of kind {' or '.join(missing)}, which {role}; kinds found: {found or 'none'}",
        f"{_remedy(table, others | meant)}; the contract's words are {', '.join(KINDS[table.name])}",
        {"missing": list(missing), "found": list(counts)},
    )  # fmt: skip


def _remedy(table: CheckedTable, words: dict[str, str]) -> str:
    """The expression that maps the company's words, with dots for words that only a person knows."""
    mapping = table.company.tables[table.name]  # type: ignore[index]
    given = mapping.columns["kind"]
    cases = " ".join(
        f"when {quote_literal(kind)} then {quote_literal(word)}" for kind, word in words.items()
    )
    return f'map them under tables.{table.name}.columns: kind = "case {given} {cases} else {given} end"'
