"""Pictures of scores and of the months behind them; the finding stands beside them as words."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from numpy.typing import NDArray

from insight.formatting.numbers import count, decimal, share
from insight.formatting.png import Picture, drawing, picture
from insight.model_report.history_series import Months
from insight.report_facts import Scores
from models.plots.regression import linear_part, symlog
from models.plots.style import CASE, INK, MODEL, QUIET, RULE, house, legend, money, percent, short

Floats = NDArray[np.float64]

SIZE = (5.8, 3.5)
CLOUD = 4000
SEGMENT_COLOURS = {"top": "#004A77", "high": "#0072B2", "middle": "#6BAED6", "low": "#C6DBEF"}


def _panel() -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE, facecolor="white", layout="constrained")
    axis = figure.add_subplot()
    house(axis)
    return figure, axis


def score_pictures(scores: Scores, currency: str) -> list[Picture]:
    """The pictures the company's targets allow: satisfaction, churn, value, whom to call."""
    wanted: tuple[tuple[tuple[str, ...], Callable[[], Picture]], ...] = (
        (("satisfaction_score",), lambda: satisfaction(scores)),
        (("churn_probability",), lambda: churn(scores)),
        (("value_expected",), lambda: concentration(scores, currency)),
        (("churn_probability", "value_expected"), lambda: risk_and_value(scores, currency)),
    )
    with drawing():
        return [draw() for columns, draw in wanted if all(c in scores for c in columns)]


def satisfaction(scores: Scores) -> Picture:
    """How the predicted scores are spread over 0 to 100, current customers below former ones."""
    score, inside = scores.numbers("satisfaction_score"), scores.current
    parts = [("current customers", score[inside], MODEL), ("former ones", score[~inside], QUIET)]
    parts = [part for part in parts if len(part[1])]
    figure, axis = _panel()
    axis.hist(
        [values for _, values, _ in parts], np.arange(0, 102.5, 2.5).tolist(), stacked=True,
        weights=[np.full(len(values), 1 / len(score)) for _, values, _ in parts],
        color=[colour for *_, colour in parts], label=[name for name, *_ in parts], alpha=0.85,
    )  # fmt: skip
    axis.set(xlim=(0, 100), xlabel="predicted satisfaction, 0 to 100", ylabel="share of customers")
    percent(axis, "y")
    if len(parts) > 1:
        legend(axis, "upper left")
    told = score[inside] if inside.any() else score
    low, high = np.quantile(told, [0.1, 0.9])
    who = "current customers" if len(parts) > 1 else "customers"
    finding = f"Four fifths of the {who} score {decimal(low, 0)} to {decimal(high, 0)}"
    return picture(figure, finding, "Everybody scored, in steps of 2.5 points.")


def churn(scores: Scores) -> Picture:
    """How the probabilities of leaving are spread among current customers."""
    chance = scores.numbers("churn_probability")[scores.current]
    figure, axis = _panel()
    axis.hist(chance, np.linspace(0, 1, 41).tolist(), color=RULE, alpha=0.8,
              weights=np.full(len(chance), 1 / max(len(chance), 1)))  # fmt: skip
    axis.set(xlim=(0, 1), xlabel="probability of leaving", ylabel="share of current customers")
    percent(axis, "xy")
    likely = count((chance >= 0.5).sum())
    finding = (
        f"{likely} of {count(len(chance))} current customers are likelier to leave than to stay"
    )
    return picture(figure, finding, "A probability of 50 % or more; current customers alone.")


def concentration(scores: Scores, currency: str) -> Picture:
    """Which share of the expected value the most valuable customers hold, by segment."""
    value = scores.numbers("value_expected")
    order = np.argsort(-value, kind="stable")
    held = np.append(0.0, np.cumsum(value[order]))
    total = held[-1] if held[-1] > 0 else np.nan
    people = np.arange(len(held)) / len(value)
    figure, axis = _panel()
    axis.plot(people, held / total, color=INK, lw=1.4)
    axis.plot([0, 1], [0, 1], color=QUIET, lw=1, ls=(0, (4, 3)))
    names = scores.columns["value_segment"][order]
    for name, colour in SEGMENT_COLOURS.items():
        inside = np.flatnonzero(names == name)
        if len(inside):
            span = slice(inside[0], inside[-1] + 2)
            label = f"{name}: {share(value[order][inside].sum() / total)} of the value"
            axis.fill_between(people[span], held[span] / total, color=colour, lw=0, label=label)
    axis.set(xlim=(0, 1), ylim=(0, 1.06), xlabel="share of customers, most valuable first",
             ylabel="share of the expected value")  # fmt: skip
    percent(axis, "xy")
    _boxed_legend(axis)
    tenth = float(np.interp(0.1, people, held / total))
    finding = f"A tenth of the customers holds {share(tenth)} of the expected value"
    return picture(figure, finding, f"Expected net revenue in {currency}, by segment.")


