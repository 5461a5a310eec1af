"""Names of targets, metrics and decisions for readers, and how values of metrics are written."""

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from features.formatting import ENGLISH, MISSING
from models.evaluation.bootstrap import Interval
from models.targets.registry import TARGETS

MetricForm = Literal["ratio", "percent", "points", "times", "money"]

TITLES = {name: target.title for name, target in TARGETS.items()}

DECISIONS = {
    "promoted": "promoted: this model serves now",
    "kept": "champion kept: the previous model continues to serve",
    "refused": "refused: no model serves",
    "skipped": "skipped: not trained",
}


@dataclass(frozen=True)
class MetricDescription:
    """The name of a metric, what it measures, and how its values are written."""

    label: str
    meaning: str
    form: MetricForm


MEASURES: dict[str, MetricDescription] = {
    "roc_auc": MetricDescription(
        "Ranking (ROC AUC)",
        "probability that a customer with the outcome ranks above one without it; 0.5 is random",
        "ratio",
    ),
    "pr_auc": MetricDescription("Average precision", "mean precision over all thresholds", "ratio"),
    "log_loss": MetricDescription(
        "Log loss", "penalises confident predictions that are wrong", "ratio"
    ),
    "brier": MetricDescription("Brier score", "mean squared error of the probability", "ratio"),
    "ece": MetricDescription(
        "Calibration error", "mean difference between predicted and actual share", "percent"
    ),
    "lift_10": MetricDescription(
        "Lift of the top tenth", "rate among the tenth ranked highest, relative to all", "times"
    ),
    "capture_10": MetricDescription(
        "Recall in the top tenth", "share of all cases in the tenth ranked highest", "percent"
    ),
    "multiclass_log_loss": MetricDescription(
        "Log loss", "penalises confident predictions that are wrong", "ratio"
    ),
    "macro_auc": MetricDescription(
        "Ranking, mean over classes", "ROC AUC of each class against the others", "ratio"
    ),
    "accuracy": MetricDescription("Accuracy", "share of rows predicted correctly", "percent"),
    "class_ece": MetricDescription(
        "Calibration error, mean over classes",
        "mean difference between predicted and actual share",
        "percent",
    ),
    "dissatisfied_auc": MetricDescription(
        "Ranking of dissatisfied customers",
        "probability that one of the two lowest answers ranks below another answer; 0.5 is random",
        "ratio",
    ),
    "score_mae": MetricDescription(
        "Mean absolute error of the score", "in points of 0 to 100", "points"
    ),
    "score_spearman": MetricDescription(
        "Rank correlation", "between expected score and answer", "ratio"
    ),
    "quadratic_kappa": MetricDescription(
        "Agreement (weighted kappa)", "1 is perfect, 0 is random", "ratio"
    ),
    "mae": MetricDescription(
        "Mean absolute error", "between the typical (median) and the actual value", "money"
    ),
    "rmse": MetricDescription(
        "Root mean squared error", "of the expected value; weighs large errors more", "money"
    ),
    "spearman": MetricDescription("Rank correlation", "between expected and actual order", "ratio"),
    "sum_ratio": MetricDescription(
        "Sum of expected values", "relative to what came; 1 is right", "ratio"
    ),
}


def reason_sentence(reason: str) -> str:
    """Turn a training reason into a sentence that names metrics as the tables do."""
    named = re.sub(r"[a-z0-9_]+", lambda m: _label(m.group()), reason).strip().rstrip(".")
    return f"{named[:1].upper()}{named[1:]}." if named else ""


def _label(word: str) -> str:
    """The label of a metric in lower case; other words unchanged."""
    if word not in MEASURES or word == "accuracy":
        return word
    label = MEASURES[word].label
    return f"{label[0].lower()}{label[1:]}"


def format_metric(value: float, form: MetricForm) -> str:
    """Format one value of a metric."""
    if form == "percent":
        return ENGLISH.percent(value)
    if form == "times":
        return f"{ENGLISH.decimal(value)} ×" if math.isfinite(value) else MISSING
    places = {"ratio": 3, "points": 1, "money": 0 if abs(value) >= 100 else 1}[form]
    return ENGLISH.decimal(value, places)


def format_interval(interval: Interval, form: MetricForm) -> str:
    """Format the 95% interval of a metric; empty where it is not known."""
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return ""
    return ENGLISH.interval(format_metric(interval.low, form), format_metric(interval.high, form))


def describe_cutoffs(cutoffs: list[str], on_calendar: bool) -> str:
    """Describe the cutoffs of the labels: number, first and last."""
    moments = sorted(datetime.fromisoformat(c) for c in cutoffs)
    if not moments:
        return "none"
    span = f"{ENGLISH.day(moments[0])} to {ENGLISH.day(moments[-1])}"
    if on_calendar:
        return f"{ENGLISH.count(len(moments))} cutoffs, {span}"
    return f"when each question was sent, {span}"
