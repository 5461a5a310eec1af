"""Customers by first and last activity: who came and went when, who never was active."""

from collections.abc import Iterator

import duckdb

from features.data_quality.checked_table import Subject
from features.data_quality.finding import Finding
from features.ingest.sql import quote_literal

#: A month with so many times the usual newcomers is odd; a customer with this share of the rows is.
#: Months in which customers there before are seen for the first time; months that make the usual.
STARTING, BEFORE = 4, 6
SURGE, SURGE_LEAST, COLLECTIVE = 5, 50, 0.05


def lay_out(con: duckdb.DuckDBPyConnection, subjects: list[Subject]) -> None:
    """Leave `activity`: first and last activity of each customer, and the rows of all tables."""
    time = "null::timestamptz"
    parts = " union all by name ".join([
        f"select '' as customer_id, {time} as first, {time} as last, 0 as n where false",
        *(f"select customer_id, min({s.clock}) as first, max({s.clock}) as last, count(*) as n "
          f"from {s.table} group by 1" for s in subjects if s.name != "customers" and s.clock),
    ])  # fmt: skip
    con.execute(
        "create or replace temp table activity as select customer_id, min(first) as first, "
        f"max(last) as last, sum(n) as n from ({parts}) group by 1"
    )


def by_month(subject: Subject) -> list[tuple[str, int, int]]:
    """(month, customers first seen, customers last seen), all months between."""
    zone = quote_literal(subject.zone)
    found: dict[str, list[int]] = {}
    for place, column in enumerate(("first", "last")):
        for month, n in subject.all(
            f"select strftime(timezone({zone}, {column}), '%Y-%m'), count(*) from activity "
            "group by 1"
        ):
            found.setdefault(month, [0, 0])[place] = n
    months = sorted(found)
    return [(m, *found.get(m, [0, 0])) for m in _between(months[0], months[-1])] if months else []  # type: ignore[misc]


def _between(first: str, last: str) -> list[str]:
    year, month = map(int, first.split("-"))
    months = [first]
    while months[-1] < last:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        months.append(f"{year:04d}-{month:02d}")
    return months


def never_active(subject: Subject) -> Iterator[Finding]:
    """Customers of CRM of whom no other table knows anything."""
    if subject.name != "customers":
        return
    everybody, silent = subject.one(
        "select count(*), count(*) filter (customer_id not in (select customer_id from activity)) "
        "from (select distinct customer_id from good_customers)"
    )
    if silent:
        yield Finding(
            "customers", "customer_id", "never active",
            "warning" if silent > everybody / 2 else "advice", silent, everybody,
            f"{silent:,} of {everybody:,} customers of CRM have no event, survey or ticket",
            "look whether the tables write the ids alike; customers never active are scored from "
            "CRM alone",
        )  # fmt: skip


def surges(subject: Subject) -> Iterator[Finding]:
    """Months in which far more customers are seen for the first time than usual."""
    months = by_month(subject)
    for place in range(STARTING, len(months)):
        month, new, gone = months[place]
        before = sorted(n for _, n, _ in months[max(place - BEFORE, 0) : place])
        usual = before[len(before) // 2]
        if new >= SURGE_LEAST and new > SURGE * max(usual, 1):
            figures = {"month": month, "newcomers": new, "usual": usual, "last_seen": gone}
            yield Finding(
                subject.name, "customer_id", "newcomers", "warning", new,
                sum(n for _, n, _ in months),
                f"{new:,} customers are first seen in {month}, {usual:,} in a usual month "
                f"({gone:,} are last seen then)",
                "a merger, an import, or new ids for old customers? map old ids onto new ones",
                figures,
            )  # fmt: skip


def same_customer(subject: Subject) -> Iterator[Finding]:
    """Ids that differ by capitals, blanks or leading zeros: one customer under several."""
    key = "ltrim(lower(trim(customer_id)), '0')"
    rows, total, example = subject.one(
        "select coalesce(sum(n - 1), 0)::bigint, (select count(*) from activity), "
        f"min(ids) from (select count(*) as n, list(customer_id order by customer_id) as ids "
        f"from activity group by {key} having count(*) > 1)"
    )
    if rows:
        yield Finding(
            subject.name, "customer_id", "spellings", "warning", rows, total,
            f"{rows:,} ids differ from another one by capitals, blanks or leading zeros alone, "
            f"such as {' and '.join(map(repr, example[:2]))}",
            "write ids alike in every table, such as upper(trim(id))",
            {"example": example[:2]},
        )  # fmt: skip


def collective(subject: Subject) -> Iterator[Finding]:
    """One id that holds a large share of all rows: walk-in customers, a test account."""
    customers, rows, most, who = subject.one(
        "select count(*), sum(n)::bigint, max(n)::bigint, arg_max(customer_id, n) from activity"
    )
    if customers >= 100 and most >= COLLECTIVE * rows:
        yield Finding(
            subject.name, "customer_id", "collective id", "warning", most, rows,
            f"customer {who} holds {most:,} of {rows:,} rows",
            "if it stands for many, such as cash sales or tests, leave it out with a drop rule",
            {"example": [who]},
        )  # fmt: skip


def only_answered(subject: Subject) -> Iterator[Finding]:
    """Surveys of answered questions alone: who does not answer cannot be learnt."""
    if subject.name != "surveys":
        return
    (unanswered,) = subject.one("select count(*) filter (answered_at is null) from good_surveys")
    if not unanswered and subject.rows >= 100:
        yield Finding(
            "surveys", "answered_at", "answer rate", "advice", subject.rows, subject.rows,
            "every question was answered: those without an answer are not in the data",
            "import the unanswered questions too, with an empty answered_at",
        )  # fmt: skip
