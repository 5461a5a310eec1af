"""Compare the best and the worst customers: which traits separate them, and how strongly.

Six steps: 1 choose a figure; 2 take the best customers; 3 take the worst; 4 compare every trait; 5 keep
the five strongest without redundant ones; 6 find which other customers resemble the best.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused

#: Customers needed at each end.
MIN_CUSTOMERS = 20
#: Rank correlation from which two traits are redundant.
MAX_CORRELATION = 0.8


@dataclass(frozen=True)
class TraitContrast:
    """The customers `best` and `worst`, all compared `traits`, the names `selected`, and `similarity`.

    `similarity` is the share of the selected traits in which a customer is closer to the best.
    """

    best: list[str]
    worst: list[str]
    traits: pd.DataFrame
    selected: list[str]
    similarity: pd.Series


def contrast_traits(
    figure: pd.Series,
    traits: pd.DataFrame,
    share: float = 0.1,
    own: Sequence[str] = (),
    keep: int = 5,
) -> TraitContrast:
    """Compare the best and worst `share` of customers by a figure.

    `own` names traits that are part of the figure; they would explain it trivially and are left out.
    Raises DataRefused under 20 customers at each end, or if no trait is left.
    """
    known = figure.dropna()
    count = round(share * len(known))
    if count < MIN_CUSTOMERS:
        raise DataRefused(
            f"{share:.0%} of {len(known)} customers are {count}; the contrast needs {MIN_CUSTOMERS} at "
            f"each end: {_suggest_share(len(known), share)}"
        )
    order = known.sort_values(kind="stable").index
    worst, best = order[:count], order[::-1][:count]
    found = traits.drop(columns=[c for c in own if c in traits]).reindex(known.index)
    found = found.loc[:, found.nunique() > 1]
    if found.empty:
        raise DataRefused(
            "no trait differs between customers; give traits the figure is not made of"
        )
    table = _compare_traits(found.loc[best], found.loc[worst])
    selected = _select_traits(table, found, keep)
    similarity = _similarity(found, table.loc[selected], found.loc[best], found.loc[worst])
    return TraitContrast(
        [str(c) for c in best], [str(c) for c in worst], table, selected, similarity
    )


def _suggest_share(count: int, share: float) -> str:
    """Suggest how to get enough customers at the ends; an end holds at most half of them."""
    if count < 2 * MIN_CUSTOMERS:
        return f"so many customers are too few, from {round(MIN_CUSTOMERS / share)} on there are enough"
    return f"choose a share of {MIN_CUSTOMERS / count:.0%} or more"


def _compare_traits(best: pd.DataFrame, worst: pd.DataFrame) -> pd.DataFrame:
    """Return every trait with its effect, 95% interval and adjusted p, the strongest first.

    Numbers: Cliff's delta (share of pairs in which the best have more, less the share in which they have
    less). Texts: the largest difference in the share of a value, with Newcombe's interval (1998). Both
    lie between -1 and 1. p by Mann-Whitney or chi-square, adjusted for the number of traits (Holm).
    """
    rows = []
    for name in best:
        a, b = best[name].dropna(), worst[name].dropna()
        if len(a) and len(b):
            one = _compare_numbers if pd.api.types.is_numeric_dtype(best[name]) else _compare_texts
            rows.append({"trait": name, **one(a, b), "known": (len(a) + len(b)) / (2 * len(best))})
    table = pd.DataFrame(rows).set_index("trait")
    ordered = table["p"].sort_values()
    factor = np.arange(len(ordered), 0, -1)
    table["p"] = (ordered * factor).cummax().clip(upper=1.0)
    return table.loc[table["effect"].abs().sort_values(ascending=False, kind="stable").index]


def _compare_numbers(best: pd.Series, worst: pd.Series) -> dict[str, object]:
    from scipy.stats import mannwhitneyu

    a, b = best.to_numpy(float), worst.to_numpy(float)
    test = mannwhitneyu(a, b)
    delta = 2 * float(test.statistic) / (len(a) * len(b)) - 1
    wins = 2 * _share_below(a, b) - 1  # each customer's delta against the other group
    losses = 1 - 2 * _share_below(b, a)
    half_width = 1.96 * np.sqrt(wins.var() / len(a) + losses.var() / len(b))
    low, high = max(-1.0, delta - half_width), min(1.0, delta + half_width)
    if half_width == 0:
        low, high = _separated_interval(delta, min(len(a), len(b)))
    return {
        "effect": delta, "low": low, "high": high,
        "p": float(test.pvalue), "best": f"{np.median(a):.4g}", "worst": f"{np.median(b):.4g}",
    }  # fmt: skip


def _separated_interval(delta: float, pairs: int) -> tuple[float, float]:
    """Return the interval of a delta of 1 or -1, where every one of the best is beyond the worst.

    All of `pairs` disjoint pairs agree, so the chance of agreement is at least 0.025^(1/pairs)
    (Clopper and Pearson 1934).
    """
    end = 2 * 0.025 ** (1 / pairs) - 1
    return (end, 1.0) if delta > 0 else (-1.0, -end)


def _compare_texts(best: pd.Series, worst: pd.Series) -> dict[str, object]:
    from scipy.stats import chi2_contingency
    from statsmodels.stats.proportion import confint_proportions_2indep

    values = sorted(set(best.astype(str)) | set(worst.astype(str)))
    counts = np.array([[(s.astype(str) == v).sum() for v in values] for s in (best, worst)])
    p = chi2_contingency(counts).pvalue if len(values) > 1 else 1.0
    shares = counts / counts.sum(axis=1, keepdims=True)
    at = int(np.argmax(np.abs(shares[0] - shares[1])))
    difference, (best_share, worst_share) = float(shares[0, at] - shares[1, at]), shares[:, at]
    low, high = confint_proportions_2indep(
        counts[0, at], len(best), counts[1, at], len(worst), method="newcomb"
    )
    return {
        "effect": difference, "low": float(low), "high": float(high),
        "p": float(p),
        "best": f"{best_share:.0%} {values[at]}", "worst": f"{worst_share:.0%} {values[at]}",
    }  # fmt: skip


def _share_below(values: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the others below each value; ties count half."""
    others = np.sort(others)
    both = np.searchsorted(others, values, "left") + np.searchsorted(others, values, "right")
    return np.asarray(both / (2 * len(others)))


