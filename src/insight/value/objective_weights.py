"""Dimension weights from the data: by entropy, by CRITIC, or learned from an outcome."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused
from insight.value.weights import DimensionWeights

Floats = NDArray[np.float64]

#: Customers needed to estimate weights.
MIN_CUSTOMERS = 30
#: Bootstrap resamples for the interval of a learned weight.
RESAMPLES = 200


def entropy_weights(table: pd.DataFrame) -> DimensionWeights:
    """Weight dimensions by how much customers differ in them: one minus Shannon's entropy.

    Each dimension is first scaled to 0-1; a constant dimension has weight 0. The weights measure how
    well a dimension separates customers, not how important it is.
    """
    names, scaled, made_from = _scale_columns(table)
    total = scaled.sum(axis=0)
    part = np.divide(scaled, total, out=np.zeros_like(scaled), where=total > 0)
    logs = np.log(part, out=np.zeros_like(part), where=part > 0)
    diversity = np.where(total > 0, 1 + (part * logs).sum(axis=0) / np.log(len(part)), 0.0)
    return _normalised("entropy", names, diversity, made_from)


def critic_weights(table: pd.DataFrame) -> DimensionWeights:
    """Weight dimensions that vary much and are weakly correlated with the others (CRITIC).

    The standard deviation of the scaled dimension times the sum of one minus its correlations with the
    others (Diakoulaki, Mavrotas and Papayannakis 1995).
    """
    names, scaled, made_from = _scale_columns(table)
    spread = scaled.std(axis=0, ddof=1)
    varies = spread > 0
    correlation = np.eye(len(names))
    if varies.sum() > 1:
        correlation[np.ix_(varies, varies)] = np.corrcoef(scaled[:, varies], rowvar=False)
    conflict = (1 - correlation[:, varies]).sum(axis=1) if len(names) > 1 else np.ones(1)
    if not np.any(spread * conflict > 1e-12):  # all perfectly correlated: equal conflict
        conflict = np.ones(len(names))
    return _normalised("critic", names, spread * conflict, made_from)


def learned_weights(table: pd.DataFrame, outcome: pd.Series, seed: int = 0) -> DimensionWeights:
    """Learn the non-negative weights under which the dimensions predict a later outcome best.

    Non-negative least squares on the scaled dimensions; pass a heavy-tailed outcome as ranks. The
    interval holds 95% of the weights over resampled customers. Raises DataRefused if no dimension is
    positively related to the outcome.
    """
    both = table.assign(**{"": outcome.reindex(table.index)})
    names, scaled, made_from = _scale_columns(both, keep="")
    known = both.dropna()[""].to_numpy(float)
    share = _non_negative(scaled, known)
    if share is None:
        raise DataRefused(
            f"none of {', '.join(names)} goes up with the outcome over {len(known)} customers; weights "
            "cannot be learned from it: give them, or choose another outcome"
        )
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, len(known), len(known)) for _ in range(RESAMPLES)]
    resampled = [s for d in draws if (s := _non_negative(scaled[d], known[d])) is not None]
    low, high = np.quantile(resampled, [0.025, 0.975], axis=0) if resampled else (share, share)
    return DimensionWeights(
        "learned",
        dict(zip(names, share.tolist(), strict=True)),
        dict(zip(names, zip(low.tolist(), high.tolist(), strict=True), strict=True)),
        made_from,
    )


def _non_negative(scaled: Floats, outcome: Floats) -> Floats | None:
    """Return weights that sum to 1, or None if all are 0."""
    from scipy.optimize import nnls

    found: Floats = nnls(scaled - scaled.mean(axis=0), outcome - outcome.mean())[0]
    total = float(found.sum())
    return found / total if total > 1e-12 else None


def _scale_columns(table: pd.DataFrame, keep: str | None = None) -> tuple[list[str], Floats, str]:
    """Return complete rows, columns scaled to 0-1 (constant ones to 0), and a note of the counts."""
    complete = table.dropna()
    names = [str(c) for c in table.columns if c != keep]
    if len(complete) < MIN_CUSTOMERS:
        missing = table[names].isna().sum()
        leave_out = f"{missing.idxmax()} lacks most, leave it out or " if missing.any() else ""
        raise DataRefused(
            f"{len(complete)} of {len(table)} customers have every dimension; weights from the data "
            f"need {MIN_CUSTOMERS}: {leave_out}give the weights"
        )
    values = complete[names].to_numpy(float)
    low, span = values.min(axis=0), np.ptp(values, axis=0)
    if not span.any():
        raise DataRefused(
            f"all customers are alike in {', '.join(names)}; weights cannot be derived from the data"
        )
    scaled = np.divide(values - low, span, out=np.zeros_like(values), where=span > 0)
    return names, scaled, f"{len(complete)} customers, {len(table) - len(complete)} incomplete"


def _normalised(method: str, names: list[str], amounts: Floats, made_from: str) -> DimensionWeights:
    amounts = np.clip(amounts, 0, None)
    return DimensionWeights(
        method, dict(zip(names, (amounts / amounts.sum()).tolist(), strict=True)), {}, made_from
    )
