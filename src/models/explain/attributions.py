"""Attribute each customer's score to the columns of the model: exact parts of the displayed score."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.errors import DataRefused
from models.bundles.bundle import Bundle
from models.explain.output_scale import OutputScale, add_spend_level
from models.explain.path_attribution import split_by_path
from models.explain.treeshap.bulk import bulk_contributions
from models.learners.lightgbm import Estimator

Floats = NDArray[np.float64]

#: From this number of rows on, bulk TreeSHAP is faster than LightGBM's.
BULK_ROWS = 500


@dataclass(frozen=True)
class ScoreAttributions:
    """Displayed scores (n,), their base value `start` (n,), and the part of each column (n, k).

    The base value is the score at the average raw score of the training rows; in a value model, at
    the customer's own spend level. Start plus parts is the score.
    """

    columns: tuple[str, ...]
    score: Floats
    start: Floats
    parts: Floats


def attribute_scores(bundle: Bundle, features: pa.Table) -> ScoreAttributions:
    """Split the score of each row over the columns of the model.

    The parts of the raw score are exact TreeSHAP values (Lundberg et al. 2020), converted to parts of
    the displayed score by `models.explain.path_attribution`. Raises DataRefused when the raw score
    does not reproduce the displayed score, because the objective's link is not implemented.
    """
    scale = OutputScale.of(bundle)
    contributions, average = raw_contributions(bundle.estimator, features)
    end = add_spend_level(bundle, features, average + contributions.sum(axis=2))
    start = np.column_stack([np.broadcast_to(average, (len(end), len(average))), end[:, -1]])
    score = scale.of_calibrated(bundle.calibrated(features))
    _check_link(scale.displayed(end), score, scale.objective)
    columns = bundle.estimator.encoder.columns
    return ScoreAttributions(
        columns,
        score,
        scale.displayed(start),
        split_by_path(scale.displayed, start, end, contributions),
    )


def attribute_raw_scores(
    estimator: Estimator, features: pa.Table, mix: Floats | None = None
) -> tuple[Floats, Floats]:
    """The contribution of each column to the raw score (n, k), and the base value (n,).

    For several classes, to the `mix` of their raw scores: (-1, 0, 1) for promoter minus detractor.
    Raises ValueError when the length of the mix is not the number of classes.
    """
    contributions, average = raw_contributions(estimator, features)
    weights = np.ones(1) if mix is None else np.asarray(mix, dtype=np.float64)
    if len(weights) != contributions.shape[1]:
        raise ValueError(
            f"mix is {mix}; it should have {contributions.shape[1]} numbers, one for each class"
        )
    return np.einsum("nck,c->nk", contributions, weights), np.full(
        len(contributions), average @ weights
    )


def raw_contributions(estimator: Estimator, features: pa.Table) -> tuple[Floats, Floats]:
    """The contribution of each column to the raw score of each class (n, classes, k), and averages."""
    if features.num_rows >= BULK_ROWS:
        found = bulk_contributions(estimator, estimator.encoder.encode(features))
    else:
        found = estimator.contributions(features)
        found = found if found.ndim == 3 else found[:, None, :]
    average = found[0, :, -1] if len(found) else np.zeros(found.shape[1])
    return found[:, :, :-1], average


def _check_link(computed: Floats, displayed: Floats, objective: str) -> None:
    """Refuse when link, spend level and calibration do not reproduce the displayed score."""
    error = np.abs(computed - displayed) / np.maximum(1.0, np.abs(displayed))
    if len(error) and error.max() > 1e-6:
        worst = int(error.argmax())
        raise DataRefused(
            f"the raw score gives {computed[worst]:.6f} and the model {displayed[worst]:.6f}: the link "
            f"of the objective {objective!r} is unknown; add it to models/explain/output_scale.py"
        )
