"""Weights from the data: by entropy, by contrast and conflict (CRITIC), or learned from an outcome."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused
from insight.value.weights import Weights

Floats = NDArray[np.float64]

#: Customers below which weights from the data are noise.
FEWEST = 30
#: Resamples behind the interval of a learned weight.
RESAMPLES = 200


def entropy_weights(table: pd.DataFrame) -> Weights:
    """More weight for dimensions in which customers differ more: one minus Shannon's entropy.

    Each dimension is first scaled to 0-1. A dimension in which all are alike weighs nothing. It tells
    how much a dimension separates, never how much it matters.
    """
    names, scaled, made_from = _prepared(table)
    total = scaled.sum(axis=0)
    part = np.divide(scaled, total, out=np.zeros_like(scaled), where=total > 0)
    logs = np.log(part, out=np.zeros_like(part), where=part > 0)
    diversity = np.where(total > 0, 1 + (part * logs).sum(axis=0) / np.log(len(part)), 0.0)
    return _shared("entropy", names, diversity, made_from)


def critic_weights(table: pd.DataFrame) -> Weights:
    """More weight for dimensions that vary much and say what the others do not.

    The standard deviation of the scaled dimension times the sum of one minus its correlations with
    the others (Diakoulaki, Mavrotas and Papayannakis 1995).
    """
    names, scaled, made_from = _prepared(table)
    spread = scaled.std(axis=0, ddof=1)
    varies = spread > 0
    correlation = np.eye(len(names))
    if varies.sum() > 1:
        correlation[np.ix_(varies, varies)] = np.corrcoef(scaled[:, varies], rowvar=False)
    conflict = (1 - correlation[:, varies]).sum(axis=1) if len(names) > 1 else np.ones(1)
    if not np.any(spread * conflict > 1e-12):  # all say the same: no conflict to tell them apart
        conflict = np.ones(len(names))
    return _shared("critic", names, spread * conflict, made_from)


def learned_weights(table: pd.DataFrame, outcome: pd.Series, seed: int = 0) -> Weights:
    """The weights under which the dimensions predict a later outcome best, none of them negative.

    Non-negative least squares on the scaled dimensions; give a heavy-tailed outcome as ranks. The
    interval holds 95 % of the weights over resampled customers. Raises DataRefused where no dimension
    goes with the outcome.
    """
    both = table.assign(**{"": outcome.reindex(table.index)})
    names, scaled, made_from = _prepared(both, keep="")
    known = both.dropna()[""].to_numpy(float)
    share = _non_negative(scaled, known)
    if share is None:
        raise DataRefused(
            f"none of {', '.join(names)} goes up with the outcome over {len(known)} customers; weights "
            "cannot be learned from it: give them, or choose another outcome"
        )
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, len(known), len(known)) for _ in range(RESAMPLES)]
    again = [s for d in draws if (s := _non_negative(scaled[d], known[d])) is not None]
    low, high = np.quantile(again, [0.025, 0.975], axis=0) if again else (share, share)
    return Weights(
        "learned",
        dict(zip(names, share.tolist(), strict=True)),
        dict(zip(names, zip(low.tolist(), high.tolist(), strict=True), strict=True)),
        made_from,
    )


def _non_negative(scaled: Floats, outcome: Floats) -> Floats | None:
    """Weights summing to 1, or none where all are 0."""
    from scipy.optimize import nnls

    found: Floats = nnls(scaled - scaled.mean(axis=0), outcome - outcome.mean())[0]
    total = float(found.sum())
    return found / total if total > 1e-12 else None


def _prepared(table: pd.DataFrame, keep: str | None = None) -> tuple[list[str], Floats, str]:
    """The complete rows scaled to 0-1 a column (constant ones to 0), and how many were left out."""
    complete = table.dropna()
    names = [str(c) for c in table.columns if c != keep]
    if len(complete) < FEWEST:
        missing = table[names].isna().sum()
        leave_out = f"{missing.idxmax()} lacks most, leave it out or " if missing.any() else ""
        raise DataRefused(
            f"{len(complete)} of {len(table)} customers have every dimension; weights from the data "
            f"need {FEWEST}: {leave_out}give the weights"
        )
    values = complete[names].to_numpy(float)
    low, span = values.min(axis=0), np.ptp(values, axis=0)
    if not span.any():
        raise DataRefused(
            f"all customers are alike in {', '.join(names)}; weights cannot be told from the data"
        )
    scaled = np.divide(values - low, span, out=np.zeros_like(values), where=span > 0)
    return names, scaled, f"{len(complete)} customers, {len(table) - len(complete)} incomplete"


def _shared(method: str, names: list[str], amounts: Floats, made_from: str) -> Weights:
    amounts = np.clip(amounts, 0, None)
    return Weights(
        method, dict(zip(names, (amounts / amounts.sum()).tolist(), strict=True)), {}, made_from
    )
