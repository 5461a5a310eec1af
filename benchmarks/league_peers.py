"""The peers of the league table: what others would train on the same rows."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import pandas as pd
import pyarrow as pa
from catboost import CatBoostClassifier, CatBoostRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from models.learners.feature_encoder import Encoder, split_informative
from models.training.train import TrainingRows

#: Recency, frequency, monetary value, and how long the customer has been there.
RFM = ("days_since_order", "days_since_event", "orders_365d", "orders_all", "revenue_365d",
       "revenue_all", "tenure_days", "csat_last", "csat_all")  # fmt: skip
THREADS = os.cpu_count() or 1


@dataclass(frozen=True)
class Task:
    """Rows to learn from and rows to predict, of a kind: binary, multiclass or regression."""

    kind: str
    classes: int
    learn: TrainingRows
    test: TrainingRows


Answer = np.ndarray
Peer = Callable[[Task], Answer]


def timed(peer: Peer, task: Task) -> tuple[Answer, float]:
    """What a peer predicts for the test rows, and the CPU seconds it took to learn and predict."""
    start = time.process_time()
    answer = peer(task)
    return answer, time.process_time() - start


def plain_lightgbm_on_rfm(task: Task) -> Answer:
    """LightGBM with default settings on plain recency, frequency and value."""
    names = [n for n in RFM if n in task.learn.features.column_names]
    learn, test = (_matrix(r.features.select(names))[0] for r in (task.learn, task.test))
    common = {"n_jobs": THREADS, "verbose": -1, "random_state": 7}
    if task.kind == "regression":
        grown = lgb.LGBMRegressor(**common).fit(learn, task.learn.label)
        return np.asarray(grown.predict(test))
    model = lgb.LGBMClassifier(**common).fit(
        learn, task.learn.label, sample_weight=task.learn.weight
    )
    return _shares(model, test, task)


def histogram_boosting(task: Task) -> Answer:
    """scikit-learn's HistGradientBoosting on all features; absolute error for values."""
    learn, test, _ = _both(task)
    if task.kind == "regression":
        model = HistGradientBoostingRegressor(loss="absolute_error", random_state=7)
        return np.asarray(model.fit(learn, task.learn.label).predict(test))
    model = HistGradientBoostingClassifier(random_state=7)
    model.fit(learn, task.learn.label, sample_weight=task.learn.weight)
    return _shares(model, test, task)


def catboost(task: Task) -> Answer:
    """CatBoost with default settings on all features, categories as its own; MAE for values."""
    learn, test, categories = _both(task)
    frames = [pd.DataFrame(m) for m in (learn, test)]
    for frame in frames:
        for place in categories:
            frame[place] = frame[place].fillna(-1).astype(int)  # it takes no missing category
    common = {"verbose": 0, "random_seed": 7, "thread_count": THREADS, "cat_features": categories,
              "allow_writing_files": False}  # fmt: skip
    if task.kind == "regression":
        model = CatBoostRegressor(loss_function="MAE", **common).fit(frames[0], task.learn.label)
        return np.asarray(model.predict(frames[1]))
    model = CatBoostClassifier(**common)
    model.fit(frames[0], task.learn.label, sample_weight=task.learn.weight)
    return _shares(model, frames[1], task)


def _both(task: Task) -> tuple[np.ndarray, np.ndarray, list[int]]:
    learn, encoder = _matrix(task.learn.features)
    places = [i for i, name in enumerate(encoder.columns) if name in encoder.categories]
    return learn, encoder.encode(task.test.features), places


def _matrix(features: pa.Table) -> tuple[np.ndarray, Encoder]:
    encoder = Encoder.fit(features, split_informative(features)[0])
    return encoder.encode(features), encoder


def _shares(model: object, rows: object, task: Task) -> Answer:
    """Class probabilities in the order of the classes, zero for one that was never seen."""
    said = np.asarray(model.predict_proba(rows))  # type: ignore[attr-defined]
    shares = np.zeros((len(said), max(task.classes, 2)))
    shares[:, np.asarray(model.classes_, dtype=np.int64)] = said  # type: ignore[attr-defined]
    return shares[:, 1] if task.kind == "binary" else shares
