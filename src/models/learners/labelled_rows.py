"""Labelled feature rows, and the validation of labels."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.errors import DataRefused

KINDS = ("binary", "multiclass", "regression")
MIN_ROWS = 50
LARGEST = float(np.finfo(np.float32).max)
"""LightGBM stores labels in single precision: larger values silently become infinite."""
POSITIVE_ONLY = ("tweedie", "poisson", "gamma")


@dataclass(frozen=True)
class LabelledRows:
    """Feature rows with labels (0/1, a class 0..K-1, or a value) and optional weights."""

    features: pa.Table
    y: np.ndarray
    weight: np.ndarray | None = None

    def __post_init__(self) -> None:
        rows = self.features.num_rows
        lengths = [len(self.y)] + ([] if self.weight is None else [len(self.weight)])
        if set(lengths) != {rows}:
            raise DataRefused(
                f"{rows} feature rows with {lengths} labels and weights; each row needs one"
            )
        if self.weight is not None and not (np.isfinite(self.weight) & (self.weight >= 0)).all():
            raise DataRefused(
                "a weight is negative, infinite or missing; weights should be 0 or more"
            )
        if self.weight is not None and rows and not self.weight.any():
            raise DataRefused(
                f"the weights of all {rows} rows are 0; at least one should be positive"
            )

    def take(self, mask: np.ndarray) -> "LabelledRows":
        """The rows selected by a boolean mask."""
        weight = None if self.weight is None else self.weight[mask]
        return LabelledRows(self.features.filter(pa.array(mask)), self.y[mask], weight)


def check_labels(kind: str, y: np.ndarray, n_classes: int = 1) -> None:
    """Refuse labels that LightGBM would silently train on.

    Raises DataRefused for missing or infinite labels, labels outside 0/1 or 0..K-1, rows of a
    single class, and fewer than 50 rows. A class without rows is never predicted.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; it should be one of {KINDS}")
    check_values(kind, y, n_classes)
    if len(y) < MIN_ROWS:
        raise DataRefused(f"{len(y)} labelled rows; at least {MIN_ROWS} are needed to train")
    if kind == "regression":
        return
    classes = max(n_classes, 2)
    counts = np.bincount(np.asarray(y, dtype=np.int64), minlength=classes)
    if (counts > 0).sum() < 2:
        found = ", ".join(f"{count} of class {name}" for name, count in enumerate(counts))
        raise DataRefused(f"labelled rows by class: {found}; at least two classes need rows")


def check_values(kind: str, y: np.ndarray, n_classes: int) -> None:
    """Refuse labels that are not numbers, not one of the classes, or too large to store."""
    y = np.asarray(y, dtype=np.float64)
    bad = int((~np.isfinite(y)).sum())
    if bad:
        raise DataRefused(
            f"{bad} of {len(y)} labels are missing or infinite; all should be numbers"
        )
    large = int((np.abs(y) > LARGEST).sum())
    if large:
        raise DataRefused(
            f"{large} of {len(y)} labels are larger than {LARGEST:g}; use another unit"
        )
    if kind != "regression":
        classes = max(n_classes, 2)
        outside = y[~np.isin(y, np.arange(classes))]
        if len(outside):
            raise DataRefused(
                f"{len(outside)} of {len(y)} labels are outside 0..{classes - 1}, "
                f"for example {outside[0]:g}; a {kind} label should be a whole number in that range"
            )


def check_objective(kind: str, y: np.ndarray, objective: str | None) -> None:
    """Refuse an objective that does not fit the kind or the sign of the labels."""
    if objective is None:
        return
    if kind != "regression":
        raise ValueError(f"objective {objective!r} for {kind}: only a regression can change it")
    negative = int((y < 0).sum())
    if objective in POSITIVE_ONLY and negative:
        raise DataRefused(
            f"{negative} of {len(y)} labels are negative, which the objective {objective} "
            "does not allow; use regression, l1 or huber"
        )