def risk_and_value(scores: Scores, currency: str) -> Picture:
    """Who is worth a call: probability of leaving against expected value, the top 15 marked."""
    inside = np.flatnonzero(scores.current)
    chance = scores.numbers("churn_probability")[inside]
    value = scores.numbers("value_expected")[inside]
    first = np.argsort(-(chance * value), kind="stable")[:15]
    some = np.random.default_rng(0).permutation(len(inside))[:CLOUD]
    figure, axis = _panel()
    axis.plot(chance[some], value[some], ".", color=MODEL, alpha=0.25, ms=4, mew=0)
    axis.plot(chance[first], value[first], "o", color=CASE, ms=6, mec="white", mew=0.8,
              label="the 15 to call first")  # fmt: skip
    ends = (float(value.min(initial=0.0)), float(value.max(initial=1.0)))
    symlog(axis, "y", linear_part(value), ends)
    if len(first) and (least := float((chance * value)[first[-1]])) > 0:
        along = np.linspace(max(least / ends[1], 1e-3), max(float(chance.max()), 1e-3), 200)
        axis.plot(along, least / along, color=QUIET, lw=1, ls=(0, (4, 3)),
                  label=f"{short(least)} at risk")  # fmt: skip
    axis.set(xlabel="probability of leaving", ylabel=f"expected value, {currency}", xlim=(0, None))
    percent(axis, "x")
    _boxed_legend(axis)
    risk = chance * value
    part = risk[first].sum() / risk.sum() if risk.sum() > 0 else float("nan")
    finding = f"{count(len(first))} customers hold {share(part)} of the value at risk"
    return picture(figure, finding, "Current customers; the axis of value is logarithmic.")


def _boxed_legend(axis: Axes) -> None:
    """A legend that stays readable over what is drawn."""
    axis.legend(fontsize=9, labelcolor=INK, loc="lower right", facecolor="white", edgecolor="white")


def month_pictures(months: dict[str, Months], currency: str) -> list[Picture]:
    """Revenue, active customers and survey answers month by month, of the history itself."""
    found = []
    with drawing():
        if "revenue" in months:
            found.append(_revenue(months["revenue"], currency))
        if "active" in months:
            found.append(_active(months["active"]))
        found += [_trend(months[name], name) for name in ("satisfaction", "nps") if name in months]
    return found


def _revenue(months: Months, currency: str) -> Picture:
    figure, axis = _panel()
    axis.bar(_days(months) + 14, months.numbers, width=24, color=MODEL, alpha=0.85)
    axis.set_ylabel(f"net revenue a month, {currency}")
    money(axis, "y")
    _dates(axis)
    return picture(figure, f"Revenue, {_halves(months)}", "Orders minus returns, whole months.")


def _active(months: Months) -> Picture:
    figure, axis = _panel()
    axis.plot(_days(months), months.numbers, "o-", color=MODEL, lw=1.8, ms=4)
    axis.set(ylim=(0, None), ylabel="customers with an order in the month")
    _dates(axis)
    return picture(figure, f"Active customers, {_halves(months)}", "Whole months.")


def _trend(months: Months, name: str) -> Picture:
    said = {"satisfaction": "mean answer, 0 to 100", "nps": "NPS, −100 to 100"}[name]
    figure, axis = _panel()
    axis.plot(_days(months), months.numbers, "o-", color=CASE, lw=1.8, ms=4)
    axis.set_ylabel(said)
    _dates(axis)
    seen = months.numbers[np.isfinite(months.numbers)]
    title = {"satisfaction": "Answered satisfaction", "nps": "Answered NPS"}[name]
    finding = f"{title}: {decimal(seen[0], 0)} at first, {decimal(seen[-1], 0)} at last"
    return picture(figure, finding, "Those who answered, by month of the answer.")


def _days(months: Months) -> Floats:
    return np.asarray(date2num(months.first_days), np.float64)


def _dates(axis: Axes) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axis.xaxis_date()
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _halves(months: Months) -> str:
    """The last half year against the one before or, where that is too short, the last months."""
    numbers = months.numbers
    if len(numbers) < 12:
        return "month by month"
    before, after = numbers[-12:-6].mean(), numbers[-6:].mean()
    if not before > 0:
        return "month by month"
    change = after / before - 1
    return (
        f"last half year {'up' if change >= 0 else 'down'} {share(abs(change))} on the one before"
    )
