"""Gradient boosted trees, the model of every target; the only file that imports LightGBM."""

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from features.errors import DataRefused
from models.learners.feature_encoder import Encoder, split_informative
from models.learners.labelled_rows import LabelledRows, check_labels, check_objective, check_values
from models.learners.learning_curve import LearningCurve
from models.learners.lightgbm_text import Forest, check_model_text, objective_of

if TYPE_CHECKING:
    import lightgbm as lgb

FEW_ROWS = 5_000
"""Up to this many rows one thread predicts: starting others costs 6-12 ms at p99 for one row."""

MANY_COLUMNS = 0.5
"""From this share of columns in a tree on, histograms are built by row, which is faster there; below it
by column (`benchmarks/results/histograms.md`)."""


@dataclass(frozen=True)
class Params:
    """Hyperparameters of the trees; the defaults are conservative and not tuned to any data set.

    `objective` replaces the default objective of the kind ("l1", "huber", "tweedie" for a regression).
    `min_data_in_leaf` is lowered to a twentieth of the rows on small data.
    """

    learning_rate: float = 0.05
    leaves: int = 8
    min_data_in_leaf: int = 100
    feature_fraction: float = 0.3
    bagging_fraction: float = 0.8
    l2: float = 1.0
    max_rounds: int = 1000
    early_stopping_rounds: int = 50
    seed: int = 7
    threads: int = 1
    objective: str | None = None
    n_classes: int = 1


@dataclass(frozen=True)
class Estimator:
    """Trained trees and the encoder of their input.

    `kind` is binary, multiclass or regression; `classes` is 2, K or 1. `curve` is there only where
    `fit` was asked for it.
    """

    booster: "lgb.Booster"
    encoder: Encoder
    kind: str
    classes: int
    curve: LearningCurve | None = field(default=None, compare=False, repr=False)

    @classmethod
    def fit(
        cls,
        kind: str,
        train: LabelledRows,
        valid: LabelledRows | None,
        params: Params,
        without: tuple[str, ...] = (),
        with_curve: bool = False,
    ) -> "Estimator":
        """Grow trees on `train` until `valid` stops improving; all rounds when `valid` is None.

        The columns in `without` are left out. `with_curve` keeps the losses of each round, which takes
        `valid`. The same data and seed give the same model text, byte
        for byte, with any number of threads. Raises DataRefused for labels or features that LightGBM
        would silently accept.
        """
        kept, dropped = split_informative(train.features.drop([*without]))
        if not kept:
            raise DataRefused(
                f"none of the {len(dropped)} feature columns varies; at least one should"
            )
        encoder = Encoder.fit(train.features, kept)
        return cls._grow(kind, encoder, (train, valid), params, with_curve)

    def refit(self, data: LabelledRows, params: Params, rounds: int | None = None) -> "Estimator":
        """Train the same columns on other data for a fixed number of rounds.

        `rounds` defaults to the rounds of this estimator.
        """
        fixed = replace(params, max_rounds=rounds or self.rounds)
        encoder = Encoder.fit(data.features, self.encoder.columns)
        return self._grow(self.kind, encoder, (data, None), fixed)

    @classmethod
    def _grow(
        cls,
        kind: str,
        encoder: Encoder,
        data: tuple[LabelledRows, LabelledRows | None],
        params: Params,
        with_curve: bool = False,
    ) -> "Estimator":
        import lightgbm as lgb

        train, valid = data
        check_labels(kind, train.y, params.n_classes)
        check_objective(kind, train.y, params.objective)
        settings = _settings(kind, params, len(train.y))
        dataset = _dataset(encoder, train, settings)
        checks, callbacks, losses = {}, [], dict[str, dict[str, list[float]]]()
        if valid is not None:
            check_values(kind, valid.y, params.n_classes)
            checks = {"validation": _dataset(encoder, valid, settings, dataset)}
            callbacks = [lgb.early_stopping(params.early_stopping_rounds, verbose=False)]
            if with_curve:  # early stopping leaves out the data set that the trees learn from
                checks["train"] = dataset
                callbacks.append(lgb.record_evaluation(losses))
        grown = lgb.train(
            settings, dataset, params.max_rounds, [*checks.values()], [*checks], callbacks=callbacks
        )
        text = grown.model_to_string(num_iteration=grown.best_iteration or None)
        # The only line that depends on the machine and not on data and settings.
        text = re.sub(r"^\[num_threads: .*\]$", "[num_threads: 1]", text, flags=re.MULTILINE)
        return replace(cls.from_text(text, encoder.to_json()), curve=_curve(losses))

    def raw(self, features: pa.Table) -> np.ndarray:
        """Raw scores before the link (log odds, class scores, log or plain value): (n,) or (n, K)."""
        return self._predict(features, raw_score=True)

    def predict(self, features: pa.Table) -> np.ndarray:
        """Probabilities of class 1 (n,), class probabilities (n, K) or values (n,)."""
        return self._predict(features)

    def contributions(self, features: pa.Table) -> np.ndarray:
        """Contribution of each column to the raw score, exact TreeSHAP: (n, k+1) or (n, K, k+1).

        The last element is the average raw score; the sum over the last axis is `raw`.
        """
        wide = len(self.encoder.columns) + 1
        flat = self._predict(features, pred_contrib=True)
        each = (self.classes,) if self.kind == "multiclass" else ()
        return flat.reshape((len(flat), *each, wide))

    def _predict(self, features: pa.Table, **options: bool) -> np.ndarray:
        matrix = self.encoder.encode(features)
        if not len(matrix):  # LightGBM divides by the number of rows
            return self._run_booster(np.full((1, len(self.encoder.columns)), np.nan), options)[:0]
        return self._run_booster(matrix, options)

    def _run_booster(self, matrix: np.ndarray, options: dict[str, bool]) -> np.ndarray:
        threads = 1 if len(matrix) <= FEW_ROWS else 0
        predicted = self.booster.predict(matrix, num_threads=threads, **options)
        return np.asarray(predicted, dtype=np.float64)

    @property
    def rounds(self) -> int:
        """The number of boosting rounds."""
        return int(self.booster.current_iteration())

    def importance(self) -> dict[str, float]:
        """Total gain of each column (training loss saved by its splits), largest first."""
        gains = self.booster.feature_importance("gain")
        order = np.argsort(-gains, kind="stable")
        return {self.encoder.columns[i]: float(gains[i]) for i in order}

    def to_text(self) -> str:
        """The trees in LightGBM's text format: plain numbers, no executable code."""
        return self._text

    @property
    def objective(self) -> str:
        """The training objective with its parameters ("binary sigmoid:1")."""
        return objective_of(self._text)

    def forest(self) -> Forest:
        """The trees as arrays."""
        return Forest.from_text(self._text)

    @cached_property
    def _text(self) -> str:
        return str(self.booster.model_to_string())

    @classmethod
    def from_text(cls, text: str, encoder_json: str) -> "Estimator":
        """Read an estimator from the output of `to_text` and `encoder.to_json`.

        Raises DataRefused, before LightGBM sees the text, when it is cut off, corrupted or does not
        match the encoder.
        """
        import lightgbm as lgb

        encoder = Encoder.from_json(encoder_json)
        header = check_model_text(text, len(encoder.columns))
        names = header.get("feature_names", "").split(" ")
        if names != _names(encoder):
            wrong = [pair for pair in zip(names, _names(encoder), strict=False) if len({*pair}) > 1]
            raise DataRefused(
                f"model.txt and encoder.json name different columns, the first (model, encoder): "
                f"{wrong[:3]}; they should come from the same version"
            )
        try:
            booster = lgb.Booster(model_str=text)
        except lgb.basic.LightGBMError as error:
            raise DataRefused(f"LightGBM cannot read the model text: {error}") from error
        objective = header.get("objective", "").split(" ")[0]
        kind = objective if objective in ("binary", "multiclass") else "regression"
        classes = 2 if kind == "binary" else int(header["num_class"])
        return cls(booster, encoder, kind, classes)


