"""Train one target: split by time, fit, calibrate, judge at rolling origins, refit on all labels."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.config.company import Company, TargetConfig
from features.errors import DataRefused
from features.history.history_table import DAY
from features.settings import Workspace
from models.evaluation.grade import ModelEvaluation, evaluate_model, grade_over_origins
from models.evaluation.origin_evaluation import (
    MOMENTS,
    PARTS,
    OriginRows,
    OriginsEvaluation,
    evaluate_origins,
)
from models.evaluation.sum_errors import PredictedOrigin, SumErrors
from models.evaluation.value_grade import with_value_faults
from models.learners.calibration import Calibrator
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.learners.out_of_distribution import TrainingSupport
from models.learners.prediction_intervals import LevelIntervals, ValueIntervals
from models.learners.survival_curve import SurvivalCurve
from models.targets.spend_level import SpendLevel
from models.targets.target import Target
from models.training.baseline_comparison import predict_with_baselines
from models.training.distribution_shift import shifted_columns
from models.training.fit_model import FittedModel, Recipe
from models.training.hyperparameters import default_params, learner_kind
from models.training.minimum_data import check_minimum_data
from models.training.rolling_origins import origin_limits, predict_origins
from models.training_set.build_training_sets import KEYS
from models.training_set.customer_holdout import places
from models.training_set.label_reach import LabelReach
from models.training_set.splits import Split, instant, split_by_time

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingRows:
    """A training set: features, labels, weights, customers and cutoffs of each row."""

    features: pa.Table
    label: Floats
    weight: Floats
    customer: NDArray[np.int64]
    cutoff: NDArray[np.int64]

    def take(self, mask: NDArray[np.bool_]) -> "TrainingRows":
        """Select the rows of a mask."""
        return TrainingRows(
            self.features.filter(pa.array(mask)),
            self.label[mask],
            self.weight[mask],
            self.customer[mask],
            self.cutoff[mask],
        )


@dataclass(frozen=True)
class TrainedTarget:
    """A trained target: model, test rows, evaluation and fitted parts.

    `learnt` marks the rows that the model learnt from, and `unseen` are calibrated predictions of them
    by models of other customers (for a value: multiples of the unit of spending). `evaluation`,
    `predictions` and `test` are always those of the judged model; `limits` says what the judgement
    over `origins` lacks. For a value, `estimator` predicts the mean and `typical` the median
    (`predictions` have both as "model" and "typical"); `never_negative`: no label that it learnt from
    is below 0; `sums` compares sums over the origins.
    """

    target: Target
    config: TargetConfig
    estimator: Estimator
    calibrator: Calibrator
    spend: SpendLevel | None
    split: Split
    evaluation: ModelEvaluation
    predictions: dict[str, Floats]
    test: TrainingRows
    params: Params
    dropped: tuple[str, ...]
    label_counts: dict[str, int]
    labels: LabelReach
    ranges: dict[str, Any] | None
    support: TrainingSupport
    learnt: NDArray[np.bool_]
    unseen: Floats
    recipe: Recipe
    origins: OriginsEvaluation
    limits: tuple[str, ...] = ()
    survival: SurvivalCurve | None = None
    typical: Estimator | None = None
    never_negative: bool = False
    sums: SumErrors | None = None

    @property
    def also_reads(self) -> tuple[str, ...]:
        """Columns that the population and the spending level read, besides those of the trees."""
        population = self.target.population(self.config)
        extra = [population.column] if population else []
        if self.spend:
            extra += [f"revenue_{self.spend.horizon_days}d", "revenue_365d", "revenue_all"]
            extra += ["tenure_days", *(self.ranges or {}).get("columns", ())]
        return tuple(dict.fromkeys(extra))


def training_set_path(company: Company, workspace: Workspace, target: str) -> Path:
    """The file of a target's training set."""
    return workspace.features(company.name) / f"{target}.parquet"


def load_rows(company: Company, workspace: Workspace, target: str) -> TrainingRows:
    """Load the training set of a target; raises DataRefused when there is none."""
    path = training_set_path(company, workspace, target)
    if not path.exists():
        raise DataRefused(f"no training set {path}; make it with `goodwill features`")
    return to_training_rows(pq.read_table(path))


