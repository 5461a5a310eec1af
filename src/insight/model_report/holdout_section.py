"""Holdout evaluation of the serving model on the current test rows: metrics, baselines and plots."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.config.company import Company, TargetConfig
from features.errors import DataRefused
from features.settings import Workspace
from insight.formatting.plot_images import PlotImage, drawable_text, plot_fonts, plot_image
from models.bundles.bundle import Bundle
from models.bundles.judged_bundle import read_judged
from models.evaluation.bootstrap import Interval
from models.evaluation.grade import evaluate_model
from models.evaluation.metrics import judged_by
from models.learners.labelled_rows import LabelledRows
from models.plots.all_plots import draw_all
from models.targets.registry import TARGETS
from models.targets.target import Target
from models.training.baseline_comparison import baseline_rule
from models.training.minimum_data import check_minimum_data
from models.training.train import TrainingRows, check_split, load_rows, split_rows
from models.validation.slice_metrics import Slices, compare_by_slice

#: Metrics by contestant (model, rule, linear) and metric.
MetricsByContestant = dict[str, dict[str, Interval]]

#: Plots shown first, by kind of target; the others are collapsed.
FIRST = {
    "binary": ("gain_and_lift", "importance"),
    "multiclass": ("confusion", "importance"),
    "ordinal": ("gain_and_lift_dissatisfied", "importance"),
    "regression": ("gain_and_lift", "importance"),
}


@dataclass(frozen=True)
class HoldoutEvaluation:
    """Metrics and plots of a model on the test rows.

    `data_changed`: the test rows are not those of the training run. The linear model is not stored,
    so its metrics always come from the training run. `warnings` name what is small about the data.
    """

    rows: int
    customers: int
    metrics: MetricsByContestant
    data_changed: bool
    first_plots: list[PlotImage]
    more_plots: list[PlotImage]
    slices: Slices
    warnings: list[str]


def evaluate_on_holdout(
    bundle: Bundle, company: Company, workspace: Workspace
) -> HoldoutEvaluation:
    """Evaluate the judged model of a serving version on the current test rows, without training.

    Raises DataRefused when the training set lacks a column that the model reads, or has no test rows.
    """
    target = TARGETS[bundle.target]
    config = company.target(target.name)
    rows = load_rows(company, workspace, target.name)
    served, bundle = bundle, read_judged(workspace.serving(company.name), bundle)
    missing = sorted(set(served.columns) - set(rows.features.column_names))
    if missing:
        raise DataRefused(
            f"version {bundle.version} of {target.name} reads {missing[0]}, which the training set "
            "lacks; run `goodwill retrain`"
        )
    split = split_rows(target, config, rows)
    check_split(target, rows, split)
    test = rows.take(split.test)
    predictions = {
        "model": bundle.calibrated(test.features),
        "rule": rule_predictions(target, config, rows.take(split.refit), test),
    }
    typical = bundle.typical_value(test.features)
    if typical is not None:
        predictions["typical"] = typical
    evaluation = evaluate_model(target.kind, test.label, predictions, test.weight, test.customer)
    trained = unflatten_metrics(served.manifest.metrics)
    primary = evaluation.primary
    then = trained["model"].get(primary, Interval(math.nan, math.nan, math.nan))
    same = math.isclose(then.value, evaluation.metrics["model"][primary].value, rel_tol=1e-6)
    plots = _plots(bundle, target, test, predictions)
    return HoldoutEvaluation(
        evaluation.rows,
        evaluation.customers,
        {**evaluation.metrics, "linear": trained["linear"]},
        not same,
        [p for name, p in plots.items() if name in FIRST[target.kind]],
        [p for name, p in plots.items() if name not in FIRST[target.kind]],
        compare_by_slice(
            target, test, judged_by(primary, predictions), predictions["rule"],
            levels=(predictions["model"], predictions["rule"]),
        ),
        check_minimum_data(target, rows.label, rows.customer, split),
    )  # fmt: skip


def rule_predictions(
    target: Target, config: TargetConfig, known: TrainingRows, test: TrainingRows
) -> NDArray[np.float64]:
    """Predict the test rows with the target's baseline rule, fitted to the known rows."""
    rule = baseline_rule(target, config, known.features.column_names).fit(
        LabelledRows(known.features, known.label, known.weight)
    )
    return np.asarray(rule.predict(test.features))


def unflatten_metrics(metrics: dict[str, float]) -> MetricsByContestant:
    """Group the flat metrics of a manifest by contestant; bounds that are missing become NaN."""
    grouped: MetricsByContestant = {"model": {}, "rule": {}, "linear": {}}
    for name, value in metrics.items():
        if name.endswith(("_low", "_high")):
            continue
        who = name.split("_", 1)[0]
        who, metric = (who, name.split("_", 1)[1]) if who in ("rule", "linear") else ("model", name)
        low, high = (metrics.get(f"{name}_{end}", math.nan) for end in ("low", "high"))
        grouped[who][metric] = Interval(value, low, high)
    return grouped


def _plots(
    bundle: Bundle, target: Target, test: TrainingRows, predictions: dict[str, NDArray[np.float64]]
) -> dict[str, PlotImage]:
    meanings = {f["name"]: drawable_text(f["meaning"]) for f in bundle.manifest.features}
    gains = {n: g for n, g in bundle.estimator.importance().items() if n in meanings}
    with plot_fonts():
        plots = draw_all(
            target.kind, test.label, predictions["model"], predictions["rule"], test.weight,
            gains, descriptions=meanings, classes=target.classes or None,
        )  # fmt: skip
        return {name: plot_image(figure) for name, figure in plots.items()}
