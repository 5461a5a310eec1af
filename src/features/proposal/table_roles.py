"""Which source is what: customers, events, surveys, tickets, lines of a document, or a list of codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from features.proposal.column_profile import Column
from features.proposal.customer_paths import CustomerPath
from features.proposal.joins import Join
from features.proposal.load_sources import Source
from features.proposal.scales import find_score_columns
from features.proposal.vocabulary import best_concept, read_name

Role = Literal["customers", "events", "surveys", "tickets", "lines", "payments", "lookup", "unused"]
#: Rows per document from which a source holds its lines.
LINES_FROM = 1.02


@dataclass(frozen=True)
class SourceRole:
    """The role of a source, how sure it is, and why."""

    role: Role
    sure: bool
    why: str


def decide_roles(
    sources: Sequence[Source], joins: Sequence[Join], paths: Mapping[str, CustomerPath]
) -> dict[str, SourceRole]:
    """Decide the role of every source."""
    by_name = {s.name: s for s in sources}
    return {s.name: _role(s, joins, paths, by_name) for s in sources}


def _role(
    source: Source,
    joins: Sequence[Join],
    paths: Mapping[str, CustomerPath],
    by_name: Mapping[str, Source],
) -> SourceRole:
    path = paths.get(source.name)
    if path is None:
        used = [j.source for j in joins if j.target == source.name]
        if used:
            return SourceRole("lookup", True, f"{used[0]} refers to it")
        return SourceRole("unused", False, "no column leads to a customer")
    means, times = source.means, time_columns(source)
    if find_score_columns(source) and (
        "surveys" in means or (_survey_times(source) and "tickets" not in means)
    ):
        return SourceRole("surveys", "surveys" in means, "answers on a scale, of customers")
    if _is_ticket_table(source):
        return SourceRole("tickets", "tickets" in means, "opened and closed, of customers")
    if times and not path.joins and "customers" not in means and _is_contract_table(source):
        return SourceRole("events", True, "called like contracts or orders")
    one_each = path.column.is_unique or _is_versioned(source, path)
    if not path.joins and one_each and ("customers" in means or not _has_amount(source)):
        why = "one row a customer" if path.column.is_unique else "versions of a customer"
        return SourceRole("customers", "customers" in means, why)
    if "customers" in means and not path.joins and not _has_amount(source):
        return SourceRole("customers", False, "called like a table of customers")
    return _event_role(source, path, joins, by_name, times)


def _event_role(
    source: Source,
    path: CustomerPath,
    joins: Sequence[Join],
    by_name: Mapping[str, Source],
    times: list[Column],
) -> SourceRole:
    """The role of a source of events: with its own times, those of another source, or as its lines."""
    header = [j for j in joins if j.source == source.name and time_columns(by_name[j.target])]
    own_times = [c for c in times if not {"due"} & set(c.means.shares)]
    if path.joins and header and not own_times:
        title = read_name(source.title, "kinds")
        if "payment" in title and _has_amount(source):
            return SourceRole("payments", True, f"payments of {header[0].target}")
        return SourceRole("lines", True, f"lines of {header[0].target}")
    if times:
        return SourceRole("events", True, "times of customers")
    if header:
        return SourceRole("events", True, f"its time is in {header[0].target}")
    return SourceRole("unused", False, "has customers, but no time")


def time_columns(source: Source) -> list[Column]:
    """The columns of a source that hold times, and have any."""
    return [c for c in source.columns.values() if c.is_time and c.filled]


def document_column(source: Source) -> Column | None:
    """The column that identifies the document (order, invoice, basket) of a row."""
    found = [
        c
        for c in source.columns.values()
        if "document" in c.means
        and not c.is_time
        and not c.is_free_text
        and (c.is_text or c.is_whole)
        and not {"status", "kind", "amount", "category", "channel", "line", "product"}
        & set(c.means.shares)
        and c.distinct > 20
    ]
    return max(found, key=lambda c: (c.means.share("document"), c.distinct), default=None)


def has_lines(source: Source) -> Column | None:
    """The document of a source that holds several rows for it; None if it holds one for each."""
    column = document_column(source)
    if column is None or not column.filled or column.distinct * LINES_FROM > column.filled:
        return None
    described = {"product", "quantity", "unit_price", "line"}
    return column if any(described & set(c.means.shares) for c in source.columns.values()) else None


def _is_versioned(source: Source, path: CustomerPath) -> bool:
    """Whether a customer has several rows, each with the time of a change."""
    if best_concept(source.title, "kinds") in {"contract", "cancel", "renewal", "order"}:
        return False
    changed = [c for c in time_columns(source) if "changed" in c.means]
    attributes = [c for c in source.columns.values() if c.is_text and c is not path.column]
    return bool(changed) and len(attributes) >= 3


def _is_contract_table(source: Source) -> bool:
    """Whether a source is called like contracts or orders, of which a customer may have one each."""
    kinds = {"contract", "order", "cancel", "renewal", "payment", "return", "shipment"}
    return bool(kinds & set(read_name(source.title, "kinds").shares))


def _is_ticket_table(source: Source) -> bool:
    """Whether a source is called like tickets, or has their times and severity."""
    signs = [
        concept
        for concept in ("opened", "first_reply", "closed", "severity", "reopened")
        if any(concept in c.means for c in source.columns.values())
    ]
    titled = "tickets" in source.means and "surveys" not in source.means
    if not time_columns(source) or _has_amount(source):
        return False
    return (titled and document_column_only(source)) or {"first_reply", "closed"} <= set(signs)


def document_column_only(source: Source) -> bool:
    """Whether a source called ticket has no products: a ticket may also be a receipt."""
    return not any({"product", "unit_price"} & set(c.means.shares) for c in source.columns.values())


def _has_amount(source: Source) -> bool:
    return any(
        c.is_number
        and c.means.share("amount", "unit_price", "refund") >= 0.3
        and "leak" not in c.means
        and "score" not in c.means
        for c in source.columns.values()
    )


def _survey_times(source: Source) -> bool:
    """Whether a source has a time, and nothing that is bought."""
    bought = any(
        c.is_number and c.means.share("unit_price", "quantity") >= 0.5
        for c in source.columns.values()
    )
    return bool(time_columns(source)) and not bought and not _has_amount(source)
