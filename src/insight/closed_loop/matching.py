"""The effect of an action without a hold-out group: against customers alike in all the tables show."""

import numpy as np
from numpy.typing import NDArray

from insight.closed_loop.treatment_effect import FEWEST, Effect, not_identifiable, unusable
from insight.complaints.attributable_fraction import folds_of
from models.evaluation.bootstrap import percentile_interval

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Treated customers likelier than this to be treated have nobody alike; so many of them may be left out.
EDGE, BEYOND = 0.95, 0.2
DRAWS = 500


def matched_effect(outcome: Floats, treated: Bools, before: Floats, seed: int = 0) -> Effect:
    """The effect on the treated, by a doubly robust comparison with those nobody treated.

    Right if everything that decided who was treated is in `before` (standardised columns), and either
    of two models, fitted on other customers, holds. Treated customers without anybody alike are left
    out and counted; if they are more than a fifth, the effect is not identifiable.
    """
    count, compared = int(treated.sum()), int((~treated).sum())
    if min(count, compared) < FEWEST:
        why = f"{count:,} treated and {compared:,} others; a comparison takes {FEWEST} of each"
        return not_identifiable(count, compared, why)
    if why := unusable(outcome):
        return not_identifiable(count, compared, why)
    chance, without = _crossed(outcome, treated, before, seed)
    alone = treated & (chance > EDGE)
    if alone.sum() > BEYOND * count:
        why = (
            f"{int(alone.sum()):,} of {count:,} treated customers have nobody alike who was left "
            "alone; leave a part alone by lot next time"
        )
        return not_identifiable(count, compared, why)
    kept = ~alone
    odds = np.minimum(chance, EDGE) / (1 - np.minimum(chance, EDGE))
    miss = (outcome - without)[kept]
    inside, odds = treated[kept], odds[kept]
    gain, weight = np.where(inside, miss, 0.0), np.where(inside, 0.0, odds)

    def estimate(times: Floats) -> float:
        return float(
            (times * gain).sum() / (times * inside).sum()
            - (times * weight * miss).sum() / (times * weight).sum()
        )

    rng = np.random.default_rng(seed)
    n = len(miss)
    drawn = [
        estimate(np.bincount(rng.integers(0, n, n), minlength=n).astype(float))
        for _ in range(DRAWS)
    ]
    note = (
        "against customers alike in what the tables show; who was treated for a reason they do not "
        f"show would mislead it. {int(alone.sum()):,} treated had nobody alike"
    )
    naive = float(outcome[treated].mean() - outcome[~treated].mean())
    effect = percentile_interval(estimate(np.ones(n)), np.array(drawn))
    return Effect("matched", count, compared, effect, naive, 0.0, note)


def _crossed(outcome: Floats, treated: Bools, before: Floats, seed: int) -> tuple[Floats, Floats]:
    """The chance of treatment and the outcome without it, by models of other customers."""
    from sklearn.linear_model import LogisticRegression, Ridge

    fold = folds_of(np.arange(len(treated)), seed)
    chance, without = np.empty(len(treated)), np.empty(len(treated))
    for held in np.unique(fold):
        new, old = fold == held, fold != held
        who = LogisticRegression(C=1.0, max_iter=300).fit(before[old], treated[old])
        chance[new] = who.predict_proba(before[new])[:, 1]
        model = Ridge(1.0).fit(before[old & ~treated], outcome[old & ~treated])
        without[new] = model.predict(before[new])
    return chance, without
