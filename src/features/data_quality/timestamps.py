"""Whether times can be true: their order, their age, and the clock they were written by."""

from collections.abc import Iterator
from typing import NamedTuple

from features.data_quality.checked_table import CheckedTable
from features.data_quality.daily_counts import DailyCounts
from features.data_quality.finding import TableFinding, Severity

YEARS = 3
#: Nothing that happened is recorded from before; 1900 and 1970 are what empty dates often become.
OLDEST = "1990-01-01"
#: Shares of rows at one same time of day that are odd: nearly all of them, or a part.
ALL, PART = 0.98, 0.05


class TimeOrderRule(NamedTuple):
    """Two times of a row: the condition under which they contradict each other, and the remedy."""

    column: str
    needs: tuple[str, ...]
    wrong: str
    says: str
    remedy: str


ORDERS = {
    "events": (
        TimeOrderRule("known_at", ("known_at",), "known_at < occurred_at",
              "are known before they occurred",
              "map the time of booking, or leave known_at out: it is then occurred_at"),
        TimeOrderRule("due_at", ("due_at",), "kind = 'order' and due_at < occurred_at",
              "are orders due before they were placed", "mend due_at, or the zone of its dates"),
        TimeOrderRule("due_at", ("due_at",),
              f"abs(epoch_us(due_at) - epoch_us(occurred_at)) > {YEARS} * 365 * 86400000000",
              f"are due more than {YEARS} years before or after they occurred",
              "such dates often mean 'never': map them to null"),
        TimeOrderRule("known_at", ("known_at",),
              "epoch_us(known_at) - epoch_us(occurred_at) > 365 * 86400000000",
              "became known more than a year after they occurred",
              "look whether known_at is the day of an import; the features do not see the rows "
              "before it"),
    ),
    "surveys": (),
    "tickets": (
        TimeOrderRule("first_reply_at", ("first_reply_at", "closed_at"), "first_reply_at > closed_at",
              "were closed before the first reply", "mend the order of the times"),
    ),
}  # fmt: skip

SIGNS = (
    ("order", "amount < 0", "orders have a negative amount",
     "map what was sent back to the kind return, or mend the sign"),
    ("return", "amount > 0", "returns have a positive amount",
     "amounts are signed from revenue: map -amount, or the value of customers comes out too high"),
)  # fmt: skip


def check_time_order(table: CheckedTable) -> Iterator[TableFinding]:
    """Times of one row that contradict each other."""
    orders = [o for o in ORDERS.get(table.name, ()) if table.has(*o.needs)]
    if not orders:
        return
    asked = ", ".join(
        f"count(*) filter ({o.wrong}), arg_min(customer_id, {table.clock}) filter ({o.wrong}), "
        f"min(epoch_us({table.clock})) filter ({o.wrong})"
        for o in orders
    )
    found = table.query_row(f"select {asked} from {table.view}")
    for place, order in enumerate(orders):
        rows, who, micros = found[3 * place : 3 * place + 3]
        if rows:
            example = [who, f"{table.local_time(micros):%Y-%m-%d %H:%M}"]
            yield TableFinding(
                table.name, order.column, "order of times", "warning", rows, table.rows,
                f"{rows:,} rows {order.says}, such as {example[0]} at {example[1]}",
                order.remedy, {"example": example},
            )  # fmt: skip


def check_rows_before_crm(table: CheckedTable) -> Iterator[TableFinding]:
    """Rows from before the customer's first version in CRM: they are seen without attributes."""
    versions = table.query_row(
        "select count(*) from duckdb_tables() where table_name = 'good_customers'"
    )
    if table.name == "customers" or not versions[0] or not table.clock:
        return
    rows, who, micros = table.query_row(
        f"select count(*), arg_min(customer_id, t.{table.clock}), min(epoch_us(t.{table.clock})) "
        f"from {table.view} t join (select customer_id, min(valid_from) as since "
        "from good_customers group by 1) using (customer_id) "
        f"where t.{table.clock} < since"
    )
    if rows:
        severity: Severity = "warning" if rows >= 0.05 * table.rows else "advice"
        yield TableFinding(
            table.name, table.clock, "order of times", severity, rows, table.rows,
            f"{rows:,} rows are older than the first version of their customer in CRM, such as "
            f"{who} on {table.local_date(micros)}",
            "let valid_from of the first version be the day the customer was created",
            {"example": [who, table.local_date(micros)]},
        )  # fmt: skip


