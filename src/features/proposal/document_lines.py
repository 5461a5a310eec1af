"""The lines of a document: summed where the source holds them, joined where another one does."""

from features.ingest.sql import quote_identifier
from features.proposal.amounts import find_amount, find_charges, find_quantity
from features.proposal.categories import Category, find_category, join_sql
from features.proposal.event_source import EventSource, note_event_guess
from features.proposal.event_times import find_event_times
from features.proposal.evidence import Evidence
from features.proposal.table_proposal import TableProposal, select_sql


def sum_lines(
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
    note_event_guess(
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


def join_lines(
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
        sql, join = add_category(table, category)
        inner["category"] = f"arg_max({sql}, {amount.sql('t')})"
        rest += join
        columns["category"] = "lines.category"
        note_event_guess(evidence, found, "category", category.confidence, category.why)
    charges = find_charges(lines)
    if charges is not None:
        inner["charges"] = f"sum({charges.sql('t')})"
    for kind, due in find_event_times(lines, None).due.items():
        inner[f"due_{kind or 'order'}"] = f"min({evidence.time_sql(due, 't')})"
    columns["amount"] = "lines.amount" if own is None else own.sql("t")
    columns["quantity"] = "lines.quantity"
    chosen = own or amount
    note_event_guess(
        evidence,
        found,
        "amount",
        chosen.confidence,
        f"{chosen.why} of {(found.source if own else lines).title}",
    )
    note_event_guess(evidence, found, "quantity", "sure" if quantity is not None else "likely",
          quantity.name if quantity is not None else f"the lines in {lines.title}")  # fmt: skip
    subquery = select_sql(inner, f"{rest}\ngroup by 1").replace("\n", "\n         ")
    key = f"lines.document::varchar = t.{quote_identifier(found.lines.key)}::varchar"
    return f"\n     left join ({subquery}) lines on {key}"


def add_category(table: TableProposal, category: Category) -> tuple[str, str]:
    """SQL of a category, and the join that it needs; the table notes the source of the join."""
    if category.join is None:
        return category.sql("t"), ""
    table.use(category.join.target)
    return category.sql("product"), "\n     " + join_sql(category.join, "t", "product")
