"""Best and worst customers contrasted in six steps: which traits separate them, and how strongly.

1 choose the figure; 2 list the best; 3 list the worst; 4 compare every trait; 5 keep the five that
matter most, none of them saying what another says; 6 see who else has them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused

#: Customers at each end below which traits differ by chance.
FEWEST = 20
#: A rank correlation from which two traits say the same.
SAME = 0.8


@dataclass(frozen=True)
class Contrast:
    """Step by step: `best` and `worst` (customers), `traits` (all), `five` (names), `alike`.

    `alike` is the share of the five traits in which a customer is nearer to the best than to the worst.
    """

    best: list[str]
    worst: list[str]
    traits: pd.DataFrame
    five: list[str]
    alike: pd.Series


def contrast(
    figure: pd.Series,
    traits: pd.DataFrame,
    share: float = 0.1,
    own: Sequence[str] = (),
    keep: int = 5,
) -> Contrast:
    """The best and worst `share` of customers by a figure, and what separates them.

    `own` names traits the figure is made of: they would explain it by itself and are left out. Raises
    DataRefused under 20 customers at each end, or when no trait is left.
    """
    known = figure.dropna()
    count = round(share * len(known))
    if count < FEWEST:
        raise DataRefused(
            f"{share:.0%} of {len(known)} customers are {count}; the contrast needs {FEWEST} at each "
            f"end: {_remedy(len(known), share)}"
        )
    order = known.sort_values(kind="stable").index
    worst, best = order[:count], order[::-1][:count]
    found = traits.drop(columns=[c for c in own if c in traits]).reindex(known.index)
    found = found.loc[:, found.nunique() > 1]
    if found.empty:
        raise DataRefused(
            "no trait differs between customers; give traits the figure is not made of"
        )
    table = _compared(found.loc[best], found.loc[worst])
    five = _different(table, found, keep)
    alike = _likeness(found, table.loc[five], found.loc[best], found.loc[worst])
    return Contrast([str(c) for c in best], [str(c) for c in worst], table, five, alike)


def _remedy(count: int, share: float) -> str:
    """What would give the ends enough customers; an end has half of them at the most."""
    if count < 2 * FEWEST:
        return f"so many customers are too few, from {round(FEWEST / share)} on there are enough"
    return f"choose a share of {FEWEST / count:.0%} or more"


def _compared(best: pd.DataFrame, worst: pd.DataFrame) -> pd.DataFrame:
    """Every trait with its effect, 95 % interval and adjusted p, the strongest first.

    Numbers: Cliff's delta (share of pairs in which the best have more, less the share in which they
    have less). Texts: the largest difference of a value's share. Both lie between -1 and 1. p by
    Mann and Whitney, or chi-square, adjusted for the number of traits (Holm).
    """
    rows = []
    for name in best:
        a, b = best[name].dropna(), worst[name].dropna()
        if len(a) and len(b):
            one = _number if pd.api.types.is_numeric_dtype(best[name]) else _text
            rows.append({"trait": name, **one(a, b), "known": (len(a) + len(b)) / (2 * len(best))})
    table = pd.DataFrame(rows).set_index("trait")
    ordered = table["p"].sort_values()
    factor = np.arange(len(ordered), 0, -1)
    table["p"] = (ordered * factor).cummax().clip(upper=1.0)
    return table.loc[table["effect"].abs().sort_values(ascending=False, kind="stable").index]


def _number(best: pd.Series, worst: pd.Series) -> dict[str, object]:
    from scipy.stats import mannwhitneyu

    a, b = best.to_numpy(float), worst.to_numpy(float)
    test = mannwhitneyu(a, b)
    delta = 2 * float(test.statistic) / (len(a) * len(b)) - 1
    wins = 2 * _share_below(a, b) - 1  # each one's own delta against the other group
    losses = 1 - 2 * _share_below(b, a)
    wide = 1.96 * np.sqrt(wins.var() / len(a) + losses.var() / len(b))
    return {
        "effect": delta, "low": max(-1.0, delta - wide), "high": min(1.0, delta + wide),
        "p": float(test.pvalue), "best": f"{np.median(a):.4g}", "worst": f"{np.median(b):.4g}",
    }  # fmt: skip


def _text(best: pd.Series, worst: pd.Series) -> dict[str, object]:
    from scipy.stats import chi2_contingency

    values = sorted(set(best.astype(str)) | set(worst.astype(str)))
    counts = np.array([[(s.astype(str) == v).sum() for v in values] for s in (best, worst)])
    p = chi2_contingency(counts).pvalue if len(values) > 1 else 1.0
    shares = counts / counts.sum(axis=1, keepdims=True)
    at = int(np.argmax(np.abs(shares[0] - shares[1])))
    difference, (one, other) = float(shares[0, at] - shares[1, at]), shares[:, at]
    wide = 1.96 * np.sqrt(one * (1 - one) / len(best) + other * (1 - other) / len(worst))
    return {
        "effect": difference, "low": max(-1.0, difference - wide), "high": min(1.0, difference + wide),
        "p": float(p), "best": f"{one:.0%} {values[at]}", "worst": f"{other:.0%} {values[at]}",
    }  # fmt: skip


def _share_below(values: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of the others each value is above; equal ones count half."""
    others = np.sort(others)
    both = np.searchsorted(others, values, "left") + np.searchsorted(others, values, "right")
    return np.asarray(both / (2 * len(others)))


def _different(table: pd.DataFrame, traits: pd.DataFrame, keep: int) -> list[str]:
    """The strongest traits beyond chance, without those that follow a stronger one's order."""
    five: list[str] = []
    for name in table.index[table["p"] < 0.05]:
        numeric = [c for c in [*five, name] if pd.api.types.is_numeric_dtype(traits[c])]
        said = False
        if name in numeric and len(numeric) > 1:
            with np.errstate(invalid="ignore", divide="ignore"):
                together = traits[numeric].corr("spearman")[name].drop(name).abs()
            said = bool((together >= SAME).any())
        if not said:
            five.append(str(name))
        if len(five) == keep:
            break
    return five


def _likeness(
    traits: pd.DataFrame, five: pd.DataFrame, best: pd.DataFrame, worst: pd.DataFrame
) -> pd.Series:
    """The share of the five in which each customer is on the side of the best."""
    sides = {}
    for name, row in five.iterrows():
        values = traits[name]
        if pd.api.types.is_numeric_dtype(values):
            middle = (best[name].median() + worst[name].median()) / 2
            side = values > middle if row["effect"] > 0 else values < middle
        else:
            side = (values.astype(str) == str(row["best"]).split(" ", 1)[1]) == (row["effect"] > 0)
        sides[name] = side.astype(float).where(values.notna())
    return pd.DataFrame(sides, index=traits.index).mean(axis=1)
