"""How the serving model does on today's test rows: measures beside its rule, and the pictures."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.config.company import Company, TargetConfig
from features.errors import DataRefused
from features.settings import Workspace
from insight.formatting.png import Picture, drawable, drawing, picture
from models.bundles.bundle import Bundle
from models.evaluation.bootstrap import Interval
from models.evaluation.grade import evaluate_model
from models.learners.labelled_rows import LabelledRows
from models.plots.all_plots import draw_all
from models.targets.registry import TARGETS
from models.targets.target import Target
from models.training.baseline_comparison import rule_of
from models.training.minimum_data import check_enough
from models.training.train import TrainingRows, check_split, load_rows, split_rows
from models.validation.slice_metrics import Slices, compare_by_slice

Measured = dict[str, dict[str, Interval]]

#: The pictures shown first by kind of target; the others are folded away.
FIRST = {
    "binary": ("gain_and_lift", "importance"),
    "multiclass": ("confusion", "importance"),
    "ordinal": ("gain_and_lift_dissatisfied", "importance"),
    "regression": ("gain_and_lift", "importance"),
}


@dataclass(frozen=True)
class Evidence:
    """A model on the test rows: `measured[contestant][measure]`, and its pictures.

    `moved` tells that these are not the rows the model was judged on when it was trained; the
    linear model's measures, which nobody keeps, are then those of the training. `warnings` say what
    of the data is small.
    """

    rows: int
    customers: int
    measured: Measured
    moved: bool
    first: list[Picture]
    more: list[Picture]
    slices: Slices
    warnings: list[str]


def weigh(bundle: Bundle, company: Company, workspace: Workspace) -> Evidence:
    """Judge a serving model on the current test rows of its target; nothing is retrained.

    Raises DataRefused when the training set lacks a column the model reads, or holds no test rows
    to judge on.
    """
    target = TARGETS[bundle.target]
    config = company.target(target.name)
    rows = load_rows(company, workspace, target.name)
    lacking = sorted(set(bundle.columns) - set(rows.features.column_names))
    if lacking:
        raise DataRefused(
            f"version {bundle.version} of {target.name} reads {lacking[0]}, which the training set "
            "lacks; run `goodwill retrain`"
        )
    split = split_rows(target, config, rows)
    check_split(target, rows, split)
    test = rows.take(split.test)
    predictions = {
        "model": bundle.calibrated(test.features),
        "rule": rule_predictions(target, config, rows.take(split.refit), test),
    }
    judged = evaluate_model(target.kind, test.label, predictions, test.weight, test.customer)
    kept = from_flat(bundle.manifest["metrics"])
    then = kept["model"].get(judged.primary, Interval(math.nan, math.nan, math.nan))
    same = math.isclose(then.value, judged.metrics["model"][judged.primary].value, rel_tol=1e-6)
    measured = {**judged.metrics, "linear": kept["linear"]}
    drawn = _pictures(bundle, target, test, predictions)
    return Evidence(
        judged.rows,
        judged.customers,
        measured,
        not same,
        [p for name, p in drawn.items() if name in FIRST[target.kind]],
        [p for name, p in drawn.items() if name not in FIRST[target.kind]],
        compare_by_slice(target, test, predictions["model"], predictions["rule"]),
        check_enough(target, rows.label, rows.customer, split),
    )


def rule_predictions(
    target: Target, config: TargetConfig, known: TrainingRows, test: TrainingRows
) -> NDArray[np.float64]:
    """What the target's business rule, learnt from the known rows, says about the test rows."""
    learnt = rule_of(target, config, known.features.column_names).fit(
        LabelledRows(known.features, known.label, known.weight)
    )
    return np.asarray(learnt.predict(test.features))


def from_flat(metrics: dict[str, float]) -> Measured:
    """The measures of a manifest by contestant; what a manifest leaves out is NaN."""
    measured: Measured = {"model": {}, "rule": {}, "linear": {}}
    for name, value in metrics.items():
        if name.endswith(("_low", "_high")):
            continue
        who = name.split("_", 1)[0]
        who, measure = (
            (who, name.split("_", 1)[1]) if who in ("rule", "linear") else ("model", name)
        )
        low, high = (metrics.get(f"{name}_{end}", math.nan) for end in ("low", "high"))
        measured[who][measure] = Interval(value, low, high)
    return measured


def _pictures(
    bundle: Bundle, target: Target, test: TrainingRows, predictions: dict[str, NDArray[np.float64]]
) -> dict[str, Picture]:
    meanings = {f["name"]: drawable(f["meaning"]) for f in bundle.manifest["features"]}
    gains = {n: g for n, g in bundle.estimator.importance().items() if n in meanings}
    with drawing():
        drawn = draw_all(
            target.kind, test.label, predictions["model"], predictions["rule"], test.weight,
            gains, descriptions=meanings, classes=target.classes or None,
        )  # fmt: skip
        return {name: picture(figure) for name, figure in drawn.items()}
