"""The proposal of the events: one piece of the query for every source and kind."""

from dataclasses import dataclass

from features.ingest.sql import quote_identifier, quote_literal
from features.proposal.amounts import Amount, find_amount, find_charges, find_quantity
from features.proposal.categories import Category, find_category, find_channel, join_sql
from features.proposal.column_profile import Column
from features.proposal.customer_paths import CustomerPath, on_sql
from features.proposal.event_times import EventTimes, find_event_times
from features.proposal.evidence import Evidence
from features.proposal.guess import Confidence
from features.proposal.joins import Join
from features.proposal.kinds import KindColumn, find_kind_column, is_contract_kind, kind_of_name
from features.proposal.load_sources import Source
from features.proposal.table_proposal import TableProposal, select_sql
from features.proposal.table_roles import has_lines, time_columns


@dataclass(frozen=True)
class EventSource:
    """What was found in a source of events.

    `lines` is the join by which another source holds its lines; `document` is set where the source
    holds several rows a document itself. `time_join` leads to the source of its times.
    """

    source: Source
    path: CustomerPath
    kind: str
    times: EventTimes
    kind_column: KindColumn | None
    document: Column | None
    lines: Join | None
    time_join: Join | None = None


def propose_events(evidence: Evidence) -> TableProposal | None:
    """Propose the events of a company; None if it has none."""
    table = TableProposal("events")
    for source in evidence.having("events"):
        found = _examine(evidence, source)
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


def _examine(evidence: Evidence, source: Source) -> EventSource:
    """Find kind, times and lines of a source of events."""
    kind = kind_of_name(source.title)
    times = find_event_times(source, kind)
    time_join = None
    if not time_columns(source):
        time_join = next(
            j for j in evidence.joins_from(source) if time_columns(evidence.sources[j.target])
        )
        times = find_event_times(evidence.sources[time_join.target], kind)
    confidence: Confidence = "sure"
    why = f"{source.title} is called so"
    if kind is None:
        kind = kind_of_name(times.main.name) if times.main else None
        why = f"{source.title} has the time {times.main.name}" if times.main else ""
        if kind is None:
            bought = find_amount(evidence, source) is not None
            kind = "order" if bought else "_".join(source.name.split()) or "other"
            confidence = "likely" if bought else "unsure"
            why = f"{source.title} has amounts" if bought else f"{source.title}: no known kind"
        times = find_event_times(source, kind) if time_join is None else times
    kind_column = find_kind_column(source, kind)
    if kind_column:
        listed = ", ".join(f"{v} = {k}" for v, k in list(kind_column.kinds.items())[:8])
        why = f"{source.title} by {kind_column.column.name}: {listed}"
        confidence = "likely" if kind_column.unknown else "sure"
        if kind_column.unknown:
            why += f"; not understood: {', '.join(kind_column.unknown[:5])}"
    evidence.book.add(f"events.{source.name}.kind", confidence, why)
    document = has_lines(source)
    lines = next(
        (
            j
            for j in evidence.joins_to(source)
            if kind == "order"
            and evidence.roles[j.source].role == "lines"
            and find_amount(evidence, evidence.sources[j.source]) is not None
        ),
        None,
    )
    return EventSource(
        source, evidence.paths[source.name], kind, times, kind_column, document, lines, time_join
    )


def _note(
    evidence: Evidence, found: EventSource, column: str, confidence: Confidence, why: str
) -> None:
    """Note a guess about a column of the piece of one source."""
    evidence.book.add(f"events.{found.source.name}.{column}", confidence, why)


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
        _note(evidence, found, "customer_id", "sure", why)
    if times.main is not None:
        rivals = f"; could also be {', '.join(times.rivals[:3])}" if times.rivals else ""
        form = f", written as {times.main.time.name}" if times.main.time else ""
        _note(
            evidence,
            found,
            "occurred_at",
            "unsure" if rivals else "sure",
            times.main.name + form + rivals,
        )
    if found.document is not None:
        columns, rest = _by_document(evidence, found, columns, rest)
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
        _note(evidence, found, "known_at", "sure", f"{times.booked.name}: when it was recorded")
    if found.lines:
        rest += _join_lines(evidence, table, found, columns)
    else:
        rest += _own_columns(evidence, table, found, columns)
    for column in source.columns.values():
        taken = found.kind_column and found.kind_column.column is column
        if "status" in column.means and column.is_text and not taken:
            why = f"{column.name} of {source.title}: how it ended, which was not known when it happened"
            evidence.book.leave_out("events", why)
    channel = find_channel(source, payment=found.kind == "payment")
    if channel is not None:
        columns["channel"] = f"t.{channel.quoted}" + ("" if channel.is_text else "::varchar")
        _note(evidence, found, "channel", "sure", channel.name)
    due = times.due.get(found.kind) or times.due.get(None)
    if due is None and found.kind == "order":
        due = times.due.get("shipment")
    if due is not None:
        columns["due_at"] = evidence.time_sql(due, alias)
        _note(evidence, found, "due_at", "likely" if len(times.due) > 1 else "sure", due.name)
    return columns, rest


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
        _note(evidence, found, "amount", amount.confidence, amount.why)
    quantity = find_quantity(source)
    if quantity is not None:
        columns["quantity"] = quantity.sql("t")
        _note(evidence, found, "quantity", "sure", quantity.name)
    category = find_category(evidence, source)
    if category is None and found.kind_column is None:
        category = _type_as_category(source)
    if category is None and found.time_join is not None:
        category = _type_as_category(evidence.sources[found.time_join.target], "timed")
    if category is None and found.kind_column is not None and found.kind == "contract":
        column = found.kind_column.column
        category = Category(lambda a: f"{a}.{column.quoted}", "likely", column.name)
    if category is not None:
        columns["category"], rest = _category_sql(table, category)
        _note(evidence, found, "category", category.confidence, category.why)
    return rest


