"""Control charts on simulated lines: false alarms, delay until a change is found, false discoveries.

Monthly means of 60 answers with a standard deviation of 20, watched over four years; 20 lines make a
family, as the groups of a company do. The column "before" holds the chart of version 0.6, measured
with the same lines.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insight.satisfaction.control_charts import ChartLine, watch_lines

Floats = NDArray[np.float64]

LINES, FAMILY, MONTHS, ANSWERS, SEED = 200, 20, 48, 60, 5
USUAL_ERROR = 20 / np.sqrt(ANSWERS)
#: The month in which planted changes begin.
CHANGE = 30
Chance = Callable[[np.random.Generator, tuple[int, int]], Floats]


def _lasting(share: float, size: float) -> Chance:
    """Chance between months with this autocorrelation and size in standard errors."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        chance = rng.normal(size=shape)
        for month in range(1, shape[1]):
            fresh = np.sqrt(1 - share**2) * chance[:, month]
            chance[:, month] = share * chance[:, month - 1] + fresh
        return size * chance

    return draw


def _season(size: float) -> Chance:
    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
        phase = rng.uniform(0, 2 * np.pi, (shape[0], 1))
        return size * np.sin(2 * np.pi * np.arange(shape[1]) / 12 + phase)

    return draw


def _heavy(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return rng.standard_t(4, shape) / np.sqrt(2)


SETTINGS: dict[str, list[Chance]] = {
    "sampling error only": [],
    "chance between months, 0.75 errors": [_lasting(0.0, 0.75)],
    "chance between months, 1.5 errors": [_lasting(0.0, 1.5)],
    "chance between months, heavy tails": [_heavy],
    "season of 2 errors": [_season(2.0)],
    "season and chance of 0.75 errors": [_season(2.0), _lasting(0.0, 0.75)],
    "chance that lasts, 0.3": [_lasting(0.3, 1.0)],
    "chance that lasts, 0.6": [_lasting(0.6, 1.0)],
    "chance that lasts, 0.6, of 1.5 errors": [_lasting(0.6, 1.5)],
    "shares of 5%": [],
    "15 to 300 answers a month": [],
}


def simulate_lines(setting: str, count: int = LINES, seed: int = SEED) -> list[ChartLine]:
    """Lines without any change; every 20 of them make a family."""
    rng = np.random.default_rng(seed)
    shape = (count, MONTHS)
    answers = rng.poisson(ANSWERS, shape).clip(10).astype(float)
    if setting.startswith("15"):
        answers = rng.integers(15, 301, shape).astype(float)
    if setting.startswith("shares"):
        values, errors = _shares(rng.binomial(answers.astype(int), 0.05), answers)
    else:
        chance = sum((draw(rng, shape) for draw in SETTINGS[setting]), np.zeros(shape))
        errors = 20 / np.sqrt(answers)
        values = 75 + USUAL_ERROR * chance + errors * rng.normal(size=shape)
    return [
        ChartLine(values[i], errors[i], answers[i], str(i // FAMILY)) for i in range(count)
    ]  # fmt: skip


def _shares(hits: NDArray[np.int64], answers: Floats) -> tuple[Floats, Floats]:
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(hits, answers, method="wilson")
    return hits / answers, (high - low) / 3.92


def with_change(lines: list[ChartLine], errors: float, since: int = CHANGE) -> list[ChartLine]:
    """Every tenth line with a lasting fall, in standard errors."""
    changed = []
    for place, line in enumerate(lines):
        values = line.values.copy()
        if place % 10 == 0:
            values[since:] -= errors * USUAL_ERROR
        changed.append(ChartLine(values, line.errors, line.counts, line.family))
    return changed


def measure() -> str:
    """The tables of false alarms, delays and false discoveries."""
    alarms = [
        f"| {name} | {BEFORE[name]} | {_alarms_a_year(watch_lines(simulate_lines(name))):.2f} |"
        for name in SETTINGS
    ]
    delays = [
        _delays(name, errors)
        for name in ("sampling error only", "chance that lasts, 0.6") for errors in (1.5, 2.0, 3.0, 4.0)
    ]  # fmt: skip
    return "\n".join([
        "# Alerts", "",
        f"Measured on {datetime.now(UTC).date().isoformat()}: {LINES} lines of {MONTHS} months with "
        f"{ANSWERS} answers each (standard deviation 20, one standard error {USUAL_ERROR:.1f}), "
        f"{FAMILY} lines a family, seed {SEED}. Before: the chart of version 0.6.",
        "", "## False alarms a year and line", "",
        "| lines without change | before | now |", "|---|--:|--:|",
        *alarms, "", "## A lasting fall of every tenth line", "",
        "Months from the change to the first alarm; since: share of the new levels whose first month is "
        "right to within a month; back to usual: share without an alarm in the last six months.", "",
        "| chance | fall in errors | median delay | within 3 | within 12 | since | back to usual |",
        "|---|--:|--:|--:|--:|--:|--:|", *delays, "", "## False discoveries", "", _discoveries(), "",
    ])  # fmt: skip


#: False alarms a year and line of the chart of version 0.6 on the same lines.
BEFORE = {
    "sampling error only": "0.03",
    "chance between months, 0.75 errors": "0.10",
    "chance between months, 1.5 errors": "0.18",
    "chance between months, heavy tails": "0.26",
    "season of 2 errors": "0.15",
    "season and chance of 0.75 errors": "0.15",
    "chance that lasts, 0.3": "0.19",
    "chance that lasts, 0.6": "0.31",
    "chance that lasts, 0.6, of 1.5 errors": "0.49",
    "shares of 5%": "0.07",
    "15 to 300 answers a month": "0.04",
}


def _alarms_a_year(charts: list[pd.DataFrame]) -> float:
    found = pd.concat(charts)
    return float((found["kind"] != "").sum() / (found["expected"].notna().sum() / 12))


def _delays(setting: str, errors: float) -> str:
    charts = watch_lines(with_change(simulate_lines(setting), errors))[::10]
    first, right, usual, levels = [], 0, 0, 0
    for chart in charts:
        alarms = np.flatnonzero(chart["kind"].iloc[CHANGE:] != "")
        first.append(alarms[0] if len(alarms) else np.inf)
        new = chart[(chart["kind"] == "shift") & (chart.index >= CHANGE)]
        if len(new):
            levels, right = levels + 1, right + (abs(new["since"].iloc[0] - CHANGE) <= 1)
        usual += bool((chart["kind"].iloc[-6:] == "").all())
    delay, count = np.array(first), len(charts)
    median = np.median(delay)
    return (
        f"| {setting} | {errors:g} | {'never' if np.isinf(median) else f'{median:.0f}'} | "
        f"{(delay < 3).mean():.0%} | {(delay < 12).mean():.0%} | "
        f"{f'{right / levels:.0%}' if levels else '-'} | {usual / count:.0%} |"
    )


def _discoveries() -> str:
    """The share of false alarms among the alarms of one month in which one line in ten falls."""
    alarms = false = 0
    for seed in range(10):
        charts = watch_lines(
            with_change(simulate_lines("sampling error only", LINES, seed), 4.0, 47)
        )
        last = np.array([chart["kind"].iloc[-1] != "" for chart in charts])
        lower = np.arange(LINES) % 10 == 0
        alarms, false = alarms + int(last.sum()), false + int((last & ~lower).sum())
    return (
        f"One line in ten falls by four errors in the last month, {10 * LINES:,} lines in all: "
        f"{alarms} alarms, {false} of them false ({false / max(alarms, 1):.1%}; 5% allowed), "
        f"{alarms - false} of {LINES} falls found in their month."
    )
