"""Check for different units within one column: cents among euros, pieces among packs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np

from features.data_quality.checked_table import SAMPLE, CheckedTable, month_of
from features.data_quality.finding import TableFinding

#: Factors between units by decimal logarithm: 100 (cents, percent), 1000 (thousands, grams).
FACTORS = {2: 100, 3: 1000}
#: Tolerance around a factor and jump between months, in decimal logarithms; fewest rows of a group.
NEAR, JUMP, LEAST = 0.3, 1.5, 30
#: A second peak has at least this multiple of the rows in the valley half-way to it.
PEAK = 3
#: A channel explains a second peak if it holds this share of its rows.
MOSTLY = 0.9


@dataclass(frozen=True)
class UnitMismatch:
    """Rows of a series in another unit: number, factor, location in words and as an SQL condition."""

    series: str
    rows: int
    factor: int
    larger: bool
    compared_with: str
    when: str
    figures: dict[str, Any]


def check_units(table: CheckedTable) -> Iterator[TableFinding]:
    """Numbers that differ by a factor of 100 or 1000 between months, channels or a customer's rows."""
    if table.name != "events":
        return
    for column in ("amount", "quantity"):
        if not table.has(column):
            continue
        found = list(_by_month(table, column))
        if table.has("channel"):
            found += _by_channel(table, column)
        reported = {off.series for off in found}
        found += [off for off in _within_customers(table, column) if off.series not in reported]
        yield from (_finding(table, column, off) for off in found)


def _finding(table: CheckedTable, column: str, off: UnitMismatch) -> TableFinding:
    kind = f" of kind {off.series}" if off.series else ""
    size = f"{off.factor} times {'larger' if off.larger else 'smaller'}"
    becomes = f"{column} {'/' if off.larger else '*'} {off.factor}"
    return TableFinding(
        table.name, column, "scale", "warning", off.rows, table.rows,
        f"about {off.rows:,} rows{kind} are {size} than {off.compared_with}; another unit?",
        f'under tables.{table.name}.correct: unit = {{ column = "{column}", when = "{off.when}", '
        f'becomes = "{becomes}" }}',
        {"series": off.series, "factor": off.factor, "larger": off.larger, **off.figures},
    )  # fmt: skip


def _month(table: CheckedTable) -> str:
    return month_of("occurred_at", table.time_zone)


def _kind(series: str) -> str:
    return f"kind = '{series}' and "


def _by_month(table: CheckedTable, column: str) -> Iterator[UnitMismatch]:
    """Months whose median differs from the median month by a factor, after a jump."""
    for series, months in _medians(table, column, _month(table)).items():
        middles = np.array([m for _, m, _ in months])
        usual = float(np.median(middles))
        if not any(abs(b - a) > JUMP for a, b in pairwise(middles)):
            continue
        for power, factor in FACTORS.items():
            off = np.flatnonzero(np.abs(np.abs(middles - usual) - power) < NEAR)
            if len(off):
                first, last = months[off[0]][0], months[off[-1]][0]
                ends = last < months[-1][0]
                until = f" and occurred_at < date '{last}-01' + interval 1 month" if ends else ""
                yield UnitMismatch(
                    series, sum(months[i][2] for i in off), factor, bool(middles[off[0]] > usual),
                    f"in the other months: {first}{f' to {last}' if last > first else ''}, median "
                    f"{10 ** middles[off].mean():,.4g} against {10**usual:,.4g}",
                    f"{_kind(series)}occurred_at >= '{first}-01'{until}",
                    {"months": [months[i][0] for i in off]},
                )  # fmt: skip


