"""The row of the league on San Francisco airport's survey of 2017: the NPS class from the answers."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.model_selection import StratifiedKFold

from benchmarks.league_peers import Task, catboost, histogram_boosting, timed
from benchmarks.league_standing import OURS, Fixture, standing_of
from features.errors import DataRefused
from features.settings import find_workspace, real_data_root
from models.learners.baselines import last_answer_rule, linear_model
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator
from models.targets.registry import TARGETS
from models.training.hyperparameters import default_params
from models.training.train import TrainingRows

FOLDS = 5
#: Who was asked where and when says nothing of his answer; the answer itself is the label.
NO_FEATURES = (
    "RESPNUM",
    "CCGID",
    "RUNID",
    "INTDATE",
    "FLIGHT",
    "ARRTIME",
    "DEPTIME",
    "WEIGHT",
    "NETPRO",
)
OVERALL = "Q7ALL"


def survey_row() -> Fixture:
    """Five folds within the year: everybody predicts each fold from the other four."""
    rows = _rows()
    said = {who: np.zeros((len(rows.label), 3)) for who in _CONTESTANTS}
    seconds = dict.fromkeys(_CONTESTANTS, 0.0)
    for learn, test in StratifiedKFold(FOLDS, shuffle=True, random_state=7).split(
        rows.label, rows.label
    ):
        masks = (np.isin(np.arange(len(rows.label)), part) for part in (learn, test))
        task = Task("multiclass", 3, *(rows.take(mask) for mask in masks))
        for who, peer in _CONTESTANTS.items():
            answer, took = timed(peer, task)
            said[who][test] = answer
            seconds[who] += took
    together = {who: (said[who], seconds[who]) for who in _CONTESTANTS}
    together = {OURS: together.pop("ours"), **together}
    return standing_of(
        "SFO 2017 (5-fold)", "nps", ("macro_auc", "multiclass_log_loss"), rows, together
    )


def _rows() -> TrainingRows:
    path = real_data_root(find_workspace()) / "sfo_airport_survey" / "sfo_2017.parquet"
    if not path.is_file():
        raise DataRefused(f"no survey {path}; set GOODWILL_REAL_DATA")
    table = pq.read_table(path).to_pandas()
    table = table[table["NETPRO"].between(0, 10)].reset_index(drop=True)  # 11 and blank: no answer
    for name in (c for c in table if _rated(c)):  # one column says "Blank" instead of 0
        table[name] = pd.to_numeric(table[name], errors="coerce")
    score = table["NETPRO"].to_numpy()
    label = np.where(score >= 9, 2.0, np.where(score >= 7, 1.0, 0.0))
    columns = {name: _column(name, table[name]) for name in table if name not in NO_FEATURES}
    columns |= _summaries(table)
    n = len(table)
    return TrainingRows(pa.table(columns), label, np.ones(n), np.arange(n), np.zeros(n, np.int64))


def _rated(name: str) -> bool:
    return name.startswith(("Q7", "Q9", "Q10SAFE")) and "COM" not in name


def _column(name: str, values: pd.Series) -> pa.Array:
    """Ratings 1 to 5 as numbers (6: not used, 0: no answer), texts as categories."""
    if values.dtype.kind not in "if":
        return pa.array(
            values.astype(object).where(values.notna(), None).tolist()
        ).dictionary_encode()
    numbers = values.to_numpy(np.float64)
    return pa.array(
        np.where((numbers >= 1) & (numbers <= 5), numbers, np.nan) if _rated(name) else numbers
    )


def _summaries(table: pd.DataFrame) -> dict[str, pa.Array]:
    """What a reader sees at a glance: mean, lowest and spread of the ratings, how many were given."""
    rated = table[[c for c in table if _rated(c)]].to_numpy(np.float64)
    rated = np.where((rated >= 1) & (rated <= 5), rated, np.nan)
    kept = pd.DataFrame(rated)
    made = {"ratings_mean": kept.mean(axis=1), "ratings_lowest": kept.min(axis=1),
            "ratings_spread": kept.std(axis=1), "ratings_given": kept.notna().sum(axis=1),
            "ratings_best": (kept == 5).mean(axis=1),
            "ratings_poor": (kept <= 3).mean(axis=1)}  # fmt: skip
    return {name: pa.array(values.to_numpy(np.float64)) for name, values in made.items()}


def _ours(task: Task) -> np.ndarray:
    """Our default trees; the rounds are those a fifth of the learning rows asked for."""
    params = default_params(TARGETS["nps"])
    data = LabelledRows(task.learn.features, task.learn.label)
    fifth = np.arange(len(data.y)) % 5 == 0
    first = Estimator.fit("multiclass", data.take(~fifth), data.take(fifth), params)
    return first.refit(data, params).predict(task.test.features)


def _rule(task: Task) -> np.ndarray:
    """What those who gave the same overall rating answered."""
    learn, test = (
        r.features.append_column("overall", pa.array((r.features[OVERALL].to_numpy() - 1) * 25.0))
        for r in (task.learn, task.test)
    )
    rule = last_answer_rule("overall", "multiclass", 3)
    return rule.fit(LabelledRows(learn, task.learn.label)).predict(test)


def _linear(task: Task) -> np.ndarray:
    data = LabelledRows(task.learn.features, task.learn.label)
    return linear_model("multiclass", 3).fit(data).predict(task.test.features)


_CONTESTANTS = {"ours": _ours, "business rule": _rule, "linear model": _linear,
                "HistGradientBoosting": histogram_boosting, "CatBoost": catboost}  # fmt: skip
