"""Train one target: split by time, fit, calibrate, refit, evaluate against the business rule."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.config.company import Company, TargetConfig
from features.errors import DataRefused
from features.settings import Workspace
from models.evaluation.grade import ModelEvaluation, evaluate_model
from models.evaluation.sum_errors import Origin, SumErrors
from models.evaluation.value_grade import evaluate_value
from models.learners.calibration import Calibrator
from models.learners.cross_fitting import predict_out_of_fold
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.learners.out_of_distribution import TrainingSupport
from models.learners.prediction_intervals import LevelIntervals, ValueIntervals
from models.learners.survival_curve import SurvivalCurve
from models.targets.spend_level import SpendLevel
from models.targets.target import Target
from models.targets.typical_value import predict_typical
from models.training.baseline_comparison import CalibratedModel, predict_with_baselines
from models.training.distribution_shift import match_base_rate, shifted_columns
from models.training.hyperparameters import MIN_ROUNDS, default_params, learner_kind
from models.training.minimum_data import check_minimum_data
from models.training.rolling_sums import predict_origins
from models.training.value_models import fit_mean
from models.training_set.build_training_sets import KEYS
from models.training_set.splits import Split, split_by_time

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

    `unseen` are calibrated out-of-fold predictions for the refit rows, by models of other customers
    (for a value: multiples of the unit of spending). For a value, `estimator` predicts the mean and
    `typical` the median (`predictions` have both as "model" and "typical"); `never_negative`: no
    training label is below 0; `sums` compares sums over rolling origins.
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
    ranges: dict[str, Any] | None
    support: TrainingSupport
    unseen: Floats
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


def load_rows(company: Company, workspace: Workspace, target: str) -> TrainingRows:
    """Load the training set of a target; raises DataRefused when there is none."""
    path = workspace.features(company.name) / f"{target}.parquet"
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
    """Train a target on all but the latest labels and evaluate it on those.

    `fit` and `valid` determine the number of rounds and the shape of the calibration. `refit`, which
    covers the seasons of both, grows the trees that ship and determines the level. `params` default
    to those of the target. Raises DataRefused when a part has too little data.
    """
    config, kind = company.target(target.name), learner_kind(target)
    split = split_rows(target, config, rows)
    check_split(target, rows, split)
    params = params or default_params(target)
    without = shifted_columns(kind, rows.features, rows.cutoff, split)
    parts = {n: rows.take(getattr(split, n)) for n in ("fit", "valid", "refit", "test")}
    refit, test = parts["refit"], parts["test"]
    spend = SpendLevel.fit(refit.features, config.horizon_days) if kind == "regression" else None
    fitted = _fit(kind, parts, spend, params, without)
    typical = fitted.typical_of(test, spend)
    predictions = predict_with_baselines(
        target,
        config,
        CalibratedModel(fitted.estimator, fitted.calibrator, spend, without),
        LabelledRows(refit.features, refit.label, refit.weight),
        test.features,
    )
    sums = None
    if typical is not None:
        predictions["typical"] = typical
        sums = _sum_errors(target, config, rows, split, params, predictions["model"])
    return TrainedTarget(
        target, config, fitted.estimator, fitted.calibrator, spend, split,
        _evaluate(target, test, predictions, sums),
        predictions, test, params,
        dropped=_dropped(rows, fitted.estimator),
        label_counts=count_labels(target, rows.label),
        ranges=_ranges(kind, target, refit, fitted.unseen, spend),
        support=TrainingSupport.fit(fitted.estimator, refit.features),
        unseen=fitted.unseen,
        typical=fitted.typical,
        never_negative=fitted.never_negative,
        sums=sums,
    )  # fmt: skip


@dataclass(frozen=True)
class _Fitted:
    """The trees of a target, their calibration, and calibrated out-of-fold predictions."""

    estimator: Estimator
    calibrator: Calibrator
    unseen: Floats
    typical: Estimator | None = None
    never_negative: bool = False

    def typical_of(self, rows: TrainingRows, spend: SpendLevel | None) -> Floats | None:
        """The median of each row's value; None for another target."""
        if self.typical is None or spend is None:
            return None
        return predict_typical(self.typical, spend, rows.features, self.never_negative)


