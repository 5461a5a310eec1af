"""The proposal of the tickets: when they were opened, answered and closed, their kind and severity."""

from features.ingest.sql import quote_literal
from features.proposal.categories import find_channel
from features.proposal.column_profile import Column
from features.proposal.evidence import Evidence
from features.proposal.load_sources import Source
from features.proposal.table_proposal import TableProposal, select_sql
from features.proposal.table_roles import time_columns
from features.proposal.vocabulary import best_concept, severity_level

_ORDER = (
    "customer_id", "opened_at", "first_reply_at", "closed_at", "kind", "category", "severity", "channel",
    "reopened", "comment",
)  # fmt: skip


def propose_tickets(evidence: Evidence) -> TableProposal | None:
    """Propose the tickets of a company; None if it has none."""
    table = TableProposal("tickets")
    for source in evidence.having("tickets"):
        _add_source(evidence, table, source)
    if not table.pieces:
        return None
    named = [n for n in _ORDER if any(f" as {n}" in p or f"       {n}," in p for p in table.pieces)]
    table.columns = {name: name for name in named}
    return table


def _add_source(evidence: Evidence, table: TableProposal, source: Source) -> None:
    path, book, place = evidence.paths[source.name], evidence.book, f"tickets.{source.name}"
    times = [c for c in time_columns(source) if "due" not in c.means and "changed" not in c.means]
    reply, closed = _time(times, "first_reply", ()), _time(times, "closed", ())
    opened = _time(times, "opened", (reply, closed)) or next(
        (c for c in sorted(times, key=lambda c: -c.filled) if c not in (reply, closed)), None
    )
    if opened is None:
        book.leave_out("tickets", f"{source.title}: no time of opening")
        return
    table.use(source.name, *(j.target for j in path.joins))
    columns = {"customer_id": path.customer_sql(), "opened_at": evidence.time_sql(opened, "t")}
    book.add(f"{place}.opened_at", "sure" if "opened" in opened.means else "likely", opened.name)
    for name, column in (("first_reply_at", reply), ("closed_at", closed)):
        if column is not None and column is not opened:
            columns[name] = evidence.time_sql(column, "t")
            book.add(f"{place}.{name}", "sure", column.name)
    columns |= _described(evidence, source, place)
    table.pieces.append(select_sql(columns, f"from {path.from_sql(source)}"))


def _described(evidence: Evidence, source: Source, place: str) -> dict[str, str]:
    """Kind, category, severity, channel, reopened and comment of a ticket."""
    found: dict[str, str] = {}
    kind = _kind(evidence, source, place)
    if kind:
        found["kind"] = kind
    category = _column(source, ("category", "reason", "product", "question"))
    if category is not None:
        found["category"] = f"t.{category.quoted}" + ("" if category.is_text else "::varchar")
        evidence.book.add(f"{place}.category", "likely", category.name)
    severity = _column(source, ("severity",))
    if severity is not None and (sql := _severity(severity)):
        found["severity"] = sql
        evidence.book.add(f"{place}.severity", "likely", severity.name)
    channel = find_channel(source)
    if channel is not None:
        found["channel"] = f"t.{channel.quoted}" + ("" if channel.is_text else "::varchar")
    reopened = next(
        (c for c in source.columns.values() if "reopened" in c.means and not c.is_time), None
    )
    if reopened is not None and (reopened.is_flag or reopened.is_number):
        found["reopened"] = f"t.{reopened.quoted}"
    comments = [
        c for c in source.columns.values() if "comment" in c.means and c.is_text and c.distinct > 20
    ]
    if comments:
        found["comment"] = f"t.{max(comments, key=lambda c: c.length).quoted}"
    return found


def _time(times: list[Column], concept: str, taken: tuple[Column | None, ...]) -> Column | None:
    found = [c for c in times if concept in c.means and c not in taken]
    return max(found, key=lambda c: c.means.share(concept), default=None)


def _column(source: Source, concepts: tuple[str, ...]) -> Column | None:
    """The column of few values that is called like the first of the concepts that any column has."""
    for concept in concepts:
        found = [
            c
            for c in source.columns.values()
            if c.means.share(concept) >= 0.3 and not c.is_time and not c.is_free_text
            and 1 < c.distinct <= 200 and "person" not in c.means and "kind" not in c.means
        ]  # fmt: skip
        if found:
            return max(found, key=lambda c: (c.means.share(concept), -c.distinct))
    return None


def _kind(evidence: Evidence, source: Source, place: str) -> str | None:
    """SQL of the kind: by a column of known kinds, else by the name of the source, else a complaint."""
    for column in source.columns.values():
        if "kind" not in column.means or not column.values:
            continue
        kinds = {v: best_concept(v, "ticket_kinds") for v in column.values}
        known = {v: k for v, k in kinds.items() if k}
        if known and sum(column.values[v] for v in known) >= 0.5 * column.filled:
            whens = " ".join(
                f"when {quote_literal(v)} then {quote_literal(k)}"
                for v, k in known.items()
                if v != k
            )
            listed = ", ".join(f"{v} = {k}" for v, k in known.items())
            evidence.book.add(
                f"{place}.kind", "sure" if len(known) == len(kinds) else "likely", listed
            )
            name = f"t.{column.quoted}"
            return f"case {name} {whens} else {name} end" if whens else name
    named = best_concept(source.title, "ticket_kinds")
    why = f"{source.title} is called so" if named else "no column says the kind: all are complaints"
    evidence.book.add(f"{place}.kind", "likely" if named else "unsure", why)
    return quote_literal(named or "complaint")


def _severity(column: Column) -> str | None:
    """SQL of a severity as a number, from numbers or from words such as high and low."""
    if column.is_number:
        return column.sql("t")
    levels = {v: severity_level(v) for v in column.values}
    if not all(levels.values()):
        return None
    whens = " ".join(f"when {quote_literal(v)} then {n}" for v, n in levels.items())
    return f"case t.{column.quoted} {whens} end"