def to_training_rows(table: pa.Table) -> TrainingRows:
    """Convert a table of keys, label, weight and features to training rows."""
    return TrainingRows(
        table.drop([*KEYS]),
        table["label"].to_numpy(),
        table["weight"].to_numpy(),
        pc.dictionary_encode(table["customer_id"].combine_chunks()).indices.to_numpy(),
        table["cutoff"].combine_chunks().view(pa.int64()).to_numpy(),
    )


def train(
    target: Target, company: Company, rows: TrainingRows, params: Params | None = None
) -> TrainedTarget:
    """Train a target on all but the latest labels and judge it on those, and at older origins.

    `fit` and `valid` determine the number of rounds; the model learns from `refit`, which covers the
    seasons of both. `params` default to those of the target. Raises DataRefused when a part has too
    little data.
    """
    config, kind = company.target(target.name), learner_kind(target)
    split = split_rows(target, config, rows)
    check_split(target, rows, split)
    params = params or default_params(target)
    without = shifted_columns(kind, rows.features, rows.cutoff, split)
    parts = {n: rows.take(getattr(split, n)) for n in ("fit", "valid", "refit", "test")}
    recipe = Recipe.find(kind, parts, params, without, config.horizon_days)
    refit, test = parts["refit"], parts["test"]
    fitted = recipe.fit(refit)
    learnt = LabelledRows(refit.features, refit.label, refit.weight)
    predictions = predict_with_baselines(target, config, fitted, learnt, test.features)
    latest = OriginRows(
        split.test_start.isoformat(), len(refit.label), test.label, predictions, test.weight,
        test.customer,
    )  # fmt: skip
    judged = (latest, *predict_origins(target, config, rows, split, recipe))
    named = PARTS if config.is_snapshot else MOMENTS
    origins = evaluate_origins(target.kind, judged, named=named)
    sums = None
    if fitted.typical:
        sums = SumErrors.fit(
            [PredictedOrigin(o.start, o.customer, o.y, o.predictions["model"]) for o in judged]
        )
    return TrainedTarget(
        target, config,
        split=split,
        evaluation=_evaluate(target, test, predictions, origins, sums),
        predictions=predictions,
        test=test,
        params=params,
        label_counts=count_labels(target, rows.label),
        recipe=recipe,
        origins=origins,
        sums=sums,
        limits=tuple(origin_limits(judged, config)),
        **_fitted_parts(target, config, rows, split.refit, fitted),
    )  # fmt: skip


def _evaluate(
    target: Target,
    test: TrainingRows,
    predictions: dict[str, Floats],
    origins: OriginsEvaluation,
    sums: SumErrors | None,
) -> ModelEvaluation:
    """Evaluate on the test rows and grade over all origins; a value by error, rank and sums."""
    evaluation = evaluate_model(target.kind, test.label, predictions, test.weight, test.customer)
    evaluation = grade_over_origins(evaluation, origins)
    if sums and origins.rank_gain:
        return with_value_faults(evaluation, sums.interval, origins.rank_gain)
    return evaluation


def refit_on_all(judged: TrainedTarget, rows: TrainingRows) -> TrainedTarget:
    """Fit the recipe of a judged target on all labelled rows, up to the end of the data.

    Evaluation, predictions and test rows stay those of the judged model, on which they were made.
    """
    everything = np.ones(len(rows.label), bool)
    fitted = judged.recipe.fit(rows)
    parts = _fitted_parts(judged.target, judged.config, rows, everything, fitted)
    return replace(judged, survival=None, **parts)


