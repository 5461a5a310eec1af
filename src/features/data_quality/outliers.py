"""Check for outliers by robust z-score: the distance from the median in units of the MAD.

Amounts span orders of magnitude, so logarithms are compared; a customer with several rows is compared
with their own mean, so that a large customer is no outlier. Medians use at most a million rows;
outliers are counted in all rows. Iglewicz and Hoaglin (1993).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from features.data_quality.checked_table import CheckedTable
from features.data_quality.finding import TableFinding
from features.formatting import is_label, label_number
from features.ingest.column_blocks import column_blocks
from features.ingest.sql import quote_identifier, quote_literal

#: Robust z-score from which a value is an outlier; logarithms of genuine amounts hardly reach 5.
BOUND = 6.0
#: Fewest rows of a group, and of a customer with a level of their own.
LEAST, OWN = 30, 5
#: A larger share beyond the bound is the shape of the distribution, not outliers.
TAIL = 0.01


@dataclass(frozen=True)
class OutlierMeasure:
    """A quantity checked for outliers: its column, its value in SQL, and its name in messages."""

    column: str
    value: str
    words: str


def check_outliers(table: CheckedTable) -> Iterator[TableFinding]:
    """Values beyond the bound, by series of the table; attributes of customers each by itself."""
    if table.name == "customers":
        yield from _check_attributes(table)
        return
    for measure in _measures(table):
        _compare(table, _rows_of_measure(table, measure), has_levels=True)
        for series, *found in _beyond(table):
            yield from _report(table, measure, series, found)


def _measures(table: CheckedTable) -> list[OutlierMeasure]:
    """The numeric columns and durations of a table of events, surveys or tickets."""
    hours_open = "epoch_us(closed_at) - epoch_us(opened_at)"
    known = {
        "events": [OutlierMeasure(c, c, c) for c in ("amount", "quantity")],
        "surveys": [OutlierMeasure("weight", "weight", "weight")],
        "tickets": [
            OutlierMeasure("closed_at", hours_open, "hours open"),
            OutlierMeasure("severity", "severity", "severity"),
        ],
    }
    return [m for m in known[table.name] if table.has(m.column)]


def _check_attributes(table: CheckedTable) -> Iterator[TableFinding]:
    numbers = [a for a, kind in table.source.attributes.items() if kind == "number"]
    keys = ["customer_id", *([table.clock] if table.clock else [])]
    for relation, block in column_blocks(table.connection, table.view, numbers, keys):
        _compare(table, _rows_of_attributes(table, relation, block), has_levels=False)
        for attribute, *found in _beyond(table):
            measure = OutlierMeasure(attribute, quote_identifier(attribute), "value")
            yield from _report(table, measure, "", found)


def _report(
    table: CheckedTable, measure: OutlierMeasure, series: str, found: list[Any]
) -> Iterator[TableFinding]:
    """The finding of a series, unless so many rows are beyond the bound that this is its shape."""
    rows, high, low, total, z, who, micros, value = found
    if rows <= TAIL * total:
        scale = 3.6e9 if measure.words == "hours open" else 1.0
        example = [who, table.local_date(micros) if micros is not None else ""]
        yield _finding(table, measure, series, (rows, high, low, total), z, example, value / scale)


def _rows_of_measure(table: CheckedTable, measure: OutlierMeasure) -> str:
    """SQL of the values of a measure, by series, as logarithms."""
    return (
        f"select customer_id, {table.series_sql} as series, {measure.value} as value, "
        f"ln(abs({measure.value})::double) as x, epoch_us({table.clock}) as moment, "
        f"{table.sample_condition()} as sampled from {table.view} "
        f"where {measure.value} <> 0 and isfinite({measure.value}::double)"
    )


def _rows_of_attributes(table: CheckedTable, relation: str, attributes: Sequence[str]) -> str:
    """SQL of the values of numeric attributes, each a series, plain or as logarithms."""
    time = f"epoch_us({table.clock})" if table.clock else "null::bigint"
    numbers = ", ".join(f"{q}::double as {q}" for q in map(quote_identifier, attributes))
    even = _plain_attributes(table, relation, attributes)
    names = ", ".join(map(quote_literal, even)) or "null"
    return (
        "select customer_id, series, value, "
        f"case when series in ({names}) then value else ln(abs(value)) end as x, moment, sampled "
        f"from (unpivot (select customer_id, {time} as moment, "
        f"{table.sample_condition()} as sampled, {numbers} from {relation}) "
        f"on {', '.join(map(quote_identifier, attributes))} into name series value value) "
        "where value <> 0 and isfinite(value)"
    )


def _plain_attributes(table: CheckedTable, relation: str, attributes: Sequence[str]) -> list[str]:
    """The attributes whose values are less skewed than their logarithms."""
    cuts = [
        f"approx_quantile({x}, [0.05, 0.5, 0.95]) filter ({q} <> 0)"
        for q in map(quote_identifier, attributes)
        for x in (f"{q}::double", f"ln(abs(nullif({q}, 0))::double)")
    ]
    found = table.query_row(f"select {', '.join(cuts)} from {relation}")
    return [
        a for a, plain, log in zip(attributes, found[::2], found[1::2], strict=True)
        if _skew(log) >= _skew(plain)
    ]  # fmt: skip


def _compare(table: CheckedTable, rows: str, has_levels: bool) -> None:
    """Create the tables `residuals` (values less the customer's level) and `spread` (median and MAD)."""
    usual = (
        f"select customer_id, series, avg(x) as level from ({rows}) group by 1, 2 "
        f"having count(*) >= {OWN}"
        if has_levels
        else "select null::varchar as customer_id, '' as series, 0.0 as level where false"
    )
    table.connection.execute(
        "create or replace temp table residuals as "
        f"select r.*, u.level is not null as own, x - coalesce(u.level, 0) as r "
        f"from ({rows}) r left join ({usual}) u using (customer_id, series)"
    )
    table.connection.execute(
        "create or replace temp table spread as select *, "
        "case when deviation > 1e-9 then deviation * 1.4826 else mean * 1.2533 end as unit from ("
        "select series, own, any_value(m) as middle, median(abs(r - m)) as deviation, "
        "avg(abs(r - m)) as mean, count(*) as n from (select *, median(r) over "
        "(partition by series, own) as m from residuals where sampled) group by 1, 2)"
    )


def _skew(cuts: list[float] | None) -> float:
    """Quantile skewness, 0 to 1, from the 5%, 50% and 95% quantiles. Bowley (1901)."""
    if not cuts or cuts[2] <= cuts[0]:
        return 0.0
    return abs(cuts[2] + cuts[0] - 2 * cuts[1]) / (cuts[2] - cuts[0])


def _beyond(table: CheckedTable) -> list[tuple]:  # type: ignore[type-arg]
    """By series: rows beyond the bound, above it, below it, all rows, and the most extreme row."""
    return table.query(
        f"select series, count(*) filter (abs(z) > {BOUND}), count(*) filter (z > {BOUND}), "
        f"count(*) filter (z < -{BOUND}), count(*), max(abs(z)), arg_max(customer_id, abs(z)), "
        "arg_max(moment, abs(z)), arg_max(value, abs(z)) from (select r.*, "
        "(r - middle) / unit as z from residuals r join spread using (series, own) "
        f"where n >= {LEAST} and unit > 1e-9) group by 1 having count(*) filter "
        f"(abs(z) > {BOUND}) > 0 order by 1"
    )


def _finding(
    table: CheckedTable,
    measure: OutlierMeasure,
    series: str,
    counted: tuple[int, int, int, int],
    z: float,
    example: list[str],
    value: float,
) -> TableFinding:
    rows, high, low, total = counted
    kind = f" of kind {series}" if series else ""
    when = f" on {example[1]}" if example[1] else ""
    extreme = label_number(value) if is_label(measure.column) else f"{value:,.6g}"
    return TableFinding(
        table.name, measure.column, "outliers", "warning", rows, total,
        f"{rows:,} of {total:,} rows{kind} lie beyond a robust z of {BOUND:g}: {high:,} "
        f"too large, {low:,} too small; the most extreme is {measure.words} {extreme}, z {z:.1f}, "
        f"customer {example[0]}{when}",
        f"inspect them; correct them under tables.{table.name}.correct, or drop their rows",
        {"series": series, "bound": BOUND, "largest_z": round(z, 1), "value": value,
         "example": example, "too_large": high, "too_small": low},
    )  # fmt: skip
