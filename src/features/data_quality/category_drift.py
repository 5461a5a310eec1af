"""Checks of text values: kinds, channels and categories that vanish, appear, pause or vary in spelling.

Only major values that occur steadily count: a product sold at Christmas has not vanished in June.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from features.data_quality.checked_table import SERIES, CheckedTable, month_of
from features.data_quality.daily_counts import DailyCounts, rows_after, rows_before
from features.data_quality.finding import TableFinding
from features.ingest.column_blocks import column_blocks
from features.ingest.sql import quote_identifier

TEXTS = {
    "customers": (),
    "events": ("kind", "channel", "category"),
    "surveys": ("instrument", "dimension", "channel"),
    "tickets": ("kind", "category", "channel"),
}
#: Four weeks in microseconds; share of such spans with rows, and number of spans, of a steady value.
SPAN, STEADY, SPANS = 28 * 86_400_000_000, 0.8, 3
#: Share of its series that makes a value major; missing rows and days from which an absence counts.
WEIGHT, EXPECTED, QUIET_DAYS = 0.01, 30.0, 7
#: A value that starts within these days of the data's start is not new; days used for its share.
STARTING_DAYS, NEARBY = 45, timedelta(days=83)


@dataclass(frozen=True)
class CategoryValue:
    """A value of a text column within a series; `steady` if it occurs in most four-week spans."""

    series: str
    value: str
    rows: int
    first: date
    last: date
    steady: bool


def check_vanished_and_new_values(
    table: CheckedTable, daily: DailyCounts
) -> Iterator[TableFinding]:
    """Major values that vanished for good or appeared while their series went on."""
    for column in TEXTS[table.name]:
        if not table.has(column):
            continue
        vanished, appeared = [], []
        for value in list_major_values(table, column):
            counts = daily.total if not value.series else daily.series.get(value.series)
            if counts is None or not value.steady:
                continue
            ends = daily.date_at(daily.days - 1)
            if (ends - value.last).days >= QUIET_DAYS and rows_after(daily, counts, value.last):
                share, rows = _shares(table, column, value, value.last - NEARBY, value.last)
                if share * rows[1] >= EXPECTED:
                    vanished.append(_vanished(table, column, value, share * rows[1], share))
            begins = (value.first - daily.first).days
            if begins >= STARTING_DAYS and rows_before(daily, counts, value.first):
                share, rows = _shares(table, column, value, value.first, value.first + NEARBY)
                if share * rows[0] >= EXPECTED:
                    appeared.append(_appeared(table, column, value, share * rows[0], share))
        yield from _summarise(vanished)
        yield from _summarise(appeared)


def _shares(
    table: CheckedTable, column: str, value: CategoryValue, first: date, last: date
) -> tuple[float, tuple[int, int]]:
    """A value's share of the rows from `first` to `last`, and the rows before and after its lifetime.

    Counts the rows of its series that have a value in the column.
    """
    name, own_day = quote_identifier(column), f"timezone('{table.time_zone}', {table.clock})::date"
    series = "''" if column == SERIES[table.name] else table.series_sql
    own, rows, before, after = table.connection.execute(
        f"select count(*) filter (d between $first and $last and {name} = $value), "
        "count(*) filter (d between $first and $last), count(*) filter (d < $value_first), "
        f"count(*) filter (d > $value_last) from (select {name}, {own_day} as d from {table.view} "
        f"where {series} = $series and {name} is not null)",
        {"value": value.value, "series": value.series, "first": first, "last": last,
         "value_first": value.first, "value_last": value.last},
    ).fetchall()[0]  # fmt: skip
    return (own / rows if rows else 0.0), (before, after)


def _summarise(findings: list[TableFinding]) -> Iterator[TableFinding]:
    """The first three findings unchanged, the others merged into one."""
    yield from findings[:3]
    rest = findings[3:]
    if rest:
        values = [f.evidence["value"] for f in rest]
        shown = ", ".join(map(repr, values[:5])) + (", ..." if len(values) > 5 else "")
        yield replace(
            rest[0],
            rows=sum(f.rows for f in rest),
            says=f"{len(rest)} more values {rest[0].check}: {shown}",
            evidence={"values": values},
        )


def list_major_values(table: CheckedTable, column: str) -> list[CategoryValue]:
    """The values of a column with at least 1% of their series' rows, largest first."""
    series = "''" if column == SERIES[table.name] else table.series_sql
    name, clock = quote_identifier(column), f"epoch_us({table.clock})"
    found = table.query(
        f"select series, value, n, first, last, spans from (select *, sum(n) over (partition by "
        f"series) as whole from (select {series} as series, {name} as value, count(*) as n, "
        f"min({clock}) as first, max({clock}) as last, count(distinct {clock} // {SPAN}) as spans "
        f"from {table.view} where {name} is not null group by 1, 2)) "
        f"where n >= {WEIGHT} * whole and n >= {EXPECTED} order by n desc, series, value limit 200"
    )
    values = []
    for series_name, value, rows, first, last, spans in found:
        lasted = last // SPAN - first // SPAN + 1
        steady = lasted >= SPANS and spans >= STEADY * lasted
        days = (table.local_time(first).date(), table.local_time(last).date())
        values.append(CategoryValue(series_name, value, rows, *days, steady))
    return values


def _of_kind(value: CategoryValue) -> str:
    return f" of kind {value.series}" if value.series else ""


