"""The rules of thumb a business already has; a model has to beat them to be worth anything."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from features.errors import DataRefused
from models.learners.feature_encoder import Encoder, split_informative
from models.learners.labelled_rows import LabelledRows, check_labels

SMOOTHING = 20.0
"""Rows' worth of the overall distribution mixed into the one after each last answer."""

FAR = 5.0
"""Standard deviations; further out an extreme customer would own the line."""

MOST_CATEGORIES = 20

Array = np.ndarray
Answer = Callable[[pa.Table], Array]


@dataclass(frozen=True)
class FittedBaseline:
    """A rule that has seen training rows and answers as an estimator does."""

    answer: Answer

    def predict(self, features: pa.Table) -> Array:
        """Probability of 1 (n,), probabilities of the classes (n, K) or values (n,)."""
        return self.answer(features)


@dataclass(frozen=True)
class BaselineRule:
    """A named rule of thumb: which columns it looks at and how it learns from labelled rows.

    `kind` is binary, multiclass or regression, `n_classes` is K of a multiclass rule.
    """

    name: str
    description: str
    columns: tuple[str, ...]
    kind: str
    learn: Callable[["BaselineRule", LabelledRows], Answer]
    n_classes: int = 1

    def fit(self, train: LabelledRows) -> FittedBaseline:
        """Learn from training rows; DataRefused for bad labels or when a column lacks."""
        check_labels(self.kind, train.y, self.n_classes)
        lacking = [name for name in self.columns if name not in train.features.schema.names]
        if lacking:
            raise DataRefused(
                f"the rule {self.name} needs the columns {lacking}; the feature table has "
                f"{train.features.schema.names}"
            )
        return FittedBaseline(self.learn(self, train))


def recency_rule(column: str) -> BaselineRule:
    """The longer nothing was heard, the likelier gone: the rule for churn.

    `column` counts days; customers without it share one level of their own.
    """
    description = f"probability from {column} alone"
    return BaselineRule("recency", description, (column,), "binary", _learn_recency)


def repeat_rule(column: str) -> BaselineRule:
    """The last period repeats itself: the rule for value. A missing `column` counts as 0."""
    description = f"{column} again"
    return BaselineRule("last period repeated", description, (column,), "regression", _learn_repeat)


def prior_rule(kind: str, n_classes: int = 1) -> BaselineRule:
    """Everybody gets the average of the training rows: their shares of classes, or their mean."""
    return BaselineRule("prior", "the training average for all", (), kind, _learn_prior, n_classes)


def last_answer_rule(column: str, kind: str, n_classes: int = 1) -> BaselineRule:
    """Who was content stays so: the rule for satisfaction. `column` is on the 0-100 scale.

    As a regression the answer is the last score, or the training mean without one. As classes it
    is what customers with that last answer said in training, drawn towards the overall shares.
    """
    description = f"{column} again"
    return BaselineRule("last answer repeated", description, (column,), kind, _learn_last, n_classes)


def linear_model(kind: str, n_classes: int = 1) -> BaselineRule:
    """Logistic or ridge regression on all features: the model to beat for more than a rule."""
    return BaselineRule("linear model", "regression on all features", (), kind, _learn_linear, n_classes)


def _weight(train: LabelledRows) -> Array:
    return np.ones(len(train.y)) if train.weight is None else np.asarray(train.weight)


def _numbers(features: pa.Table, column: str) -> Array:
    return Encoder((column,), {}).encode(features)[:, 0]


def _shares(rule: BaselineRule, y: Array, weight: Array) -> Array:
    classes = max(rule.n_classes, 2)
    counts = np.bincount(np.asarray(y, dtype=np.int64), weight, minlength=classes)
    return np.asarray((counts + 1 / classes) / (counts.sum() + 1))


def _learn_recency(rule: BaselineRule, train: LabelledRows) -> Answer:
    (column,) = rule.columns

    def inputs(features: pa.Table) -> Array:
        days = _numbers(features, column)
        missing = np.isnan(days)
        # A day more matters at 5 days and not at 500, hence the logarithm.
        level = np.sign(days) * np.log1p(np.abs(days))
        return np.column_stack([np.where(missing, 0, level), missing])

    model = LogisticRegression(C=1e3).fit(inputs(train.features), train.y, _weight(train))
    return lambda features: _probabilities(model, inputs(features), rule)


def _learn_repeat(rule: BaselineRule, train: LabelledRows) -> Answer:
    return lambda features: np.nan_to_num(_numbers(features, rule.columns[0]), nan=0.0)


def _learn_prior(rule: BaselineRule, train: LabelledRows) -> Answer:
    if rule.kind == "regression":
        mean = float(np.average(train.y, weights=_weight(train)))
        return lambda features: np.full(features.num_rows, mean)
    shares = _shares(rule, train.y, _weight(train))
    if rule.kind == "binary":
        return lambda features: np.full(features.num_rows, shares[1])
    return lambda features: np.tile(shares, (features.num_rows, 1))


def _learn_last(rule: BaselineRule, train: LabelledRows) -> Answer:
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
    table = np.tile(overall, (classes + 1, 1))  # its last row is for customers without an answer
    for answer in range(classes):
        rows = last == answer
        counts = np.bincount(
            np.asarray(train.y[rows], dtype=np.int64), _weight(train)[rows], minlength=classes
        )
        table[answer] = (counts + SMOOTHING * overall) / (counts.sum() + SMOOTHING)
    return lambda features: np.asarray(table[level(features)])


def _learn_linear(rule: BaselineRule, train: LabelledRows) -> Answer:
    kept, _ = split_informative(train.features)
    inputs = _prepared(Encoder.fit(train.features, kept), train.features)
    x, weight = inputs(train.features), _weight(train)
    if rule.kind == "regression":
        ridge = Ridge(alpha=1.0).fit(x, train.y, weight)
        return lambda features: np.asarray(inputs(features) @ ridge.coef_ + ridge.intercept_)
    with warnings.catch_warnings():
        # A baseline that has not settled in its last digit is still a baseline.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(max_iter=300, tol=1e-3).fit(x, train.y, weight)
    return lambda features: _probabilities(model, inputs(features), rule)


def _probabilities(model: LogisticRegression, x: Array, rule: BaselineRule) -> Array:
    """Probability of 1 (n,), or of every class (n, K): none for a class training has not seen."""
    p = np.zeros((len(x), max(2, rule.n_classes)))
    if len(x):
        p[:, np.asarray(model.classes_, dtype=np.int64)] = model.predict_proba(x)
    return p[:, 1] if rule.kind == "binary" else p


def _prepared(encoder: Encoder, features: pa.Table) -> Callable[[pa.Table], Array]:
    """Medians for missing numbers, one scale for all, a column for each frequent category."""
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
        parts = [np.clip((values - centre) / spread, -FAR, FAR)]
        parts += [rows[:, [place]] == codes for place, codes in frequent.items()]
        return np.hstack(parts)

    return inputs


def _frequent(codes: Array) -> Array:
    counts = np.bincount(codes[~np.isnan(codes)].astype(np.int64))
    return np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]
