"""Effect of an action without a hold-out group, estimated against comparable untreated customers."""

import numpy as np
from numpy.typing import NDArray

from insight.closed_loop.holdout_effect import (
    FEWEST,
    TreatmentEffect,
    not_identifiable,
    outcome_problem,
)
from insight.complaints.attributable_fraction import assign_folds
from models.evaluation.bootstrap import percentile_interval

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Above this propensity no untreated customer is comparable; at most this share may be left out.
MAX_PROPENSITY, MAX_LEFT_OUT = 0.95, 0.2
DRAWS = 500


def estimate_matched_effect(
    outcome: Floats, treated: Bools, before: Floats, seed: int = 0
) -> TreatmentEffect:
    """Estimate the average effect on the treated, doubly robust, against untreated customers.

    Unbiased if `before` (standardised columns) holds every confounder, and the propensity model or the
    outcome model is right; both are cross-fitted. Treated customers without comparable untreated ones
    are left out and counted; with more than a fifth of them the effect is not identifiable.
    """
    count, compared = int(treated.sum()), int((~treated).sum())
    if min(count, compared) < FEWEST:
        why = f"{count:,} treated and {compared:,} others; a comparison takes {FEWEST} of each"
        return not_identifiable(count, compared, why)
    if why := outcome_problem(outcome):
        return not_identifiable(count, compared, why)
    propensity, untreated = _cross_fitted(outcome, treated, before, seed)
    unmatched = treated & (propensity > MAX_PROPENSITY)
    if unmatched.sum() > MAX_LEFT_OUT * count:
        why = (
            f"{int(unmatched.sum()):,} of {count:,} treated customers have no comparable untreated "
            "customer; keep a random hold-out group next time"
        )
        return not_identifiable(count, compared, why)
    kept = ~unmatched
    capped = np.minimum(propensity, MAX_PROPENSITY)
    odds = capped / (1 - capped)
    residual = (outcome - untreated)[kept]
    inside, odds = treated[kept], odds[kept]
    gain, weight = np.where(inside, residual, 0.0), np.where(inside, 0.0, odds)

    def estimate(times: Floats) -> float:
        return float(
            (times * gain).sum() / (times * inside).sum()
            - (times * weight * residual).sum() / (times * weight).sum()
        )

    rng = np.random.default_rng(seed)
    n = len(residual)
    drawn = [
        estimate(np.bincount(rng.integers(0, n, n), minlength=n).astype(float))
        for _ in range(DRAWS)
    ]
    note = (
        "compared with customers who are alike in the recorded data; an unrecorded reason for "
        f"treatment would bias it. {int(unmatched.sum()):,} treated customers had no comparable one"
    )
    naive = float(outcome[treated].mean() - outcome[~treated].mean())
    effect = percentile_interval(estimate(np.ones(n)), np.array(drawn))
    return TreatmentEffect("matched", count, compared, effect, naive, 0.0, note)


def _cross_fitted(
    outcome: Floats, treated: Bools, before: Floats, seed: int
) -> tuple[Floats, Floats]:
    """Propensity and outcome without treatment, predicted by models fitted on other folds."""
    from sklearn.linear_model import LogisticRegression, Ridge

    fold = assign_folds(np.arange(len(treated)), seed)
    propensity, untreated = np.empty(len(treated)), np.empty(len(treated))
    for held in np.unique(fold):
        new, old = fold == held, fold != held
        treatment = LogisticRegression(C=1.0, max_iter=300).fit(before[old], treated[old])
        propensity[new] = treatment.predict_proba(before[new])[:, 1]
        model = Ridge(1.0).fit(before[old & ~treated], outcome[old & ~treated])
        untreated[new] = model.predict(before[new])
    return propensity, untreated