def _vanished(
    table: CheckedTable, column: str, value: CategoryValue, missing: float, share: float
) -> TableFinding:
    return TableFinding(
        table.name, column, "vanished", "warning", value.rows, table.rows,
        f"{value.value!r} vanished after {value.last}: {share:.1%} of the rows{_of_kind(value)} before, "
        f"none since; about {missing:,.0f} are usual",
        "check whether it was renamed or its import stopped; map the new name onto the old one",
        {"value": value.value, "series": value.series, "last_day": str(value.last),
         "usual_rows": round(missing), "share": round(share, 4)},
    )  # fmt: skip


def _appeared(
    table: CheckedTable, column: str, value: CategoryValue, missing: float, share: float
) -> TableFinding:
    return TableFinding(
        table.name, column, "appeared", "warning" if share >= 0.1 else "advice",
        value.rows, table.rows,
        f"{value.value!r} appears on {value.first}: {share:.1%} of the rows{_of_kind(value)} since, "
        f"none before; about {missing:,.0f} are usual",
        "check whether it is new, a new name, or was not recorded before",
        {"value": value.value, "series": value.series, "first_day": str(value.first),
         "share": round(share, 4)},
    )  # fmt: skip


def check_paused_values(table: CheckedTable) -> Iterator[TableFinding]:
    """Major channels and categories without rows for whole months in between."""
    for column in TEXTS[table.name]:
        if not table.has(column) or column == SERIES[table.name]:
            continue
        for value, months in _months(table, column).items():
            present = [i for i, (_, n, _) in enumerate(months) if n]
            own = sum(n for _, n, _ in months)
            others = sum(t - n for _, n, t in months if n)
            gaps = [
                (m, t * own / max(others, 1))  # all rows of the month belong to other values
                for m, n, t in months[present[0] : present[-1]]
                if not n
            ]
            missing = sum(usual for _, usual in gaps)
            if gaps and len(gaps) <= (1 - STEADY) * len(months) and missing >= EXPECTED:
                yield _paused(table, column, value, [m for m, _ in gaps], missing)


def _months(table: CheckedTable, column: str) -> dict[str, list[tuple[str, int, int]]]:
    """(month, rows of the value, rows of all values) of each major value, months without it included."""
    if not (values := list(dict.fromkeys(v.value for v in list_major_values(table, column)))):
        return {}
    name = quote_identifier(column)
    found = table.connection.execute(
        f"select {month_of(table.clock, table.time_zone)}, "
        f"case when list_contains($values, {name}) then {name} end, "
        f"count(*) from {table.view} where {name} is not null group by 1, 2",
        {"values": values},
    ).fetchall()
    whole: dict[str, int] = {}
    own: dict[tuple[str, str], int] = {}
    for first, value, rows in found:
        month = f"{first:%Y-%m}"
        whole[month] = whole.get(month, 0) + rows
        own[value, month] = rows
    return {v: [(m, own.get((v, m), 0), whole[m]) for m in sorted(whole)] for v in values}


def _paused(
    table: CheckedTable, column: str, value: str, months: list[str], missing: float
) -> TableFinding:
    return TableFinding(
        table.name, column, "paused", "warning", round(missing), table.rows,
        f"{value!r} has no rows in {', '.join(months[:4])}; about {missing:,.0f} are usual",
        "check whether its records of those months were imported or have another name",
        {"value": value, "months": months},
    )  # fmt: skip


def check_spellings(table: CheckedTable) -> Iterator[TableFinding]:
    """Values that differ only in case and spaces: probably the same value."""
    attributes = [a for a, kind in table.source.attributes.items() if kind == "text"]
    texts = [c for c in (*TEXTS[table.name], *attributes) if table.has(c)]
    for relation, block in column_blocks(table.connection, table.view, texts, []):
        for column, found in _find_spellings(table, relation, block).items():
            yield _spellings(table, column, found, shown=column not in attributes)


def _find_spellings(
    table: CheckedTable, relation: str, columns: Sequence[str]
) -> dict[str, list[tuple[list[str], int]]]:
    """Values with several spellings, by column: the most frequent first, and rows of the others."""
    named = ", ".join(map(quote_identifier, columns))
    found: dict[str, list[tuple[list[str], int]]] = {}
    for column, spellings, rows in table.query(
        "select place, list(v order by n desc, v), sum(n)::bigint - max(n) as others from ("
        "select place, lower(trim(v)) as k, v, count(*) as n from "
        f"(unpivot (select {named} from {relation}) on {named} into name place value v) "
        "group by 1, 2, 3) group by place, k having count(*) > 1 "
        "qualify row_number() over (partition by place order by others desc, k) <= 1000 "
        "order by others desc, k"
    ):
        found.setdefault(column, []).append((spellings, rows))
    return {column: found[column] for column in columns if column in found}


def _spellings(
    table: CheckedTable, column: str, found: list[tuple[list[str], int]], shown: bool
) -> TableFinding:
    """The finding; values of CRM attributes may be personal names, so they are not shown."""
    examples = [names[:3] for names, _ in found[:3]] if shown else []
    listed = "".join(f"; {' and '.join(map(repr, names))}" for names in examples)
    return TableFinding(
        table.name, column, "spellings", "warning", sum(n for _, n in found), table.rows,
        f"{len(found)} values have several spellings (case or spaces){listed}",
        f'map one spelling: {column} = "lower(trim(...))"',
        {"values": examples},
    )  # fmt: skip