def _fitted_parts(
    target: Target,
    config: TargetConfig,
    rows: TrainingRows,
    learnt: NDArray[np.bool_],
    fitted: FittedModel,
) -> dict[str, Any]:
    """The fields of a trained target that come from the rows it learnt from."""
    part = rows.take(learnt)
    columns = fitted.estimator.encoder.columns
    return {
        "estimator": fitted.estimator,
        "calibrator": fitted.calibrator,
        "spend": fitted.spend,
        "dropped": tuple(c for c in rows.features.column_names if c not in columns),
        "labels": _reach(rows, part, config),
        "ranges": _ranges(target, part, fitted.unseen, fitted.spend),
        "support": TrainingSupport.fit(fitted.estimator, part.features),
        "learnt": learnt,
        "unseen": fitted.unseen,
        "typical": fitted.typical,
        "never_negative": fitted.never_negative,
    }


def _reach(rows: TrainingRows, learnt: TrainingRows, config: TargetConfig) -> LabelReach:
    """The reach of the labels that the model learnt from, and the digest of all of them.

    A snapshot has the same labels on whatever day it is imported.
    """
    span_days = config.gap_days + config.horizon_days
    when = places(rows.cutoff) if config.is_snapshot else rows.cutoff
    labelled = LabelReach.of(when, rows.customer, rows.label, rows.weight, span_days)
    return replace(labelled, until=instant(int(learnt.cutoff.max()) + span_days * DAY))


def _ranges(
    target: Target, rows: TrainingRows, unseen: Floats, spend: SpendLevel | None
) -> dict[str, Any] | None:
    """Fit prediction intervals on out-of-fold predictions; None for targets without intervals."""
    if spend:
        level = spend.of(rows.features)
        return ValueIntervals.fit(
            rows.features, unseen, level, rows.label, rows.customer, rows.cutoff
        ).to_dict()
    if target.kind == "ordinal":
        return asdict(LevelIntervals.fit(unseen, rows.label, rows.weight))
    return None


def split_rows(target: Target, config: TargetConfig, rows: TrainingRows) -> Split:
    """Split the rows of a target by time; those of a snapshot by customer."""
    return split_by_time(target, config, rows.cutoff)


def check_split(target: Target, rows: TrainingRows, split: Split) -> None:
    """Check that every part can be trained or evaluated on; raises DataRefused otherwise."""
    for name in ("fit", "valid", "refit", "test"):
        label = rows.label[getattr(split, name)]
        counts = count_labels(target, label)
        shown = ", ".join(f"{c} {n:,}" for c, n in counts.items())
        lacking = [c for c, n in counts.items() if not n and c != "zero"]
        if name == "valid":  # early stopping works without every class
            lacking = lacking if len(lacking) == len(counts) else []
        if len(counts) > 2:  # of several classes, one may be missing: it gets a probability near 0
            lacking = lacking if len(counts) - len(lacking) < 2 else []
        if lacking:
            raise DataRefused(
                f"target {target.name}: no label {' or '.join(map(repr, lacking))} among the "
                f"{len(label):,} rows of the {name} part ({shown or 'empty'}); at least one of each is "
                f"needed: provide a longer history, or change targets.{target.name}"
            )
    check_minimum_data(target, rows.label, rows.customer, split)


def count_labels(target: Target, label: Floats) -> dict[str, int]:
    """Count the rows of each class; for values, zero and not zero."""
    if target.classes:
        return {c: int((label == i).sum()) for i, c in enumerate(target.classes)}
    return {"zero": int((label == 0).sum()), "not zero": int((label != 0).sum())}


def point_metrics(evaluation: ModelEvaluation) -> dict[str, float]:
    """The measures as `<contestant>_<measure>`, without prefix for the model; no NaN and no bounds."""
    flat = {
        name if who == "model" else f"{who}_{name}": float(interval.value)
        for who, measures in evaluation.metrics.items()
        for name, interval in measures.items()
    }
    return {name: value for name, value in flat.items() if np.isfinite(value)}


def flatten_metrics(evaluation: ModelEvaluation) -> dict[str, float]:
    """`point_metrics` with the model's bounds as `<measure>_low` and `<measure>_high`; no NaN."""
    bounds = {
        f"{name}_{end}": float(getattr(interval, end))
        for name, interval in evaluation.metrics["model"].items()
        for end in ("low", "high")
    }
    return point_metrics(evaluation) | {k: v for k, v in bounds.items() if np.isfinite(v)}
