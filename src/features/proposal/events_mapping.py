"""The proposal of the events: one piece of the query for every source and kind."""

from features.ingest.sql import quote_identifier, quote_literal
from features.proposal.amounts import Amount, find_amount, find_charges, find_quantity
from features.proposal.categories import Category, find_category, find_channel
from features.proposal.column_profile import Column
from features.proposal.customer_paths import on_sql
from features.proposal.document_lines import add_category, join_lines, sum_lines
from features.proposal.event_source import EventSource, examine_event_source, note_event_guess
from features.proposal.event_times import find_event_times
from features.proposal.evidence import Evidence
from features.proposal.guess import Confidence
from features.proposal.joins import Join
from features.proposal.kinds import is_contract_kind, kind_of_name
from features.proposal.load_sources import Source
from features.proposal.table_proposal import TableProposal, select_sql


def propose_events(evidence: Evidence) -> TableProposal | None:
    """Propose the events of a company; None if it has none."""
    table = TableProposal("events")
    for source in evidence.having("events"):
        found = examine_event_source(evidence, source)
        if found.times.main is None:
            evidence.book.leave_out("events", f"{source.title}: no time of its events")
            continue
        _add_main_piece(evidence, table, found)
        for kind, column in found.times.further.items():
            _add_further_piece(evidence, table, found, kind, column)
        for join in evidence.joins_to(source):
            if evidence.roles[join.source].role == "payments":
                _add_payments(evidence, table, found, join)
    if not table.pieces:
        return None
    used = [
        name
        for name in _ORDER
        if any(f" as {name}" in p or f"       {name}," in p for p in table.pieces)
    ]
    table.columns = {name: name for name in used}
    if "known_at" in table.columns:
        table.columns["known_at"] = "coalesce(known_at, occurred_at)"
    return table


#: The share of negative amounts from which it is unclear what a sign means.
MANY_NEGATIVE = 0.2
_ORDER = (
    "customer_id",
    "occurred_at",
    "known_at",
    "kind",
    "amount",
    "quantity",
    "channel",
    "category",
    "due_at",
)


def _add_main_piece(evidence: Evidence, table: TableProposal, found: EventSource) -> None:
    """Add the piece of a source's own kind: a row or a document each."""
    source, times = found.source, found.times
    table.use(source.name, *(j.target for j in found.path.joins))
    columns, rest = _row_columns(evidence, table, found)
    missing = evidence.count(
        f"select count(*) from {found.path.from_sql(source)} where {columns['customer_id']} is null"
    )
    if missing:
        table.drop["no customer"] = "customer_id is null"
        why = f"{missing:,} of {source.rows:,} rows of {source.title} have no customer and are left out"
        note_event_guess(evidence, found, "customer_id", "sure", why)
    if times.main is not None:
        rivals = f"; could also be {', '.join(times.rivals[:3])}" if times.rivals else ""
        form = f", written as {times.main.time.name}" if times.main.time else ""
        note_event_guess(
            evidence,
            found,
            "occurred_at",
            "unsure" if rivals else "sure",
            times.main.name + form + rivals,
        )
    if found.document is not None:
        columns, rest = sum_lines(evidence, found, columns, rest)
    table.pieces.append(select_sql(columns, rest))


def _row_columns(
    evidence: Evidence, table: TableProposal, found: EventSource
) -> tuple[dict[str, str], str]:
    """The expressions of each column for a row of the source, and the rest of the select."""
    source, times, alias = found.source, found.times, "t"
    rest = f"from {found.path.from_sql(source)}"
    if found.time_join:
        alias = "timed"
        rest += f" join {quote_identifier(found.time_join.target)} timed on " + on_sql(
            found.time_join, "t", "timed"
        )
        table.use(found.time_join.target)
    assert times.main is not None  # noqa: S101
    columns = {
        "customer_id": found.path.customer_sql(),
        "occurred_at": evidence.time_sql(times.main, alias),
        "kind": _kind_sql(found),
    }
    if times.booked is not None:
        columns["known_at"] = evidence.time_sql(times.booked, alias)
        note_event_guess(
            evidence, found, "known_at", "sure", f"{times.booked.name}: when it was recorded"
        )
    if found.lines:
        rest += join_lines(evidence, table, found, columns)
    else:
        rest += _own_columns(evidence, table, found, columns)
    _add_details(evidence, found, columns, alias)
    return columns, rest


