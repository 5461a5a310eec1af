"""Targets and measures in the words of a business reader."""

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from insight.formatting.numbers import MISSING, count, day, decimal, share
from models.evaluation.bootstrap import Interval
from models.targets.registry import TARGETS

Form = Literal["ratio", "percent", "points", "times", "money"]

TITLES = {name: target.title for name, target in TARGETS.items()}

DECISIONS = {
    "promoted": "promoted: this model serves now",
    "kept": "kept: the former model goes on serving",
    "refused": "refused: no model serves",
    "skipped": "skipped: not trained",
}


@dataclass(frozen=True)
class Words:
    """What a measure is called, what it says, and how its values are written."""

    label: str
    meaning: str
    form: Form


MEASURES: dict[str, Words] = {
    "roc_auc": Words(
        "Ranking (ROC AUC)",
        "chance that a customer it happened to is ranked above one it did not; 0.5 is guessing",
        "ratio",
    ),
    "pr_auc": Words("Average precision", "share of right alarms, over all thresholds", "ratio"),
    "log_loss": Words("Log loss", "mean surprise at what happened", "ratio"),
    "brier": Words("Brier score", "mean squared error of the probability", "ratio"),
    "ece": Words("Calibration error", "by how much a probability is off on average", "percent"),
    "lift_10": Words("Lift of the top tenth", "times the average, among those on top", "times"),
    "capture_10": Words(
        "Caught in the top tenth", "share of the whole found in the tenth ranked highest", "percent"
    ),
    "multiclass_log_loss": Words("Log loss", "mean surprise at the answer that came", "ratio"),
    "macro_auc": Words("Ranking, mean of classes", "each answer against the others", "ratio"),
    "accuracy": Words("Accuracy", "share of rows whose likeliest answer came", "percent"),
    "class_ece": Words(
        "Calibration error, mean of classes",
        "by how much a probability is off on average",
        "percent",
    ),
    "dissatisfied_auc": Words(
        "Ranking of the dissatisfied",
        "chance that one of the two lowest answers is ranked below another; 0.5 is guessing",
        "ratio",
    ),
    "score_mae": Words("Error of the score", "mean distance in points of 0 to 100", "points"),
    "score_spearman": Words("Rank correlation", "expected score against the answer", "ratio"),
    "quadratic_kappa": Words("Agreement (kappa)", "1 is perfect, 0 is chance", "ratio"),
    "mae": Words("Mean error", "mean distance from what was spent", "money"),
    "rmse": Words("Root mean squared error", "large misses count more", "money"),
    "spearman": Words("Rank correlation", "predicted order against the actual one", "ratio"),
}


def in_words(reason: str) -> str:
    """A reason of training as a sentence, with the measures called as in the tables."""
    named = re.sub(r"[a-z0-9_]+", lambda m: _called(m.group()), reason).strip().rstrip(".")
    return f"{named[:1].upper()}{named[1:]}." if named else ""


def _called(word: str) -> str:
    """The label of a measure, with a small letter inside a sentence; other words as they are."""
    if word not in MEASURES or word == "accuracy":
        return word
    label = MEASURES[word].label
    return f"{label[0].lower()}{label[1:]}"


def value_text(value: float, form: Form) -> str:
    """One value of a measure."""
    if not math.isfinite(value):
        return MISSING
    if form == "percent":
        return share(value)
    if form == "times":
        return f"{decimal(value, 1)} ×"
    return decimal(value, {"ratio": 3, "points": 1, "money": 0 if abs(value) >= 100 else 1}[form])


def range_text(interval: Interval, form: Form) -> str:
    """The 95 % interval of a measure; empty where it is not known."""
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return ""
    low, high = (value_text(end, form) for end in (interval.low, interval.high))
    for unit in (" %", " ×"):
        if high.endswith(unit):
            low = low.removesuffix(unit)
    return f"{low} to {high}"


def cutoff_words(cutoffs: list[str], on_calendar: bool) -> str:
    """When the labels were cut, first to last."""
    moments = sorted(datetime.fromisoformat(c) for c in cutoffs)
    if not moments:
        return "none"
    span = f"{day(moments[0])} to {day(moments[-1])}"
    if on_calendar:
        return f"{count(len(moments))} cutoffs, {span}"
    return f"Each question's own sending, {span}"