def _category_sql(table: TableProposal, category: Category) -> tuple[str, str]:
    if category.join is None:
        return category.sql("t"), ""
    table.use(category.join.target)
    return category.sql("product"), "\n     " + join_sql(category.join, "t", "product")


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


def _by_document(
    evidence: Evidence, found: EventSource, columns: dict[str, str], rest: str
) -> tuple[dict[str, str], str]:
    """Sum the lines of a document to one event."""
    assert found.document is not None  # noqa: S101
    amount = columns.get("amount")
    repeated = amount is not None and _repeats_total(evidence, found, amount)
    total = f"any_value({amount})" if repeated else f"sum({amount})"
    grouped = {
        "customer_id": columns["customer_id"],
        "occurred_at": f"min({columns['occurred_at']})",
    }
    grouped["kind"] = columns["kind"] if found.kind_column is None else f"min({columns['kind']})"
    if amount is not None:
        grouped["amount"] = total
        if (
            found.kind == "order"
            and found.kind_column is None
            and _has_negative(evidence, found, total)
        ):
            grouped["kind"] = f"case when {total} < 0 then 'return' else 'order' end"
            evidence.book.add(
                f"events.{found.source.name}.kind", "likely", "a negative total is a return"
            )
    for name in ("known_at", "due_at", "channel"):
        if name in columns:
            grouped[name] = f"min({columns[name]})"
    if "quantity" in columns:
        grouped["quantity"] = f"sum({columns['quantity']})"
    if "category" in columns:
        by = amount or columns.get("quantity") or "1"
        grouped["category"] = f"arg_max({columns['category']}, {by})"
    _note(
        evidence, found, "rows", "sure", f"one event for each {found.document.name}, of its lines"
    )
    return grouped, f"{rest}\ngroup by {columns['customer_id']}, t.{found.document.quoted}"


def _has_negative(evidence: Evidence, found: EventSource, total: str) -> bool:
    assert found.document is not None  # noqa: S101
    return bool(
        evidence.count(
            f"select count(*) from (select {total} as x from {found.source.quoted} t "
            f"group by t.{found.document.quoted} having x < 0)"
        )
    )


def _repeats_total(evidence: Evidence, found: EventSource, amount: str) -> bool:
    """Whether every line of a document repeats the document's total."""
    assert found.document is not None  # noqa: S101
    rows = evidence.con.execute(
        f"select count(*), count(*) filter (a = b) from (select min({amount}) as a, max({amount}) as b "
        f"from {found.source.quoted} t group by t.{found.document.quoted} having count(*) > 1)"
    ).fetchall()
    several, equal = rows[0]
    return bool(several) and equal >= 0.95 * several


def _join_lines(
    evidence: Evidence, table: TableProposal, found: EventSource, columns: dict[str, str]
) -> str:
    """Add amount, quantity and category from the lines of a document; returns the join."""
    assert found.lines is not None  # noqa: S101
    lines = evidence.sources[found.lines.source]
    table.use(lines.name)
    own = find_amount(evidence, found.source)
    amount = find_amount(evidence, lines)
    assert amount is not None  # noqa: S101
    quantity = find_quantity(lines)
    inner = {
        "document": f"t.{quote_identifier(found.lines.column)}",
        "amount": f"sum({amount.sql('t')})",
    }
    inner["quantity"] = f"sum({quantity.sql('t')})" if quantity is not None else "count(*)"
    rest = f"from {lines.quoted} t"
    category = find_category(evidence, lines)
    if category is not None:
        sql, join = _category_sql(table, category)
        inner["category"] = f"arg_max({sql}, {amount.sql('t')})"
        rest += join
        columns["category"] = "lines.category"
        _note(evidence, found, "category", category.confidence, category.why)
    charges = find_charges(lines)
    if charges is not None:
        inner["charges"] = f"sum({charges.sql('t')})"
    for kind, due in find_event_times(lines, None).due.items():
        inner[f"due_{kind or 'order'}"] = f"min({evidence.time_sql(due, 't')})"
    columns["amount"] = "lines.amount" if own is None else own.sql("t")
    columns["quantity"] = "lines.quantity"
    chosen = own or amount
    _note(
        evidence,
        found,
        "amount",
        chosen.confidence,
        f"{chosen.why} of {(found.source if own else lines).title}",
    )
    _note(evidence, found, "quantity", "sure" if quantity is not None else "likely",
          quantity.name if quantity is not None else f"the lines in {lines.title}")  # fmt: skip
    subquery = select_sql(inner, f"{rest}\ngroup by 1").replace("\n", "\n         ")
    key = f"lines.document::varchar = t.{quote_identifier(found.lines.key)}::varchar"
    return f"\n     left join ({subquery}) lines on {key}"


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
    evidence.book.add(f"events.{found.source.name}.{kind}", sure, f"the time {column.name}")


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
        rest = _join_lines(evidence, table, found, ignored)
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
