"""Checks of times and signs: order of times, implausible dates, time of day, sign of amounts."""

from collections.abc import Iterator
from typing import NamedTuple

from features.data_quality.checked_table import CheckedTable
from features.data_quality.daily_counts import DailyCounts
from features.data_quality.finding import Severity, TableFinding

YEARS = 3
#: Records are not older than this; 1900 and 1970 often stand for empty dates.
OLDEST = "1990-01-01"
#: Unusual shares of rows at the same time of day: nearly all of them, or a part.
ALL, PART = 0.98, 0.05


class TimeOrderRule(NamedTuple):
    """A rule on the times of a row: the columns it needs, its SQL violation, message and remedy."""

    column: str
    needs: tuple[str, ...]
    wrong: str
    message: str
    remedy: str


TIME_ORDER_RULES = {
    "events": (
        TimeOrderRule("known_at", ("known_at",), "known_at < occurred_at",
              "are known before they occurred",
              "map the time of booking, or omit known_at: it then equals occurred_at"),
        TimeOrderRule("due_at", ("due_at",), "kind = 'order' and due_at < occurred_at",
              "are orders due before they were placed", "correct due_at, or the time zone of its dates"),
        TimeOrderRule("due_at", ("due_at",),
              f"abs(epoch_us(due_at) - epoch_us(occurred_at)) > {YEARS} * 365 * 86400000000",
              f"are due more than {YEARS} years before or after they occurred",
              "such dates often mean 'never': map them to null"),
        TimeOrderRule("known_at", ("known_at",),
              "epoch_us(known_at) - epoch_us(occurred_at) > 365 * 86400000000",
              "became known more than a year after they occurred",
              "check whether known_at is the day of an import; the features do not see the rows "
              "before it"),
    ),
    "surveys": (),
    "tickets": (
        TimeOrderRule("first_reply_at", ("first_reply_at", "closed_at"), "first_reply_at > closed_at",
              "were closed before the first reply", "correct the times"),
    ),
}  # fmt: skip

SIGN_RULES = (
    ("order", "amount < 0", "orders have a negative amount",
     "map returned goods to the kind return, or correct the sign"),
    ("return", "amount > 0", "returns have a positive amount",
     "amounts are signed by their effect on revenue: map -amount, otherwise customer value is too high"),
)  # fmt: skip


def check_time_order(table: CheckedTable) -> Iterator[TableFinding]:
    """Times of one row that contradict each other."""
    rules = [o for o in TIME_ORDER_RULES.get(table.name, ()) if table.has(*o.needs)]
    if not rules:
        return
    counts_sql = ", ".join(
        f"count(*) filter ({o.wrong}), arg_min(customer_id, {table.clock}) filter ({o.wrong}), "
        f"min(epoch_us({table.clock})) filter ({o.wrong})"
        for o in rules
    )
    found = table.query_row(f"select {counts_sql} from {table.view}")
    for i, rule in enumerate(rules):
        rows, who, micros = found[3 * i : 3 * i + 3]
        if rows:
            example = [who, f"{table.local_time(micros):%Y-%m-%d %H:%M}"]
            yield TableFinding(
                table.name, rule.column, "order of times", "warning", rows, table.rows,
                f"{rows:,} rows {rule.message}, such as {example[0]} at {example[1]}",
                rule.remedy, {"example": example},
            )  # fmt: skip


def check_rows_before_crm(table: CheckedTable) -> Iterator[TableFinding]:
    """Rows older than the customer's first CRM version: no attributes are known for them."""
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
            "map valid_from of the first version to the day the customer was created",
            {"example": [who, table.local_date(micros)]},
        )  # fmt: skip


def check_amount_signs(table: CheckedTable) -> Iterator[TableFinding]:
    """Negative orders and positive returns: amounts are signed by their effect on revenue."""
    if table.name != "events" or not table.has("amount"):
        return
    for kind, wrong, says, remedy in SIGN_RULES:
        rows, total = table.query_row(
            f"select count(*) filter ({wrong}), count(*) from {table.view} where kind = '{kind}'"
        )
        if rows:
            severity: Severity = "warning" if rows >= 0.001 * total else "advice"
            yield TableFinding(table.name, "amount", "sign", severity, rows, total,
                          f"{rows:,} of {total:,} {says}", remedy, {"kind": kind})  # fmt: skip


def check_date_range(table: CheckedTable, daily: DailyCounts | None) -> Iterator[TableFinding]:
    """Implausibly old dates: placeholders for empty dates, or rows long before all others."""
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
            f"{daily.stragglers:,} rows are more than a year older than all others, which start on "
            f"{daily.first}",
            "correct their dates or drop them: training cutoffs start at the first record",
            {"others_begin": str(daily.first)},
        )  # fmt: skip


def check_time_of_day(table: CheckedTable) -> Iterator[TableFinding]:
    """Rows exactly at midnight or at one other time of day: dates without a time, another time zone."""
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
                "dates written in another time zone? Check company.time_zone and the query",
                {"series": series, "time": often},
            )  # fmt: skip


def _midnight(
    table: CheckedTable, series: str, kind: str, midnight: int, rows: int
) -> TableFinding:
    whole = midnight >= ALL * rows
    says = (
        f"the rows{kind} have dates without a time of day"
        if whole
        else f"{midnight / rows:.0%} of the rows{kind} are at 00:00:00 exactly, the others are not"
    )
    return TableFinding(
        table.name, table.clock or "", "clock", "advice" if whole else "warning",
        midnight, rows, says,
        "a row counts as known from 00:00 of its day, before it happened: map the time of day, or "
        "known_at as the end of the day" if table.name == "events" else
        "map the time of day if the source has it: without it the order within a day is unknown",
        {"series": series, "share": round(midnight / rows, 4)},
    )  # fmt: skip
