"""Metrics among active customers apart: those who ordered in the last year before the cutoff.

Where many customers have long been silent, a model earns a high rank correlation by telling the silent
from the active. Whether it also ranks the active ones is another question, and that of a sales plan.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.evaluation.bootstrap import Interval, bootstrap
from models.evaluation.metrics import METRICS

Floats = NDArray[np.float64]
#: A customer is active with at least one order in this window.
ACTIVE = "orders_365d"
#: Fewer active customers are not measured apart.
ENOUGH_CUSTOMERS = 30


@dataclass(frozen=True)
class ActiveEvaluation:
    """Metrics of each contestant among the active customers: `metrics[name][metric]`."""

    rows: int
    customers: int
    metrics: dict[str, dict[str, Interval]]


def is_active(features: pa.Table) -> NDArray[np.bool_] | None:
    """Whether each row's customer ordered in the last 365 days; None where no orders are known."""
    if ACTIVE not in features.column_names:
        return None
    return np.asarray(np.nan_to_num(features[ACTIVE].to_numpy()) > 0)


def evaluate_active(
    features: pa.Table,
    y: Floats,
    predictions: dict[str, Floats],
    weight: Floats,
    groups: NDArray[np.int64],
    names: tuple[str, ...] = ("spearman", "mae"),
) -> ActiveEvaluation | None:
    """The metrics `names` among the active customers, with intervals from resampled customers.

    None where no orders are known, and with fewer than 30 active customers.
    """
    active = is_active(features)
    if active is None or len(np.unique(groups[active])) < ENOUGH_CUSTOMERS:
        return None
    part = (weight[active], groups[active])
    metrics = {
        who: {
            name: bootstrap(METRICS[name].function, y[active], p[active], part[0], groups=part[1])
            for name in names
        }
        for who, p in predictions.items()
    }
    return ActiveEvaluation(int(active.sum()), len(np.unique(part[1])), metrics)
