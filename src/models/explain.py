"""Why a customer got this prediction: the few features that moved it most."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from models.estimator import Estimator

Array = np.ndarray


@dataclass(frozen=True)
class Meaning:
    """What a feature column says, in the business's words, and its unit."""

    description: str
    unit: str = ""


@dataclass(frozen=True)
class Reason:
    """One feature's part in one prediction.

    `value` is None when missing. `contribution` is in the units of the raw score (log odds for a
    probability), against the average customer of the training rows.
    """

    feature: str
    description: str
    value: float | str | None
    contribution: float
    direction: Literal["raises", "lowers"]
    unit: str = ""


def parts(
    estimator: Estimator, features: pa.Table, combination: Array | None = None
) -> tuple[Array, Array]:
    """What each column adds to the raw score (n, k), and what the score starts from (n,).

    For a multiclass estimator `combination` has a number for each class and the score explained is
    that mix of the class scores: (-1, 0, 1) for promoter minus detractor, (0, 25, 50, 75, 100) for
    a level. Exact TreeSHAP (Lundberg et al. 2020): start plus parts is the raw score.
    """
    shares = estimator.contributions(features)
    if estimator.kind == "multiclass":
        if combination is None or len(combination) != estimator.classes:
            raise ValueError(
                f"combination is {combination}; a model of {estimator.classes} classes needs "
                f"{estimator.classes} numbers, one for each class"
            )
        shares = np.einsum("nck,c->nk", shares, np.asarray(combination, dtype=float))
    return shares[:, :-1], shares[:, -1]


def reasons(
    estimator: Estimator,
    features: pa.Table,
    top: int,
    descriptions: dict[str, Meaning],
    combination: Array | None = None,
) -> list[list[Reason]]:
    """The features that moved each row's raw score most, strongest first, at most `top` a row.

    A feature that moved nothing is no reason; one without a description goes by its own name.
    """
    shares, _ = parts(estimator, features, combination)
    columns = estimator.encoder.columns
    order = np.argsort(-np.abs(shares), axis=1, kind="stable")[:, :top]
    return [
        [
            _reason(columns[i], features.column(columns[i])[row].as_py(), share[i], descriptions)
            for i in order[row]
            if share[i] != 0
        ]
        for row, share in enumerate(shares)
    ]


def _reason(name: str, value: object, share: float, descriptions: dict[str, Meaning]) -> Reason:
    known = descriptions.get(name, Meaning(name))
    return Reason(
        feature=name,
        description=known.description,
        value=_shown(value),
        contribution=float(share),
        direction="raises" if share > 0 else "lowers",
        unit=known.unit,
    )


def _shown(value: object) -> float | str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not np.isnan(value):
        return float(value)
    return None
