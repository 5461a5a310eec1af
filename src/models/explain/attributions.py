"""What moved each customer's score: parts of the score that people see, exactly."""

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

#: From so many rows on, bulk TreeSHAP is the faster one.
MANY = 500


@dataclass(frozen=True)
class ScoreAttributions:
    """Scores (n,) as people see them, where they start (n,), and what each column adds (n, k).

    The start is the score of the average raw score of the training rows; in a value model, at the
    customer's own spend level. Start plus parts is the score.
    """

    columns: tuple[str, ...]
    score: Floats
    start: Floats
    attribute_raw_scores: Floats


def attribute_scores(bundle: Bundle, features: pa.Table) -> ScoreAttributions:
    """Split the score of each row over the columns the model reads.

    The parts of the raw score are exact TreeSHAP values (Lundberg et al. 2020);
    `models.explain.path_attribution` says how they become parts of the score. Raises DataRefused
    when the raw score does not lead to the score that is seen, because the model's link is one this
    file does not know.
    """
    scale = OutputScale.of(bundle)
    moves, average = raw_contributions(bundle.estimator, features)
    end = add_spend_level(bundle, features, average + moves.sum(axis=2))
    start = np.column_stack([np.broadcast_to(average, (len(end), len(average))), end[:, -1]])
    score = scale.of_calibrated(bundle.calibrated(features))
    _agree(scale.seen(end), score, scale.objective)
    columns = bundle.estimator.encoder.columns
    return ScoreAttributions(columns, score, scale.seen(start), split_by_path(scale.seen, start, end, moves))


def attribute_raw_scores(
    estimator: Estimator, features: pa.Table, mix: Floats | None = None
) -> tuple[Floats, Floats]:
    """What each column adds to the raw score (n, k), and what the score starts from (n,).

    For several classes, to the `mix` of their raw scores: (-1, 0, 1) for promoter minus detractor.
    Raises ValueError for a mix of another number of classes.
    """
    moves, average = raw_contributions(estimator, features)
    weights = np.ones(1) if mix is None else np.asarray(mix, dtype=np.float64)
    if len(weights) != moves.shape[1]:
        raise ValueError(
            f"mix is {mix}; a model of {moves.shape[1]} classes needs {moves.shape[1]} numbers"
        )
    return np.einsum("nck,c->nk", moves, weights), np.full(len(moves), average @ weights)


def raw_contributions(estimator: Estimator, features: pa.Table) -> tuple[Floats, Floats]:
    """What each column adds to the raw score of each class (n, classes, k), and their averages."""
    if features.num_rows >= MANY:
        found = bulk_contributions(estimator, estimator.encoder.encode(features))
    else:
        found = estimator.contributions(features)
        found = found if found.ndim == 3 else found[:, None, :]
    average = found[0, :, -1] if len(found) else np.zeros(found.shape[1])
    return found[:, :, :-1], average


def _agree(ours: Floats, seen: Floats, objective: str) -> None:
    """Refuse when link, level and calibration do not lead from the raw score to the score."""
    far = np.abs(ours - seen) / np.maximum(1.0, np.abs(seen))
    if len(far) and far.max() > 1e-6:
        worst = int(far.argmax())
        raise DataRefused(
            f"the raw score leads to {ours[worst]:.6f} and the model says {seen[worst]:.6f}: reasons do "
            f"not know the link of the objective {objective!r}; add it to models/explain/output_scale.py"
        )
