"""Plots of a company's tables: rows per day, missing values, kinds, amounts, customers."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from features.data_quality.check_tables import DataQualityReport
from features.data_quality.finding import TableFinding
from features.formatting import ENGLISH
from insight.formatting.plot_images import PlotImage, drawable_text, plot_fonts, plot_image
from models.plots.style import (
    ACTUAL,
    CASE,
    FAINT,
    MODEL,
    QUIET,
    RULE,
    apply_style,
    legend,
    money,
    percent,
)

SIZE = (5.8, 3.2)
#: Colours of a stacked plot, largest part first; the last one is for all others.
PARTS = (MODEL, "#56B4E9", ACTUAL, "#F0E442", "#E69F00", RULE, CASE, FAINT)
LINE_COLOURS = (MODEL, RULE, ACTUAL, CASE)
MISSING = LinearSegmentedColormap.from_list("missing", ["#F4F7FA", "#E69F00", "#B3341B"])
LINES = 12


def plot_table(report: DataQualityReport, table: str) -> list[PlotImage]:
    """The plots of one table that its profile allows."""
    profile = report.profile.get("tables", {}).get(table, {})
    own = [f for f in report.findings if f.table == table]
    with plot_fonts():
        return list(_plots(table, profile, own))


def _plots(table: str, profile: dict[str, Any], own: list[TableFinding]) -> Iterator[PlotImage]:
    if "days" in profile and table != "customers":
        yield _plot_days(table, profile["days"], own)
    if profile.get("missing_by_month", {}).get("columns"):
        plot = _plot_missing(table, profile["missing_by_month"])
        if plot:
            yield plot
    for column, months in profile.get("shares", {}).items():
        if len(months["values"]) > 1 and len(months["months"]) > 1:
            yield _plot_shares(column, months)
    if profile.get("amounts"):
        yield _plot_amounts(profile["amounts"], own)


def _panel(height: float = SIZE[1]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(SIZE[0], height), facecolor="white", layout="constrained")
    axis = figure.add_subplot()
    apply_style(axis)
    return figure, axis


def _dated(axis: Axes) -> None:
    locator = AutoDateLocator(maxticks=8)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _plot_days(table: str, profile: dict[str, Any], own: list[TableFinding]) -> PlotImage:
    """Rows per day; periods with missing rows are shaded."""
    first = date.fromisoformat(profile["first"])
    rows = np.array(profile["rows"], float)
    when = np.asarray(date2num(first)) + np.arange(len(rows))
    figure, axis = _panel()
    axis.plot(when, rows, color=MODEL, lw=0.8)
    gaps = [f for f in own if f.check in ("volume", "last days") and "first_day" in f.evidence]
    for i, gap in enumerate(gaps):
        start = date.fromisoformat(gap.evidence["first_day"])
        end = gap.evidence.get("last_day", str(first + timedelta(days=len(rows) - 1)))
        ends = [date2num(start) - 0.5, date2num(date.fromisoformat(end)) + 0.5]
        axis.axvspan(*ends, color=RULE, alpha=0.3, lw=0, label=None if i else "rows missing")
    axis.set(ylim=(0, None), ylabel="rows per day")
    _dated(axis)
    money(axis, "y")
    if gaps:
        legend(axis)
    missing = sum(f.rows for f in own if f.check in ("volume", "last days"))
    finding = (
        f"About {ENGLISH.count(missing)} rows are missing" if missing else "No rows are missing"
    )
    return plot_image(
        figure, f"{table}: {finding}",
        f"{ENGLISH.count(rows.sum())} rows, by day in the company's time zone.",
    )  # fmt: skip


def _plot_missing(table: str, profile: dict[str, Any]) -> PlotImage | None:
    """The share of missing values by column and month; None if no value is missing."""
    columns = {c: s for c, s in profile["columns"].items() if any(x for x in s if x)}
    if not columns:
        return None
    shown = sorted(columns, key=lambda c: -max(x or 0.0 for x in columns[c]))[:LINES]
    grid = np.array([[np.nan if x is None else x for x in columns[c]] for c in shown])
    figure, axis = _panel(max(1.6, 0.9 + 0.28 * len(shown)))
    image = axis.imshow(grid, aspect="auto", cmap=MISSING, vmin=0, vmax=1, interpolation="nearest")
    months = profile["months"]
    every = max(1, -(-len(months) // 8))
    axis.set_xticks(range(0, len(months), every), months[::every], rotation=30, ha="right")
    axis.set_yticks(range(len(shown)), [drawable_text(c) for c in shown])
    axis.grid(visible=False)
    bar = figure.colorbar(image, ax=axis, fraction=0.03, pad=0.02)
    percent(bar.ax, "y")
    worst = shown[0]
    most = max(x or 0.0 for x in columns[worst])
    return plot_image(
        figure,
        f"{table}: {worst} is missing most often, in up to {ENGLISH.percent(most)} of a month's rows",
        "By month, among rows of the kinds that have the column.",
    )  # fmt: skip


def _plot_shares(column: str, profile: dict[str, Any]) -> PlotImage:
    """The share of each value of a column among the rows of a month."""
    months = [date.fromisoformat(f"{m}-15") for m in profile["months"]]
    values = profile["values"]
    stacked = np.array([values[v] for v in values], float)
    stacked /= np.maximum(stacked.sum(axis=0), 1.0)
    figure, axis = _panel()
    colours = [PARTS[min(i, len(PARTS) - 1)] for i in range(len(values))]
    labels = [drawable_text(str(v))[:24] for v in values]
    when = date2num(months)
    axis.stackplot(when, stacked, colors=colours, labels=labels, lw=0)
    axis.set(ylim=(0, 1), xlim=(when[0], when[-1]), ylabel="share of the month's rows")
    percent(axis, "y")
    _dated(axis)
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    most = max(values, key=lambda v: sum(values[v]))
    part = sum(values[most]) / max(sum(sum(v) for v in values.values()), 1)
    return plot_image(
        figure,
        f"{column}: {most} has {ENGLISH.percent(part)} of the rows",
        "Share of each month's rows.",
    )


def _plot_amounts(profile: dict[str, list[list[float]]], own: list[TableFinding]) -> PlotImage:
    """Histogram of the amounts by kind, on logarithmic axes."""
    figure, axis = _panel()
    for colour, (kind, steps) in zip(LINE_COLOURS, profile.items(), strict=False):
        size, rows = np.array(steps).T
        filled = np.round(np.arange(size.min() - 0.1, size.max() + 0.15, 0.1), 1)
        counts = np.zeros(len(filled))
        counts[np.searchsorted(filled, size - 0.05)] = rows
        axis.step(
            10**filled,
            counts,
            where="mid",
            color=colour,
            lw=1.6,
            label=drawable_text(kind or "all"),
        )
    axis.set(xscale="log", yscale="symlog", ylim=(0, None), xlabel="absolute amount",
             ylabel="rows")  # fmt: skip
    money(axis, "xy")
    legend(axis)
    far = sum(f.rows for f in own if f.check == "outliers" and f.column == "amount")
    finding = f"{ENGLISH.count(far)} amounts are outliers" if far else "No amount is an outlier"
    return plot_image(
        figure, finding, "Both axes are logarithmic; a second peak may be another unit."
    )


def plot_customers(months: list[list[Any]]) -> PlotImage:
    """Customers first and last seen, by month."""
    with plot_fonts():
        when = date2num([date.fromisoformat(f"{m[0]}-15") for m in months])
        new, gone = (np.array([m[i] for m in months], float) for i in (1, 2))
        figure, axis = _panel()
        axis.bar(when, new, 24, color=MODEL, label="first seen")
        axis.bar(when, -gone, 24, color=RULE, label="last seen")
        axis.axhline(0, color=QUIET, lw=0.8)
        axis.set(ylabel="customers")
        money(axis, "y")
        _dated(axis)
        legend(axis)
        return plot_image(
            figure,
            f"{ENGLISH.count(new.sum())} customers were active from {months[0][0]} to {months[-1][0]}",
            "The first months include customers from before the data; the last, customers who have "
            "not left.",
        )  # fmt: skip
