"""Split the change of a score between two dates over the customer's data, the model and calibration.

The effect of replacing data, trees and calibration depends on the order. Each one therefore gets its
mean effect over all six orders (Shapley value), so that the parts add up and none is preferred. Data and
model are split further by column with `models.explain.path_attribution`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.errors import DataRefused
from models.bundles.bundle import Bundle
from models.explain.attributions import raw_contributions
from models.explain.output_scale import OutputScale, coordinates
from models.explain.path_attribution import split_by_path

Floats = NDArray[np.float64]

#: Pseudo-columns: the customer's usual spend level, and the average score of the training rows.
SPEND, AVERAGE = "spend_level", "average"
#: Shares of the six orders in which none, one or both of the other two are replaced before.
WEIGHTS = (1 / 3, 1 / 6, 1 / 3)


@dataclass(frozen=True)
class ScoreChange:
    """Displayed scores (n,) before and after, and the parts of their difference.

    `data` and `model` (n, k) are by `columns`, which end with the spend level and the average score
    of the training rows; `calibration` is (n,). Before plus all parts is after.
    """

    columns: tuple[str, ...]
    before: Floats
    after: Floats
    data: Floats
    model: Floats
    calibration: Floats


def split_score_change(old: Bundle, new: Bundle, before: pa.Table, after: pa.Table) -> ScoreChange:
    """Split the change from the old model on the rows before to the new model on the rows after.

    Both tables have one row per customer in the same order, with the columns of both models. Raises
    DataRefused for models of different targets or classes.
    """
    _check_comparable(old, new, before, after)
    columns = (*dict.fromkeys((*_columns(old), *_columns(new))), SPEND, AVERAGE)
    at = {
        (tree, row): _ModelState.of(bundle, table, columns, bool(old.spend or new.spend))
        for tree, bundle in enumerate((old, new))
        for row, table in enumerate((before, after))
    }
    scales = (OutputScale.of(old), OutputScale.of(new))

    def scale(tree: int, calibration: int) -> OutputScale:
        return OutputScale(scales[tree].objective, scales[calibration].calibrator, scales[tree].mix)

    data, model = np.zeros((2, len(before), len(columns)))
    calibration = np.zeros(len(before))
    for one, other, weight in _orders():
        data += weight * _data_parts(scale(one, other), at[one, 0], at[one, 1])
        model += weight * _model_parts(scale(0, one), scale(1, one), at[0, other], at[1, other])
        here = at[one, other].coordinates
        calibration += weight * (scale(one, 1).displayed(here) - scale(one, 0).displayed(here))
    scores = [scale(i, i).displayed(at[i, i].coordinates) for i in (0, 1)]
    return ScoreChange(columns, scores[0], scores[1], data, model, calibration)


@dataclass(frozen=True)
class _ModelState:
    """Rows under one model: coordinates (n, d), and the contributions they consist of (n, m, k)."""

    coordinates: Floats
    contributions: Floats

    @classmethod
    def of(
        cls, bundle: Bundle, features: pa.Table, columns: tuple[str, ...], spends: bool
    ) -> "_ModelState":
        position = coordinates(bundle, features)
        raw, average = raw_contributions(bundle.estimator, features)
        contributions = np.zeros((len(position), len(average) + spends, len(columns)))
        places = [columns.index(name) for name in _columns(bundle)]
        contributions[:, : len(average), places] = raw
        contributions[:, : len(average), -1] = average
        if spends:
            contributions[:, -1, -2] = position[:, -1]
        return cls(position, contributions)


def _data_parts(scale: OutputScale, start: _ModelState, end: _ModelState) -> Floats:
    return split_by_path(
        scale.displayed, start.coordinates, end.coordinates, end.contributions - start.contributions
    )


def _model_parts(
    old: OutputScale, new: OutputScale, start: _ModelState, end: _ModelState
) -> Floats:
    """The parts of new trees; with another objective only the total is known, as the average."""
    if old.objective == new.objective:
        return _data_parts(new, start, end)
    parts = np.zeros((len(start.coordinates), end.contributions.shape[2]))
    parts[:, -1] = new.displayed(end.coordinates) - old.displayed(start.coordinates)
    return parts


def _orders() -> Iterator[tuple[int, int, float]]:
    """The states of the other two (0 old, 1 new) when one is replaced, with their share of orders."""
    for one in (0, 1):
        for other in (0, 1):
            yield one, other, WEIGHTS[one + other]


def _columns(bundle: Bundle) -> tuple[str, ...]:
    return bundle.estimator.encoder.columns


def _check_comparable(old: Bundle, new: Bundle, before: pa.Table, after: pa.Table) -> None:
    if old.target != new.target or old.estimator.classes != new.estimator.classes:
        raise DataRefused(
            f"{old.target} with {old.estimator.classes} classes and {new.target} with "
            f"{new.estimator.classes}: both models should have the same target and classes"
        )
    if before["customer_id"].to_pylist() != after["customer_id"].to_pylist():
        raise DataRefused(
            f"{before.num_rows} rows before and {after.num_rows} after are not of the same customers "
            "in the same order; both tables should have one row per customer, in the same order"
        )
