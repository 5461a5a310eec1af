"""The league table: our default training compared with others, on five data sets, later in time.

Every row is a data set and a target; all contestants learn from the same rows (labels mature before
the test) and predict the same later ones. The peers get our features; the difference is the model.
"""

import time

import numpy as np
import pyarrow.parquet as pq

from benchmarks.league_customers import expected
from benchmarks.league_home import home_of_its_own, with_training_sets
from benchmarks.league_peers import (
    Task,
    catboost,
    histogram_boosting,
    plain_lightgbm_on_rfm,
    timed,
)
from benchmarks.league_standing import OURS, Fixture, standing_of
from benchmarks.league_survey import survey_row
from features.errors import DataRefused
from features.settings import Workspace
from models.evaluation.bootstrap import Interval
from models.evaluation.metrics import METRICS
from models.targets.registry import TARGETS
from models.training.hyperparameters import learner_kind
from models.training.train import load_rows, train

#: What is measured: data set, target, measures (the first ranks).
FIXTURES = (
    ("sample", "churn", ("roc_auc",)),
    ("sample", "value", ("mae", "rmse", "spearman")),
    ("sample", "satisfaction", ("multiclass_log_loss", "dissatisfied_auc")),
    ("sample", "nps", ("multiclass_log_loss", "macro_auc")),
    ("online_retail", "churn", ("roc_auc",)),
    ("online_retail", "value", ("mae", "rmse", "spearman")),
    ("complete_journey", "churn", ("roc_auc",)),
    ("complete_journey", "value", ("mae", "rmse", "spearman")),
    ("olist", "satisfaction", ("multiclass_log_loss", "dissatisfied_auc")),
)


def measure() -> str:
    """Train ours and its peers on every data set that is there, and write who is where."""
    found, lacking = [], []
    with home_of_its_own() as workspace:
        for data, target, measures in FIXTURES:
            try:
                found.append(_fixture(workspace, data, target, measures))
            except DataRefused as err:
                lacking.append(f"{data} {target}: {err}")
    try:
        found.append(survey_row())
    except DataRefused as err:
        lacking.append(f"SFO 2017: {err}")
    return _table(found, lacking)


def _fixture(workspace: Workspace, data: str, name: str, measures: tuple[str, ...]) -> Fixture:
    company, target = with_training_sets(workspace, data), TARGETS[name]
    rows = load_rows(company, workspace, name)
    start = time.process_time()
    trained = train(target, company, rows)
    said = {OURS: (trained.predictions["model"], time.process_time() - start)}
    said["business rule"] = (trained.predictions["rule"], float("nan"))
    said["linear model"] = (trained.predictions["linear"], float("nan"))
    task = Task(
        learner_kind(target), len(target.classes), rows.take(trained.split.refit), trained.test
    )
    said["LightGBM on RFM"] = timed(plain_lightgbm_on_rfm, task)
    said["HistGradientBoosting"] = timed(histogram_boosting, task)
    said["CatBoost"] = timed(catboost, task)
    if name in ("churn", "value") and data != "sample":
        start = time.process_time()
        keys = pq.read_table(workspace.features(data) / f"{name}.parquet", columns=["customer_id"])
        ids = np.array(keys["customer_id"].to_pylist(), object)[trained.split.test]
        count, money = expected(
            workspace.history(data), list(ids), trained.split.test_start,
            trained.config.horizon_days, company.info.time_zone,
        )  # fmt: skip
        answer = money if name == "value" else np.exp(-count)
        said["BG/NBD, Gamma-Gamma"] = (answer, time.process_time() - start)
    typical = trained.predictions.get("typical")
    return standing_of(data, name, measures, trained.test, said, typical)


def _table(found: list[Fixture], lacking: list[str]) -> str:
    lines = ["# League table", "", "Test on later data, bootstrap 95% intervals over customers; "
             "all contestants learn from the same rows and features. Bold: ours. The result is for "
             "the first metric, ours compared with the best other.", ""]  # fmt: skip
    for fixture in found:
        first = next(iter(fixture.standings[0].measures))
        better = "higher" if METRICS[first].higher_is_better else "lower"
        lines += [f"## {fixture.data}: {fixture.target}", "",
                  f"{fixture.rows:,} test rows; {first}, {better} is better. "
                  f"**{fixture.verdict}**, better than the best other by "
                  f"{_shown(fixture.gain)}.", ""]  # fmt: skip
        names = list(fixture.standings[0].measures)
        lines += ["| contestant | " + " | ".join(names) + " | CPU seconds |",
                  "|---|" + "--:|" * (len(names) + 1)]  # fmt: skip
        sign = -1 if METRICS[first].higher_is_better else 1
        for s in sorted(fixture.standings, key=lambda s: sign * s.measures[first].value):
            cells = [_shown(s.measures[n]) if n in s.measures else "" for n in names]
            name = f"**{s.name}**" if s.name == OURS else s.name
            time_ = "" if np.isnan(s.seconds) else f"{s.seconds:.1f}"
            lines.append(f"| {name} | " + " | ".join(cells) + f" | {time_} |")
        lines.append("")
    lines += [f"- Not measured: {why}" for why in lacking]
    return "\n".join(lines) + "\n"


def _shown(interval: Interval) -> str:
    places = 3 if abs(interval.value) < 10 else 1
    value, low, high = (f"{v:,.{places}f}" for v in (interval.value, interval.low, interval.high))
    return f"{value} ({low} to {high})"
