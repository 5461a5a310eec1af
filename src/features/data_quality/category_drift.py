"""Kinds, channels and categories that vanish, appear or pause, and several spellings of one.

Looked at are values with a hundredth of their series' rows that are there steadily: what sells at
Christmas alone has not vanished in June.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from features.data_quality.checked_table import SERIES, Subject, month_of
from features.ingest.sql import quote_identifier
from features.data_quality.daily_counts import Timeline, rows_after, rows_before
from features.data_quality.finding import Finding

TEXTS = {
    "customers": (),
    "events": ("kind", "channel", "category"),
    "surveys": ("instrument", "dimension", "channel"),
    "tickets": ("kind", "category", "channel"),
}
#: Four weeks in microseconds: a steady value is there in four fifths of such spans.
SPAN, STEADY, SPANS = 28 * 86_400_000_000, 0.8, 3
#: Share of its series that gives a value weight; rows to be expected before its absence counts.
WEIGHT, EXPECTED, QUIET_DAYS = 0.01, 30.0, 7
#: What begins soon after the data do was there before; a share is that of the nearest weeks.
STARTING_DAYS, NEARBY = 45, timedelta(days=83)


@dataclass(frozen=True)
class Value:
    """A value of a text column within a series: its rows, first and last day, whether steady."""

    series: str
    value: str
    rows: int
    first: date
    last: date
    steady: bool


def churned(subject: Subject, line: Timeline) -> Iterator[Finding]:
    """Values with weight that vanished for good, or appeared, while their series went on."""
    for column in TEXTS[subject.name]:
        if not subject.has(column):
            continue
        vanished, appeared = [], []
        for value in weighty(subject, column):
            counts = line.total if not value.series else line.series.get(value.series)
            if counts is None or not value.steady:
                continue
            ends = line.on(line.days - 1)
            if (ends - value.last).days >= QUIET_DAYS and rows_after(line, counts, value.last):
                share, rows = _shares(subject, column, value, value.last - NEARBY, value.last)
                if share * rows[1] >= EXPECTED:
                    vanished.append(_vanished(subject, column, value, share * rows[1], share))
            begins = (value.first - line.first).days
            if begins >= STARTING_DAYS and rows_before(line, counts, value.first):
                share, rows = _shares(subject, column, value, value.first, value.first + NEARBY)
                if share * rows[0] >= EXPECTED:
                    appeared.append(_appeared(subject, column, value, share * rows[0], share))
        yield from _few(vanished)
        yield from _few(appeared)


def _shares(
    subject: Subject, column: str, value: Value, first: date, last: date
) -> tuple[float, tuple[int, int]]:
    """A value's share of the rows from `first` to `last`, and rows before its first and after its last.

    Counted among rows of its series that have any value in the column.
    """
    name, own_day = quote_identifier(column), f"timezone('{subject.zone}', {subject.clock})::date"
    series = "''" if column == SERIES[subject.name] else subject.series
    own, rows, before, after = subject.con.execute(
        f"select count(*) filter (d between $first and $last and {name} = $value), "
        "count(*) filter (d between $first and $last), count(*) filter (d < $came), "
        f"count(*) filter (d > $went) from (select {name}, {own_day} as d from {subject.table} "
        f"where {series} = $series and {name} is not null)",
        {"value": value.value, "series": value.series, "first": first, "last": last,
         "came": value.first, "went": value.last},
    ).fetchall()[0]  # fmt: skip
    return (own / rows if rows else 0.0), (before, after)


def _few(findings: list[Finding]) -> Iterator[Finding]:
    """The first three by themselves, the others together."""
    yield from findings[:3]
    rest = findings[3:]
    if rest:
        values = [f.evidence["value"] for f in rest]
        shown = ", ".join(map(repr, values[:5])) + (", ..." if len(values) > 5 else "")
        yield replace(
            rest[0],
            rows=sum(f.rows for f in rest),
            says=f"{len(rest)} more values {rest[0].check} in the same way: {shown}",
            evidence={"values": values},
        )


def weighty(subject: Subject, column: str) -> list[Value]:
    """The values of a column with at least a hundredth of their series' rows, largest first."""
    series = "''" if column == SERIES[subject.name] else subject.series
    name, clock = quote_identifier(column), f"epoch_us({subject.clock})"
    found = subject.all(
        f"select series, value, n, first, last, spans from (select *, sum(n) over (partition by "
        f"series) as whole from (select {series} as series, {name} as value, count(*) as n, "
        f"min({clock}) as first, max({clock}) as last, count(distinct {clock} // {SPAN}) as spans "
        f"from {subject.table} where {name} is not null group by 1, 2)) "
        f"where n >= {WEIGHT} * whole and n >= {EXPECTED} order by n desc, series, value limit 200"
    )
    values = []
    for series_name, value, rows, first, last, spans in found:
        lasted = last // SPAN - first // SPAN + 1
        steady = lasted >= SPANS and spans >= STEADY * lasted
        days = (subject.local(first).date(), subject.local(last).date())
        values.append(Value(series_name, value, rows, *days, steady))
    return values


