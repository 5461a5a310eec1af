"""Why a score changed between two dates: the customer's data, the model, its calibration.

Three things may have been replaced, in any order, and the order matters. So each gets the mean of
what it changes over all six orders (its Shapley value): nothing is left over, and none of the three
is favoured. Within data and model the change is split by factor as
`models.explain.path_attribution` does.
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

#: Stand beside the columns: what the customer is used to spend, and the score all start from.
SPEND, AVERAGE = "spend_level", "average"
#: How often a third of the orders has none, one or both of the other two replaced before.
WEIGHTS = (1 / 3, 1 / 6, 1 / 3)


@dataclass(frozen=True)
class ScoreChange:
    """Scores (n,) as people saw them before and after, and the parts of the difference.

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

    Rows run in parallel, one a customer, and hold the columns of both models. Raises DataRefused
    for models of different targets or classes.
    """
    _check(old, new, before, after)
    columns = (*dict.fromkeys((*_columns(old), *_columns(new))), SPEND, AVERAGE)
    at = {
        (tree, row): _Standing.of(bundle, table, columns, bool(old.spend or new.spend))
        for tree, bundle in enumerate((old, new))
        for row, table in enumerate((before, after))
    }
    scales = (OutputScale.of(old), OutputScale.of(new))

    def scale(tree: int, calibration: int) -> OutputScale:
        return OutputScale(scales[tree].objective, scales[calibration].calibrator, scales[tree].mix)

    data, model = np.zeros((2, len(before), len(columns)))
    calibration = np.zeros(len(before))
    for one, other, weight in _orders():
        data += weight * _moved(scale(one, other), at[one, 0], at[one, 1])
        model += weight * _retrained(scale(0, one), scale(1, one), at[0, other], at[1, other])
        here = at[one, other].coordinates
        calibration += weight * (scale(one, 1).seen(here) - scale(one, 0).seen(here))
    seen = [scale(i, i).seen(at[i, i].coordinates) for i in (0, 1)]
    return ScoreChange(columns, seen[0], seen[1], data, model, calibration)


@dataclass(frozen=True)
class _Standing:
    """Where rows stand under one model: coordinates (n, d), and what makes them up (n, m, k)."""

    coordinates: Floats
    made_of: Floats

    @classmethod
    def of(
        cls, bundle: Bundle, features: pa.Table, columns: tuple[str, ...], spends: bool
    ) -> "_Standing":
        stand = coordinates(bundle, features)
        moves, average = raw_contributions(bundle.estimator, features)
        made_of = np.zeros((len(stand), len(average) + spends, len(columns)))
        places = [columns.index(name) for name in _columns(bundle)]
        made_of[:, : len(average), places] = moves
        made_of[:, : len(average), -1] = average
        if spends:
            made_of[:, -1, -2] = stand[:, -1]
        return cls(stand, made_of)


def _moved(scale: OutputScale, start: _Standing, end: _Standing) -> Floats:
    return split_by_path(scale.seen, start.coordinates, end.coordinates, end.made_of - start.made_of)


def _retrained(old: OutputScale, new: OutputScale, start: _Standing, end: _Standing) -> Floats:
    """The parts of other trees; of another objective only the whole can be told, as the average."""
    if old.objective == new.objective:
        return _moved(new, start, end)
    parts = np.zeros((len(start.coordinates), end.made_of.shape[2]))
    parts[:, -1] = new.seen(end.coordinates) - old.seen(start.coordinates)
    return parts


def _orders() -> Iterator[tuple[int, int, float]]:
    """What the other two are (old 0, new 1) when one is replaced, and in which share of orders."""
    for one in (0, 1):
        for other in (0, 1):
            yield one, other, WEIGHTS[one + other]


def _columns(bundle: Bundle) -> tuple[str, ...]:
    return bundle.estimator.encoder.columns


def _check(old: Bundle, new: Bundle, before: pa.Table, after: pa.Table) -> None:
    if old.target != new.target or old.estimator.classes != new.estimator.classes:
        raise DataRefused(
            f"{old.target} with {old.estimator.classes} classes and {new.target} with "
            f"{new.estimator.classes}: a change is told between two models of one target"
        )
    if before["customer_id"].to_pylist() != after["customer_id"].to_pylist():
        raise DataRefused(
            f"{before.num_rows} rows before and {after.num_rows} after are not of the same customers "
            "in the same order; give one row a customer, in parallel"
        )