def _by_channel(table: CheckedTable, column: str) -> Iterator[UnitMismatch]:
    """Channels whose median differs by a factor from that of all other channels."""
    for series, channels in _medians(table, column, "channel").items():
        for own, (name, middle, rows) in enumerate(channels):
            others = [(m, n) for i, (_, m, n) in enumerate(channels) if i != own]
            if rows >= sum(n for _, n in others):
                continue
            usual = float(np.average([m for m, _ in others], weights=[n for _, n in others]))
            for power, factor in FACTORS.items():
                if abs(abs(middle - usual) - power) < NEAR:
                    yield UnitMismatch(
                        series, rows, factor, middle > usual,
                        f"in the other channels: channel {name}, median {10**middle:,.4g} against "
                        f"{10**usual:,.4g}",
                        f"{_kind(series)}channel = '{name}'", {"channel": name},
                    )  # fmt: skip


def _medians(
    table: CheckedTable, column: str, group: str
) -> dict[str, list[tuple[str, float, int]]]:
    """(group, median decimal logarithm, rows) by series, for groups with enough rows."""
    found: dict[str, list[tuple[str, float, int]]] = {}
    every = _sampling_step(table)
    for series, name, middle, rows in table.query(
        f"select {table.series_sql}, {group} as part, median(log10(abs({column}))), count(*) "
        f"from {table.view} where {column} <> 0 and part is not null and {table.sample_condition()} "
        f"group by 1, 2 having count(*) >= {LEAST} order by 1, 2"
    ):
        shown = f"{name:%Y-%m}" if isinstance(name, date) else name
        found.setdefault(series, []).append((shown, middle, rows * every))
    return found


def _sampling_step(table: CheckedTable) -> int:
    """One in this number of rows is sampled."""
    return max(1, -(-table.rows // SAMPLE))


def _within_customers(table: CheckedTable, column: str) -> Iterator[UnitMismatch]:
    """Rows that differ by a factor from their customer's median: a second peak of the distribution."""
    channel = "channel" if table.has("channel") else "null::varchar"
    table.connection.execute(
        "create or replace temp table own as with x as (select customer_id, "
        f"{table.series_sql} as series, log10(abs({column})) as x, {channel} as channel, "
        f"{_month(table)} as month from {table.view} "
        f"where {column} <> 0 and hash(customer_id) % {_sampling_step(table)} = 0) "
        "select series, channel, month, x - m as r from x join (select customer_id, series, "
        "median(x) as m from x group by 1, 2 having count(*) >= 5) using (customer_id, series)"
    )
    for power, factor in FACTORS.items():
        for sign in (1, -1):
            peak = f"r between {sign * power} - .25 and {sign * power} + .25"
            valley = f"r between {sign * power / 2} - .25 and {sign * power / 2} + .25"
            for series, rows in table.query(
                f"select series, count(*) filter ({peak}) as a from own group by 1 having "
                f"a >= {LEAST} and a > {PEAK} * count(*) filter ({valley}) order by 1"
            ):
                where, when, figures = _where(table, series, peak)
                yield UnitMismatch(
                    series, rows * _sampling_step(table), factor, sign > 0,
                    f"the same customer's others{where}", f"{_kind(series)}{when}", figures,
                )  # fmt: skip
    table.connection.execute("drop table own")


def _where(table: CheckedTable, series: str, peak: str) -> tuple[str, str, dict[str, Any]]:
    """Where the rows of a peak are (channel, months): in words, as SQL and as figures."""
    rows, channel, most, first, last = table.connection.execute(
        "select sum(n), arg_max(channel, n), max(n), strftime(min(first), '%Y-%m'), "
        "strftime(max(last), '%Y-%m') from (select channel, "
        f"count(*) as n, min(month) as first, max(month) as last from own where series = ? and {peak} "
        "group by 1)",
        [series],
    ).fetchall()[0]
    if channel is not None and most >= MOSTLY * rows:
        return (
            f", in channel {channel} from {first} to {last}",
            f"channel = '{channel}' and occurred_at >= '{first}-01'",
            {"channel": channel, "first_month": first, "last_month": last},
        )
    return f", from {first} to {last}", "...", {"first_month": first, "last_month": last}