def _curve(losses: dict[str, dict[str, list[float]]]) -> LearningCurve | None:
    """The curve out of LightGBM's record of each data set's losses; None without a record."""
    if not losses:
        return None
    (loss,) = losses["validation"]
    return LearningCurve(loss, tuple(losses["train"][loss]), tuple(losses["validation"][loss]))


def _names(encoder: Encoder) -> list[str]:
    """Column names that LightGBM accepts; the leading position keeps them unique."""
    return [
        f"{place}." + re.sub(r'[\s\[\]{},:"=]', "_", name)
        for place, name in enumerate(encoder.columns)
    ]


def _settings(kind: str, params: Params, rows: int) -> dict[str, object]:
    # The same trees either way; by column, a tree reads only the columns that it may split on.
    by_column = params.feature_fraction < MANY_COLUMNS
    return {
        "objective": params.objective or kind,
        "num_class": params.n_classes if kind == "multiclass" else 1,
        "learning_rate": params.learning_rate,
        "num_leaves": params.leaves,
        "min_data_in_leaf": max(1, min(params.min_data_in_leaf, rows // 20)),
        "min_gain_to_split": 1e-6,  # smaller gains are rounding noise
        "feature_fraction": params.feature_fraction,
        "bagging_fraction": params.bagging_fraction,
        "bagging_freq": int(params.bagging_fraction < 1),
        "lambda_l2": params.l2,
        "seed": params.seed,
        "num_threads": params.threads,
        "deterministic": True,
        "force_col_wise": by_column,
        "force_row_wise": not by_column,
        "verbosity": -1,
    }


def _dataset(
    encoder: Encoder,
    data: LabelledRows,
    settings: dict[str, object],
    reference: "lgb.Dataset | None" = None,
) -> "lgb.Dataset":
    import lightgbm as lgb

    places = [i for i, name in enumerate(encoder.columns) if name in encoder.categories]
    return lgb.Dataset(
        encoder.encode(data.features),
        label=np.asarray(data.y, dtype=np.float64),
        weight=data.weight,
        feature_name=_names(encoder),
        categorical_feature=places,
        reference=reference,
        params=dict(settings),
    )