def _of(value: Value) -> str:
    return f" of kind {value.series}" if value.series else ""


def _vanished(subject: Subject, column: str, value: Value, lacking: float, share: float) -> Finding:
    return Finding(
        subject.name, column, "vanished", "warning", value.rows, subject.rows,
        f"{value.value!r} vanished after {value.last}: {share:.1%} of the rows{_of(value)} before, "
        f"none since, about {lacking:,.0f} would be usual",
        "look whether it was renamed or its import stopped; map the new name onto the old one",
        {"value": value.value, "series": value.series, "last_day": str(value.last),
         "usual_rows": round(lacking), "share": round(share, 4)},
    )  # fmt: skip


def _appeared(subject: Subject, column: str, value: Value, lacking: float, share: float) -> Finding:
    return Finding(
        subject.name, column, "appeared", "warning" if share >= 0.1 else "advice",
        value.rows, subject.rows,
        f"{value.value!r} appears on {value.first}: {share:.1%} of the rows{_of(value)} since, "
        f"none before, about {lacking:,.0f} would be usual",
        "look whether it is new, a new name, or was not recorded before",
        {"value": value.value, "series": value.series, "first_day": str(value.first),
         "share": round(share, 4)},
    )  # fmt: skip


def paused(subject: Subject) -> Iterator[Finding]:
    """Channels and categories with weight that have no rows for whole months in between."""
    for column in TEXTS[subject.name]:
        if not subject.has(column) or column == SERIES[subject.name]:
            continue
        for value, months in _months(subject, column).items():
            there = [i for i, (_, n, _) in enumerate(months) if n]
            own = sum(n for _, n, _ in months)
            others = sum(t - n for _, n, t in months if n)
            gaps = [
                (m, t * own / max(others, 1))  # the month's rows are all of others
                for m, n, t in months[there[0] : there[-1]]
                if not n
            ]
            lacking = sum(usual for _, usual in gaps)
            if gaps and len(gaps) <= (1 - STEADY) * len(months) and lacking >= EXPECTED:
                yield _pause(subject, column, value, [m for m, _ in gaps], lacking)


def _months(subject: Subject, column: str) -> dict[str, list[tuple[str, int, int]]]:
    """(month, rows of the value, rows of all) of each weighty value, months without it included."""
    if not (values := list(dict.fromkeys(v.value for v in weighty(subject, column)))):
        return {}
    name = quote_identifier(column)
    found = subject.con.execute(
        f"select {month_of(subject.clock)}, case when list_contains($values, {name}) then {name} end, "
        f"count(*) from {subject.table} where {name} is not null group by 1, 2",
        {"values": values},
    ).fetchall()
    whole: dict[str, int] = {}
    own: dict[tuple[str, str], int] = {}
    for first, value, rows in found:
        month = f"{first:%Y-%m}"
        whole[month] = whole.get(month, 0) + rows
        own[value, month] = rows
    return {v: [(m, own.get((v, m), 0), whole[m]) for m in sorted(whole)] for v in values}


def _pause(subject: Subject, column: str, value: str, months: list[str], lacking: float) -> Finding:
    return Finding(
        subject.name, column, "paused", "warning", round(lacking), subject.rows,
        f"{value!r} has no rows in {', '.join(months[:4])}, about {lacking:,.0f} would be usual",
        "look whether its records of those months were imported, or got another name",
        {"value": value, "months": months},
    )  # fmt: skip


def spellings(subject: Subject) -> Iterator[Finding]:
    """Values that differ by capitals and blanks alone: one thing under several names."""
    attributes = [a for a, kind in subject.mapped.attributes.items() if kind == "text"]
    for column in (*TEXTS[subject.name], *attributes):
        if not subject.has(column):
            continue
        name = quote_identifier(column)
        found = subject.all(
            f"select list(v order by n desc, v), sum(n)::bigint - max(n) from (select "
            f"lower(trim({name})) as k, {name} as v, count(*) as n from {subject.table} "
            f"where {name} is not null group by 1, 2) group by k having count(*) > 1 "
            "order by 2 desc, 1 limit 1000"
        )
        if found:
            yield _spelt(subject, column, found, shown=column not in attributes)


def _spelt(
    subject: Subject, column: str, found: list[tuple[list[str], int]], shown: bool
) -> Finding:
    """The finding; an attribute of CRM may be a person's name, so its values are not shown."""
    examples = [names[:3] for names, _ in found[:3]] if shown else []
    told = "".join(f"; {' and '.join(map(repr, names))}" for names in examples)
    return Finding(
        subject.name, column, "spellings", "warning", sum(n for _, n in found), subject.rows,
        f"{len(found)} values come in several spellings (capitals or blanks){told}",
        f'map one spelling: {column} = "lower(trim(...))"',
        {"values": examples},
    )  # fmt: skip
