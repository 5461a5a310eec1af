"""Beyond those who were asked: which customers the answers can speak for at all."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.nonresponse.aipw import Estimate, clustered, correction
from models.nonresponse.estimate import Figure, Study
from models.nonresponse.ipw_weights import CLIP

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: The least likely of those who answered speak for nobody less likely than themselves.
RAREST = 0.01


@dataclass(frozen=True)
class Coverage:
    """The customers of a snapshot beside those who answered; `inside` the support or not.

    A customer is covered when his chance of answering lies in the range of those who did answer,
    the least likely hundredth left out: beyond it the answers of others say nothing about him.
    `asked` and `answered` count the customers who were, or did, in the window.
    """

    customers: int
    asked: int
    answered: int
    inside: Mask

    @property
    def share(self) -> float:
        """The share of the customers that is covered; NaN without a customer."""
        return float(self.inside.mean()) if self.customers else float("nan")


def coverage(study: Study, snapshot: pa.Table, chance: Floats) -> Coverage:
    """Who of a snapshot is like those who answered; `chance` is that of answering if asked now."""
    heard = study.asked.answered & study.asked.recent
    least = max(CLIP, float(np.quantile(study.propensity.chance[heard], RAREST)))
    most = float(study.propensity.chance[heard].max())
    ids = snapshot["customer_id"].to_pylist()
    asked, answered = (
        {study.asked.ids[c] for c in np.unique(study.asked.customer[mask])}
        for mask in (study.asked.recent, heard)
    )
    return Coverage(
        customers=len(ids),
        asked=sum(i in asked for i in ids),
        answered=sum(i in answered for i in ids),
        inside=np.asarray((chance >= least) & (chance <= most)),
    )


def everybody(study: Study, figure: Figure, shares: Floats) -> Estimate:
    """The figure of all customers of a snapshot, from the predicted shares of their classes.

    The predictions, shifted by what they were wrong about those asked. For customers never asked
    it rests on the outcome model alone.
    """
    expected = figure.expected(shares)
    shift = correction(study.answers(figure))
    spread = clustered((expected - expected.mean()) / len(expected), np.arange(len(expected)))
    return Estimate(float(expected.mean()) + shift.value, float(np.hypot(spread, shift.error)))