def _add_details(
    evidence: Evidence, found: EventSource, columns: dict[str, str], alias: str
) -> None:
    """Add channel and due time, and leave out what was not known when the event happened."""
    source, times = found.source, found.times
    for column in source.columns.values():
        taken = found.kind_column and found.kind_column.column is column
        if "status" in column.means and column.is_text and not taken:
            why = f"{column.name} of {source.title}: how it ended, which was not known when it happened"
            evidence.book.leave_out("events", why)
    channel = find_channel(source, payment=found.kind == "payment")
    if channel is not None:
        columns["channel"] = f"t.{channel.quoted}" + ("" if channel.is_text else "::varchar")
        note_event_guess(evidence, found, "channel", "sure", channel.name)
    for_order = times.due.get("shipment") if found.kind == "order" else None
    due = times.due.get(found.kind) or times.due.get(None) or for_order
    if due is not None:
        columns["due_at"] = evidence.time_sql(due, alias)
        note_event_guess(
            evidence, found, "due_at", "likely" if len(times.due) > 1 else "sure", due.name
        )


def _kind_sql(found: EventSource) -> str:
    if found.kind_column is None:
        return quote_literal(found.kind)
    contract = found.kind in {"contract", "cancel", "renewal"}
    named = kind_of_name(found.source.title)
    return found.kind_column.sql("t", "contract" if contract else named)


def _own_columns(
    evidence: Evidence, table: TableProposal, found: EventSource, columns: dict[str, str]
) -> str:
    """Add amount, quantity and category of the source's own rows; returns the join that they need."""
    source, rest = found.source, ""
    amount = find_amount(evidence, source, refunds=found.kind == "return")
    if amount is not None:
        columns["amount"] = _signed(evidence, found, amount)
        note_event_guess(evidence, found, "amount", amount.confidence, amount.why)
        _note_signs(evidence, found, amount)
    quantity = find_quantity(source)
    if quantity is not None:
        columns["quantity"] = quantity.sql("t")
        note_event_guess(evidence, found, "quantity", "sure", quantity.name)
    category = find_category(evidence, source)
    if category is None and found.kind_column is None:
        category = _type_as_category(source)
    if category is None and found.time_join is not None:
        category = _type_as_category(evidence.sources[found.time_join.target], "timed")
    if category is None and found.kind_column is not None and found.kind == "contract":
        column = found.kind_column.column
        category = Category(lambda a: f"{a}.{column.quoted}", "likely", column.name)
    if category is not None:
        columns["category"], rest = add_category(table, category)
        note_event_guess(evidence, found, "category", category.confidence, category.why)
    return rest


def _note_signs(evidence: Evidence, found: EventSource, amount: Amount) -> None:
    """Note amounts of both signs, where nothing says which is money of the customer."""
    share = evidence.number(
        f"select avg(({amount.sql('t')} < 0)::int) from {found.source.quoted} t"
    )
    if found.kind != "return" and found.kind_column is None and (share or 0.0) > MANY_NEGATIVE:
        why = f"{share:.0%} are negative: those that the customer pays must be positive"
        note_event_guess(evidence, found, "amount", "unsure", why)


def _type_as_category(source: Source, alias: str = "t") -> Category | None:
    """A column called type whose values are no kinds of events is their category."""
    for column in source.columns.values():
        if column.means.share("kind") >= 0.4 and column.is_text and 1 < column.distinct <= 40:
            return Category(lambda a, c=column: f"{alias}.{c.quoted}", "likely", column.name)  # type: ignore[misc]
    return None


