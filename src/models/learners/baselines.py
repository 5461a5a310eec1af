"""Baselines a model has to beat: simple business rules and a linear model."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from features.errors import DataRefused
from models.learners.feature_encoder import Encoder, split_informative
from models.learners.labelled_rows import LabelledRows, check_labels

SMOOTHING = 20.0
"""Pseudo-rows of the overall distribution added to the distribution after each last answer."""

MAX_DEVIATIONS = 5.0
"""Inputs are clipped here, in standard deviations, so that outliers do not dominate the fit."""

MAX_CATEGORIES = 20

Array = np.ndarray
Predictor = Callable[[pa.Table], Array]


@dataclass(frozen=True)
class FittedBaseline:
    """A fitted baseline with the prediction interface of an estimator."""

    predictor: Predictor

    def predict(self, features: pa.Table) -> Array:
        """Probabilities of class 1 (n,), class probabilities (n, K) or values (n,)."""
        return self.predictor(features)


@dataclass(frozen=True)
class BaselineRule:
    """A baseline: the columns it reads and how it learns from labelled rows.

    `kind` is binary, multiclass or regression; `n_classes` is K for a multiclass baseline.
    """

    name: str
    description: str
    columns: tuple[str, ...]
    kind: str
    learn: Callable[["BaselineRule", LabelledRows], Predictor]
    n_classes: int = 1

    def fit(self, train: LabelledRows) -> FittedBaseline:
        """Learn from training rows; raises DataRefused for bad labels or missing columns."""
        check_labels(self.kind, train.y, self.n_classes)
        missing = [name for name in self.columns if name not in train.features.schema.names]
        if missing:
            raise DataRefused(
                f"the rule {self.name} needs the columns {missing}; the feature table has "
                f"{train.features.schema.names}"
            )
        return FittedBaseline(self.learn(self, train))


def recency_rule(column: str) -> BaselineRule:
    """The longer the silence, the more likely the churn: the baseline for churn.

    `column` counts days; customers without a value get one probability of their own.
    """
    description = f"probability from {column} alone"
    return BaselineRule("recency", description, (column,), "binary", _learn_recency)


def best_column_rule() -> BaselineRule:
    """The shares of the groups of one column, the one that tells most: the baseline without dates."""
    description = "the share among customers alike in the column that alone predicts best"
    return BaselineRule("best single column", description, (), "binary", _learn_best_column)


def repeat_rule(column: str) -> BaselineRule:
    """The next period equals the last one: the baseline for value. A missing `column` counts as 0."""
    description = f"{column} again"
    return BaselineRule("last period repeated", description, (column,), "regression", _learn_repeat)


def prior_rule(kind: str, n_classes: int = 1) -> BaselineRule:
    """The same prediction for everybody: the class shares or the mean of the training rows."""
    return BaselineRule("prior", "the training average for all", (), kind, _learn_prior, n_classes)


def last_answer_rule(column: str, kind: str, n_classes: int = 1) -> BaselineRule:
    """The next answer equals the last one: the baseline for satisfaction. `column` is 0 to 100.

    A regression predicts the last score, or the training mean without one. Classes are predicted as
    the distribution after the same last answer in training, smoothed towards the overall shares.
    """
    description = f"{column} again"
    return BaselineRule(
        "last answer repeated", description, (column,), kind, _learn_last, n_classes
    )


def linear_model(kind: str, n_classes: int = 1) -> BaselineRule:
    """Logistic or ridge regression on all features: the strongest simple baseline."""
    return BaselineRule(
        "linear model", "regression on all features", (), kind, _learn_linear, n_classes
    )


def _weight(train: LabelledRows) -> Array:
    return np.ones(len(train.y)) if train.weight is None else np.asarray(train.weight)


def _numbers(features: pa.Table, column: str) -> Array:
    return Encoder((column,), {}).encode(features)[:, 0]


def _shares(rule: BaselineRule, y: Array, weight: Array) -> Array:
    classes = max(rule.n_classes, 2)
    counts = np.bincount(np.asarray(y, dtype=np.int64), weight, minlength=classes)
    return np.asarray((counts + 1 / classes) / (counts.sum() + 1))


def _learn_recency(rule: BaselineRule, train: LabelledRows) -> Predictor:
    from sklearn.linear_model import LogisticRegression

    (column,) = rule.columns

    def inputs(features: pa.Table) -> Array:
        days = _numbers(features, column)
        missing = np.isnan(days)
        # One more day matters at 5 days, not at 500: hence the logarithm.
        level = np.sign(days) * np.log1p(np.abs(days))
        return np.column_stack([np.where(missing, 0, level), missing])

    model = LogisticRegression(C=1e3).fit(inputs(train.features), train.y, _weight(train))
    return lambda features: _probabilities(model, inputs(features), rule)


def _learn_best_column(rule: BaselineRule, train: LabelledRows) -> Predictor:
    """Choose the column whose groups, learnt on half of the rows, have the least loss on the other."""
    kept, _ = split_informative(train.features)
    if not kept:
        return _learn_prior(rule, train)
    encoder, weight = Encoder.fit(train.features, kept), _weight(train)
    matrix = encoder.encode(train.features)
    edges = [_group_edges(matrix[:, i], c in encoder.categories) for i, c in enumerate(kept)]
    half = np.arange(len(train.y)) % 2 == 0

    def shares(place: int, part: Array) -> Array:
        group = _groups(matrix[part, place], edges[place])
        return _group_shares(rule, group, len(edges[place]) + 2, train.y[part], weight[part])

    def loss(place: int) -> float:
        total = 0.0
        for learn, test in ((half, ~half), (~half, half)):
            p = shares(place, learn)[_groups(matrix[test, place], edges[place])]
            total -= weight[test] @ np.log(np.where(train.y[test] == 1, p, 1 - p))
        return total

    best = min(range(len(kept)), key=loss)
    learnt = shares(best, np.ones(len(half), bool))
    return lambda features: np.asarray(
        learnt[_groups(encoder.encode(features)[:, best], edges[best])]
    )


def _group_edges(values: Array, is_code: bool) -> Array:
    """Where the groups of a column begin: each of its codes, or the tenths of its numbers."""
    known = values[~np.isnan(values)]
    return np.unique(known if is_code else np.quantile(known, np.linspace(0.1, 0.9, 9)))


def _groups(values: Array, edges: Array) -> Array:
    """The group of each value, 0 for a missing one."""
    return np.where(np.isnan(values), 0, 1 + np.searchsorted(edges, values, side="right"))


def _group_shares(rule: BaselineRule, group: Array, groups: int, y: Array, weight: Array) -> Array:
    """The share of class 1 in each of the possible groups, smoothed towards the overall share."""
    overall = _shares(rule, y, weight)[1]
    count, hits = (np.bincount(group, w, minlength=groups) for w in (weight, weight * y))
    return np.asarray((hits + SMOOTHING * overall) / (count + SMOOTHING))


def _learn_repeat(rule: BaselineRule, train: LabelledRows) -> Predictor:
    return lambda features: np.nan_to_num(_numbers(features, rule.columns[0]), nan=0.0)


def _learn_prior(rule: BaselineRule, train: LabelledRows) -> Predictor:
    if rule.kind == "regression":
        mean = float(np.average(train.y, weights=_weight(train)))
        return lambda features: np.full(features.num_rows, mean)
    shares = _shares(rule, train.y, _weight(train))
    if rule.kind == "binary":
        return lambda features: np.full(features.num_rows, shares[1])
    return lambda features: np.tile(shares, (features.num_rows, 1))


def _learn_last(rule: BaselineRule, train: LabelledRows) -> Predictor:
    (column,) = rule.columns
    if rule.kind == "regression":
        mean = float(np.average(train.y, weights=_weight(train)))
        return lambda features: np.nan_to_num(_numbers(features, column), nan=mean)
    classes = rule.n_classes
    overall = _shares(rule, train.y, _weight(train))

    def level(features: pa.Table) -> Array:
        scores = _numbers(features, column)
        nearest = np.floor(scores / 100 * (classes - 1) + 0.5).clip(0, classes - 1)
        return np.where(np.isnan(scores), classes, nearest).astype(np.int64)

    last = level(train.features)
    distribution = np.tile(
        overall, (classes + 1, 1)
    )  # the last row is for customers without an answer
    for answer in range(classes):
        rows = last == answer
        counts = np.bincount(
            np.asarray(train.y[rows], dtype=np.int64), _weight(train)[rows], minlength=classes
        )
        distribution[answer] = (counts + SMOOTHING * overall) / (counts.sum() + SMOOTHING)
    return lambda features: np.asarray(distribution[level(features)])


def _learn_linear(rule: BaselineRule, train: LabelledRows) -> Predictor:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    kept, _ = split_informative(train.features)
    inputs = _input_builder(Encoder.fit(train.features, kept), train.features)
    x, weight = inputs(train.features), _weight(train)
    if rule.kind == "regression":
        ridge = Ridge(alpha=1.0).fit(x, train.y, weight)
        return lambda features: np.asarray(inputs(features) @ ridge.coef_ + ridge.intercept_)
    with warnings.catch_warnings():
        # Convergence to the last digit does not matter for a baseline.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(max_iter=300, tol=1e-3).fit(x, train.y, weight)
    return lambda features: _probabilities(model, inputs(features), rule)


def _probabilities(model: Any, x: Array, rule: BaselineRule) -> Array:
    """Probabilities of class 1 (n,) or of all classes (n, K); 0 for a class not in training."""
    p = np.zeros((len(x), max(2, rule.n_classes)))
    if len(x):
        p[:, np.asarray(model.classes_, dtype=np.int64)] = model.predict_proba(x)
    return p[:, 1] if rule.kind == "binary" else p


def _input_builder(encoder: Encoder, features: pa.Table) -> Callable[[pa.Table], Array]:
    """Impute medians, standardize numbers, one-hot encode frequent categories."""
    matrix = encoder.encode(features)
    numeric = [i for i, name in enumerate(encoder.columns) if name not in encoder.categories]
    frequent = {
        place: _frequent(matrix[:, place])
        for place in range(matrix.shape[1])
        if place not in numeric
    }
    middle = np.nanmedian(matrix[:, numeric], axis=0)
    filled = np.where(np.isnan(matrix[:, numeric]), middle, matrix[:, numeric])
    centre, spread = filled.mean(axis=0), filled.std(axis=0)
    spread[spread == 0] = 1.0

    def inputs(table: pa.Table) -> Array:
        rows = encoder.encode(table)
        values = np.where(np.isnan(rows[:, numeric]), middle, rows[:, numeric])
        parts = [np.clip((values - centre) / spread, -MAX_DEVIATIONS, MAX_DEVIATIONS)]
        parts += [rows[:, [place]] == codes for place, codes in frequent.items()]
        return np.hstack(parts)

    return inputs


def _frequent(codes: Array) -> Array:
    counts = np.bincount(codes[~np.isnan(codes)].astype(np.int64))
    return np.argsort(-counts, kind="stable")[:MAX_CATEGORIES]
