"""Amounts and quantities in different units within one column: cents among euros, pieces among packs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np

from features.data_quality.checked_table import SAMPLE, CheckedTable, month_of
from features.data_quality.finding import TableFinding

#: Factors between units: 100 (cents, per cent), 1000 (thousands, grams), as decimal logarithms.
FACTORS = {2: 100, 3: 1000}
#: How close to a factor counts, in decimal logarithms; a jump between months; rows of a group.
NEAR, JUMP, LEAST = 0.3, 1.5, 30
#: A second hump of values holds so many times the rows of the valley half-way to it.
HUMP = 3
#: A channel or the time since a month explains a hump that lies to this share in it.
MOSTLY = 0.9
MONTH = month_of("occurred_at")


@dataclass(frozen=True)
class UnitMismatch:
    """Rows of a series in another unit: how many, by which factor, where, and SQL that says where."""

    series: str
    rows: int
    factor: int
    larger: bool
    says: str
    when: str
    figures: dict[str, Any]


def check_units(table: CheckedTable) -> Iterator[TableFinding]:
    """Numbers that jump by a factor of 100 or 1000 between months, channels or a customer's rows."""
    if table.name != "events":
        return
    for column in ("amount", "quantity"):
        if not table.has(column):
            continue
        found = list(_by_month(table, column))
        if table.has("channel"):
            found += _by_channel(table, column)
        told = {off.series for off in found}
        found += [off for off in _within_customers(table, column) if off.series not in told]
        yield from (_finding(table, column, off) for off in found)


def _finding(table: CheckedTable, column: str, off: UnitMismatch) -> TableFinding:
    kind = f" of kind {off.series}" if off.series else ""
    size = f"{off.factor} times {'larger' if off.larger else 'smaller'}"
    becomes = f"{column} {'/' if off.larger else '*'} {off.factor}"
    return TableFinding(
        table.name, column, "scale", "warning", off.rows, table.rows,
        f"about {off.rows:,} rows{kind} are {size} than {off.says}; another unit?",
        f'under tables.{table.name}.correct: unit = {{ column = "{column}", when = "{off.when}", '
        f'becomes = "{becomes}" }}',
        {"series": off.series, "factor": off.factor, "larger": off.larger, **off.figures},
    )  # fmt: skip


def _kind(series: str) -> str:
    return f"kind = '{series}' and "


def _by_month(table: CheckedTable, column: str) -> Iterator[UnitMismatch]:
    """Months whose median is a factor off the median month, after a jump."""
    for series, months in _medians(table, column, MONTH).items():
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
    """Channels whose median is a factor off that of all others together."""
    for series, channels in _medians(table, column, "channel").items():
        for place, (name, middle, rows) in enumerate(channels):
            others = [(m, n) for i, (_, m, n) in enumerate(channels) if i != place]
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


def _medians(table: CheckedTable, column: str, group: str) -> dict[str, list[tuple[str, float, int]]]:
    """(group, median decimal logarithm, rows) by series, of groups with enough rows."""
    found: dict[str, list[tuple[str, float, int]]] = {}
    every = _every(table)
    for series, name, middle, rows in table.query(
        f"select {table.series_sql}, {group} as part, median(log10(abs({column}))), count(*) "
        f"from {table.view} where {column} <> 0 and part is not null and {table.sample_condition()} "
        f"group by 1, 2 having count(*) >= {LEAST} order by 1, 2"
    ):
        shown = f"{name:%Y-%m}" if isinstance(name, date) else name
        found.setdefault(series, []).append((shown, middle, rows * every))
    return found


def _every(table: CheckedTable) -> int:
    """One row of how many is looked at."""
    return max(1, -(-table.rows // SAMPLE))


def _within_customers(table: CheckedTable, column: str) -> Iterator[UnitMismatch]:
    """Rows a factor off what their own customer usually has: a second hump beside the first."""
    channel = "channel" if table.has("channel") else "null::varchar"
    table.connection.execute(
        "create or replace temp table own as with x as (select customer_id, "
        f"{table.series_sql} as series, log10(abs({column})) as x, {channel} as channel, "
        f"{MONTH} as month from {table.view} "
        f"where {column} <> 0 and hash(customer_id) % {_every(table)} = 0) "
        "select series, channel, month, x - m as r from x join (select customer_id, series, "
        "median(x) as m from x group by 1, 2 having count(*) >= 5) using (customer_id, series)"
    )
    for power, factor in FACTORS.items():
        for sign in (1, -1):
            hump = f"r between {sign * power} - .25 and {sign * power} + .25"
            valley = f"r between {sign * power / 2} - .25 and {sign * power / 2} + .25"
            for series, rows in table.query(
                f"select series, count(*) filter ({hump}) as a from own group by 1 having "
                f"a >= {LEAST} and a > {HUMP} * count(*) filter ({valley}) order by 1"
            ):
                where, when, figures = _where(table, series, hump)
                yield UnitMismatch(
                    series, rows * _every(table), factor, sign > 0,
                    f"the same customer's others{where}", f"{_kind(series)}{when}", figures,
                )  # fmt: skip
    table.connection.execute("drop table own")


def _where(table: CheckedTable, series: str, hump: str) -> tuple[str, str, dict[str, Any]]:
    """Where the rows of a hump lie: one channel, since a month; in words, in SQL, as figures."""
    rows, channel, most, first, last = table.connection.execute(
        "select sum(n), arg_max(channel, n), max(n), strftime(min(first), '%Y-%m'), "
        "strftime(max(last), '%Y-%m') from (select channel, "
        f"count(*) as n, min(month) as first, max(month) as last from own where series = ? and {hump} "
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