def _signed(evidence: Evidence, found: EventSource, amount: Amount) -> str:
    """The amount with the sign of the contract: what a customer gets back is negative."""
    sql = amount.sql("t")
    positive = not evidence.count(f"select count(*) from {found.source.quoted} t where {sql} < 0")
    if found.kind_column and "return" in found.kind_column.kinds.values():
        returned = found.kind_column.is_kind("t", "return")
        return f"case when {returned} then -abs({sql}) else {sql} end"
    return f"-({sql})" if found.kind == "return" and positive else sql


def _add_further_piece(
    evidence: Evidence, table: TableProposal, found: EventSource, kind: str, column: Column
) -> None:
    """Add the piece of another time of the same source, such as the delivery of an order."""
    paid_elsewhere = kind == "payment" and any(
        evidence.roles[j.source].role == "payments" for j in evidence.joins_to(found.source)
    )
    if paid_elsewhere:
        return
    columns = {
        "customer_id": found.path.customer_sql(),
        "occurred_at": evidence.time_sql(column, "t"),
        "kind": quote_literal(kind),
    }
    rest = f"from {found.path.from_sql(found.source)}"
    if kind in {"handover", "shipment"}:
        rest += _delivery_columns(evidence, table, found, kind, columns)
    table.pieces.append(select_sql(columns, f"{rest}\nwhere {column.sql('t')} is not null"))
    sure: Confidence = "sure" if is_contract_kind(kind) else "likely"
    why = f"the time {column.name}"
    if "until" in column.means:
        sure, why = "unsure", f"{why}, if it is only there for contracts that have ended"
    evidence.book.add(f"events.{found.source.name}.{kind}", sure, why)


def _delivery_columns(
    evidence: Evidence, table: TableProposal, found: EventSource, kind: str, columns: dict[str, str]
) -> str:
    """Add what is known of a delivery: its category, its charges, and until when it was due."""
    rest = ""
    due = found.times.due.get(kind) or (
        found.times.due.get("shipment") or found.times.due.get(None) if kind == "shipment" else None
    )
    if found.lines:
        ignored: dict[str, str] = {}
        rest = join_lines(evidence, table, found, ignored)
        if "category" in ignored:
            columns["category"] = ignored["category"]
        lines = evidence.sources[found.lines.source]
        if find_charges(lines) is not None:
            columns["amount"] = "lines.charges"
        # What the seller must do until then is handing over, if the delivery has a day of its own.
        line_due = find_event_times(lines, None).due
        if kind == "handover" and due is None and line_due:
            columns["due_at"] = f"lines.due_{next(iter(line_due)) or 'order'}"
    if due is not None:
        columns["due_at"] = evidence.time_sql(due, "t")
    return rest


def _add_payments(evidence: Evidence, table: TableProposal, found: EventSource, join: Join) -> None:
    """Add the payments of a document, at its time of payment or else at its own."""
    payments = evidence.sources[join.source]
    table.use(payments.name)
    amount = find_amount(evidence, payments)
    if amount is None or found.times.main is None:
        return
    time = found.times.further.get("payment", found.times.main)
    columns = {
        "customer_id": found.path.customer_sql(),
        "occurred_at": evidence.time_sql(time, "t"),
        "kind": "'payment'",
        "amount": amount.sql("paid"),
    }
    quantity, channel = find_quantity(payments), find_channel(payments, payment=True)
    if quantity is not None:
        columns["quantity"] = quantity.sql("paid")
    if channel is not None:
        columns["channel"] = f"paid.{channel.quoted}::varchar"
    rest = (
        f"from {found.path.from_sql(found.source)}\n     join {payments.quoted} paid on "
        f"{on_sql(join, 'paid', 't')}\nwhere {time.sql('t')} is not null"
    )
    table.pieces.append(select_sql(columns, rest))
    known = "payment" in found.times.further
    why = f"paid at {time.name}" if known else f"no time of payment: that of the {found.kind}"
    evidence.book.add(f"events.{payments.name}.occurred_at", "likely" if known else "unsure", why)
    evidence.book.add(f"events.{payments.name}.amount", amount.confidence, amount.why)