def check_amount_signs(table: CheckedTable) -> Iterator[TableFinding]:
    """Orders below zero and returns above: amounts are signed from the view of revenue."""
    if table.name != "events" or not table.has("amount"):
        return
    for kind, wrong, says, remedy in SIGNS:
        rows, total = table.query_row(
            f"select count(*) filter ({wrong}), count(*) from {table.view} where kind = '{kind}'"
        )
        if rows:
            severity: Severity = "warning" if rows >= 0.001 * total else "advice"
            yield TableFinding(table.name, "amount", "sign", severity, rows, total,
                          f"{rows:,} of {total:,} {says}", remedy, {"kind": kind})  # fmt: skip


def check_date_range(table: CheckedTable, daily: DailyCounts | None) -> Iterator[TableFinding]:
    """Dates of another age: long before all others, or what empty dates are turned into."""
    for column in table.source.contract.columns:
        if column.kind != "time" or not table.has(column.name):
            continue
        oldest = "1900-01-02" if table.name == "customers" else OLDEST
        rows, first = table.query_row(
            f"select count(*), min(epoch_us({column.name})) from {table.view} "
            f"where {column.name} < timestamptz '{oldest} 00:00:00+00'"
        )
        if rows:
            yield TableFinding(
                table.name, column.name, "dates", "warning", rows, table.rows,
                f"{rows:,} rows are from before {oldest}, the oldest from {table.local_date(first)}",
                "such dates often stand for a missing one: map them to null or drop the rows",
                {"oldest": table.local_date(first)},
            )  # fmt: skip
    if daily and daily.stragglers and daily.first.year > 1990:
        yield TableFinding(
            table.name, table.clock or "", "dates", "warning", daily.stragglers, table.rows,
            f"{daily.stragglers:,} rows lie more than a year before all others, which begin {daily.first}",
            "mend their dates or drop them: training cutoffs begin at the first record",
            {"others_begin": str(daily.first)},
        )  # fmt: skip


def check_time_of_day(table: CheckedTable) -> Iterator[TableFinding]:
    """Rows at midnight exactly, or at one same other time: days without a time, another zone."""
    for series, rows, midnight, other, often in table.query(
        "select series, sum(n)::bigint, coalesce(sum(sharp) filter (t = '00:00:00'), 0)::bigint, "
        "max(sharp) filter (t <> '00:00:00')::bigint, arg_max(t, sharp) filter (t <> '00:00:00') "
        "from (select series, strftime(local, '%H:%M:%S') as t, sum(n) as n, sum(sharp) as sharp "
        f"from slots_{table.name} group by 1, 2) group by 1 having sum(n) >= 100 order by 1"
    ):
        kind = f" of kind {series}" if series else ""
        if midnight >= PART * rows:
            yield _midnight(table, series, kind, midnight, rows)
        elif other and other >= 0.3 * rows:
            yield TableFinding(
                table.name, table.clock or "", "clock", "warning", other, rows,
                f"{other / rows:.0%} of the rows{kind} are at {often} {table.time_zone} exactly",
                "days written by the clock of another zone? check company.time_zone and the query",
                {"series": series, "time": often},
            )  # fmt: skip


def _midnight(table: CheckedTable, series: str, kind: str, midnight: int, rows: int) -> TableFinding:
    whole = midnight >= ALL * rows
    says = (
        f"the rows{kind} have days and no times of day"
        if whole
        else f"{midnight / rows:.0%} of the rows{kind} are at 00:00:00 exactly, the others are not"
    )
    return TableFinding(
        table.name, table.clock or "", "clock", "advice" if whole else "warning",
        midnight, rows, says,
        "a row counts as known from 00:00 of its day, before it happened: map the time of day, or "
        "known_at as the end of the day" if table.name == "events" else
        "map the time of day if the source has it: at 00:00 the order within a day is unknown",
        {"series": series, "share": round(midnight / rows, 4)},
    )  # fmt: skip