def _select_traits(table: pd.DataFrame, traits: pd.DataFrame, keep: int) -> list[str]:
    """Return the strongest significant traits, without those that correlate with a stronger one."""
    selected: list[str] = []
    for name in table.index[table["p"] < 0.05]:
        numeric = [c for c in [*selected, name] if pd.api.types.is_numeric_dtype(traits[c])]
        redundant = False
        if name in numeric and len(numeric) > 1:
            with np.errstate(invalid="ignore", divide="ignore"):
                correlations = traits[numeric].corr("spearman")[name].drop(name).abs()
            redundant = bool((correlations >= MAX_CORRELATION).any())
        if not redundant:
            selected.append(str(name))
        if len(selected) == keep:
            break
    return selected


def _similarity(
    traits: pd.DataFrame, selected: pd.DataFrame, best: pd.DataFrame, worst: pd.DataFrame
) -> pd.Series:
    """Return the share of the selected traits in which each customer is on the side of the best."""
    sides = {}
    for name, row in selected.iterrows():
        values = traits[name]
        if pd.api.types.is_numeric_dtype(values):
            middle = (best[name].median() + worst[name].median()) / 2
            side = values > middle if row["effect"] > 0 else values < middle
        else:
            side = (values.astype(str) == str(row["best"]).split(" ", 1)[1]) == (row["effect"] > 0)
        sides[name] = side.astype(float).where(values.notna())
    return pd.DataFrame(sides, index=traits.index).mean(axis=1)