def _fit(
    kind: str,
    parts: dict[str, TrainingRows],
    spend: SpendLevel | None,
    params: Params,
    without: tuple[str, ...],
) -> _Fitted:
    """Fit on `fit` and `valid` for rounds and calibration, then on `refit` for the trees that ship."""
    data = {n: to_labelled(parts[n], spend) for n in ("fit", "valid", "refit")}
    first = Estimator.fit(kind, data["fit"], data["valid"], params, without)
    rounds = max(first.rounds, MIN_ROUNDS[kind])
    final = first.refit(data["refit"], params, rounds)
    refit = parts["refit"]
    if spend:
        mean = fit_mean(parts, spend, params, without)
        unseen = mean.calibrator.apply(mean.unseen)
        never_negative = bool((refit.label >= 0).all())
        return _Fitted(mean.estimator, mean.calibrator, unseen, final, never_negative)
    calibrator = _calibrator(kind, first, parts["valid"])
    unseen = predict_out_of_fold(final, data["refit"], refit.customer, params, rounds)
    return _Fitted(final, calibrator, calibrator.apply(unseen))


def _evaluate(
    target: Target, test: TrainingRows, predictions: dict[str, Floats], sums: SumErrors | None
) -> ModelEvaluation:
    """Evaluate on the test rows; a value by its mean, its median and its sums over rolling origins."""
    if sums is None:
        return evaluate_model(target.kind, test.label, predictions, test.weight, test.customer)
    return evaluate_value(test.label, predictions, sums.interval, test.weight, test.customer)


def _sum_errors(
    target: Target,
    config: TargetConfig,
    rows: TrainingRows,
    split: Split,
    params: Params,
    expected: Floats,
) -> SumErrors:
    """The sums of expected values over rolling origins, the last of which is the test."""
    test = rows.take(split.test)
    before = rows.take(~split.test)
    last = Origin(split.test_start.isoformat(), test.customer, test.label, expected)
    earlier = predict_origins(before, target.span_days(config), config.horizon_days, params)
    return SumErrors.fit([*earlier, last])


def _dropped(rows: TrainingRows, estimator: Estimator) -> tuple[str, ...]:
    """The columns that the model does not read."""
    return tuple(c for c in rows.features.column_names if c not in estimator.encoder.columns)


def _calibrator(kind: str, first: Estimator, valid: TrainingRows) -> Calibrator:
    """Fit the calibration on rows later than those that `first` was fitted on."""
    drifted = first.predict(valid.features)
    level = match_base_rate(drifted, valid.label, valid.weight)
    return Calibrator.fit(kind, level, valid.label, valid.weight)


def _ranges(
    kind: str, target: Target, rows: TrainingRows, unseen: Floats, spend: SpendLevel | None
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
    """Split the rows of a target by time."""
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


def to_labelled(rows: TrainingRows, spend: SpendLevel | None) -> LabelledRows:
    """Labels as the trees are trained on: values as multiples of the level, weighted by it."""
    if spend is None:
        return LabelledRows(rows.features, rows.label, rows.weight)
    level = spend.of(rows.features)
    return LabelledRows(rows.features, rows.label / level, rows.weight * level / level.mean())


def flatten_metrics(evaluation: ModelEvaluation) -> dict[str, float]:
    """Flatten the measures to `<contestant>_<measure>`, without prefix for the model; no NaN."""
    flat: dict[str, Any] = {}
    for who, measures in evaluation.metrics.items():
        for name, interval in measures.items():
            prefix = "" if who == "model" else f"{who}_"
            flat[f"{prefix}{name}"] = interval.value
            if who == "model":
                flat[f"{name}_low"], flat[f"{name}_high"] = interval.low, interval.high
    return {k: float(v) for k, v in flat.items() if np.isfinite(v)}
