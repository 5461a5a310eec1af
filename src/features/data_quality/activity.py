"""Checks of customers by first and last activity: newcomers, inactive customers, shared ids."""

from collections.abc import Iterator

import duckdb

from features.data_quality.checked_table import CheckedTable
from features.data_quality.finding import TableFinding
from features.ingest.sql import quote_literal

#: First months skipped, since existing customers appear in them; months that set the usual number.
STARTING, BEFORE = 4, 6
#: Multiple of the usual newcomers, and number of newcomers, that make a surge; share of all rows
#: that makes an id a collective one.
SURGE, SURGE_LEAST, COLLECTIVE = 5, 50, 0.05


def create_activity_table(con: duckdb.DuckDBPyConnection, tables: list[CheckedTable]) -> None:
    """Create the table `activity`: first and last activity and number of rows of each customer."""
    time = "null::timestamptz"
    parts = " union all by name ".join([
        f"select '' as customer_id, {time} as first, {time} as last, 0 as n where false",
        *(f"select customer_id, min({t.clock}) as first, max({t.clock}) as last, count(*) as n "
          f"from {t.view} group by 1" for t in tables if t.name != "customers" and t.clock),
    ])  # fmt: skip
    con.execute(
        "create or replace temp table activity as select customer_id, min(first) as first, "
        f"max(last) as last, sum(n) as n from ({parts}) group by 1"
    )


def count_first_and_last_seen(table: CheckedTable) -> list[tuple[str, int, int]]:
    """(month, customers first seen, customers last seen) for every month from first to last."""
    zone = quote_literal(table.time_zone)
    found: dict[str, list[int]] = {}
    for position, column in enumerate(("first", "last")):
        for month, n in table.query(
            f"select strftime(timezone({zone}, {column}), '%Y-%m'), count(*) from activity "
            "group by 1"
        ):
            found.setdefault(month, [0, 0])[position] = n
    if not found:
        return []
    months = _months_between(min(found), max(found))
    return [(month, *found.get(month, [0, 0])) for month in months]  # type: ignore[misc]


def _months_between(first: str, last: str) -> list[str]:
    year, month = map(int, first.split("-"))
    months = [first]
    while months[-1] < last:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        months.append(f"{year:04d}-{month:02d}")
    return months


def check_never_active(table: CheckedTable) -> Iterator[TableFinding]:
    """Customers in the CRM table without a row in any other table."""
    if table.name != "customers":
        return
    customers, inactive = table.query_row(
        "select count(*), count(*) filter (customer_id not in (select customer_id from activity)) "
        "from (select distinct customer_id from good_customers)"
    )
    if inactive:
        yield TableFinding(
            "customers", "customer_id", "never active",
            "warning" if inactive > customers / 2 else "advice", inactive, customers,
            f"{inactive:,} of {customers:,} CRM customers have no event, survey or ticket",
            "check whether all tables write the ids alike; inactive customers are scored from CRM "
            "data alone",
        )  # fmt: skip


def check_newcomer_surges(table: CheckedTable) -> Iterator[TableFinding]:
    """Months in which far more customers are seen for the first time than usual."""
    months = count_first_and_last_seen(table)
    for i in range(STARTING, len(months)):
        month, new, gone = months[i]
        before = sorted(n for _, n, _ in months[max(i - BEFORE, 0) : i])
        usual = before[len(before) // 2]
        if new >= SURGE_LEAST and new > SURGE * max(usual, 1):
            figures = {"month": month, "newcomers": new, "usual": usual, "last_seen": gone}
            yield TableFinding(
                table.name, "customer_id", "newcomers", "warning", new,
                sum(n for _, n, _ in months),
                f"{new:,} customers are first seen in {month}, {usual:,} in a usual month "
                f"({gone:,} are last seen in it)",
                "a merger, an import, or new ids for old customers? If so, map old ids onto new ones",
                figures,
            )  # fmt: skip


def check_id_spellings(table: CheckedTable) -> Iterator[TableFinding]:
    """Ids that differ only in case, spaces or leading zeros: probably one customer."""
    key = "ltrim(lower(trim(customer_id)), '0')"
    rows, total, example = table.query_row(
        "select coalesce(sum(n - 1), 0)::bigint, (select count(*) from activity), "
        f"min(ids) from (select count(*) as n, list(customer_id order by customer_id) as ids "
        f"from activity group by {key} having count(*) > 1)"
    )
    if rows:
        yield TableFinding(
            table.name, "customer_id", "spellings", "warning", rows, total,
            f"{rows:,} ids differ from another one only in case, spaces or leading zeros, "
            f"such as {' and '.join(map(repr, example[:2]))}",
            "write ids alike in every table, such as upper(trim(id))",
            {"example": example[:2]},
        )  # fmt: skip


def check_collective_id(table: CheckedTable) -> Iterator[TableFinding]:
    """One id that holds a large share of all rows: walk-in customers, a test account."""
    customers, rows, most, who = table.query_row(
        "select count(*), sum(n)::bigint, max(n)::bigint, arg_max(customer_id, n) from activity"
    )
    if customers >= 100 and most >= COLLECTIVE * rows:
        yield TableFinding(
            table.name, "customer_id", "collective id", "warning", most, rows,
            f"customer {who} holds {most:,} of {rows:,} rows",
            "if it stands for many customers, such as cash sales or tests, exclude it with a drop rule",
            {"example": [who]},
        )  # fmt: skip


def check_answer_rate(table: CheckedTable) -> Iterator[TableFinding]:
    """Surveys without unanswered questions: non-response cannot be modelled."""
    if table.name != "surveys":
        return
    (unanswered,) = table.query_row(
        "select count(*) filter (answered_at is null) from good_surveys"
    )
    if not unanswered and table.rows >= 100:
        yield TableFinding(
            "surveys", "answered_at", "answer rate", "advice", table.rows, table.rows,
            "every question was answered: unanswered questions are not in the data",
            "import the unanswered questions too, with an empty answered_at",
        )  # fmt: skip
