"""Holdout evaluation: compare the outputs of a registered model with the outcomes of its test rows."""

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from models.bundles.bundle import Bundle
from models.bundles.judged_bundle import read_judged
from models.bundles.predict import predict
from models.evaluation.calibration_error import (
    CalibrationError,
    calibration_error,
    calibration_error_by_segment,
    reliability_bins,
)
from models.evaluation.interval_coverage import (
    IntervalCoverage,
    interval_coverage,
    interval_coverage_by_segment,
)
from models.learners.prediction_intervals import ValueIntervals
from models.targets.registry import TARGETS
from models.targets.target import Outputs
from models.training.train import TrainingRows, load_rows, split_rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HoldoutResult:
    """Rows after the training period of a model, with its calibrated predictions and its outputs."""

    bundle: Bundle
    rows: TrainingRows
    predictions: Floats
    outputs: Outputs

    @property
    def actual(self) -> Floats:
        """The outcome in the unit of the outputs: a level of 0 to 100, money, else the class."""
        if self.bundle.manifest.kind != "ordinal":
            return self.rows.label
        levels = np.asarray(TARGETS[self.bundle.target].class_values, np.float64)
        return np.asarray(levels[self.rows.label.astype(np.int64)])

    @cached_property
    def error(self) -> CalibrationError | None:
        """The calibration error of probabilities; None for a value."""
        if self.bundle.manifest.kind == "regression":
            return None
        rows = self.rows
        return calibration_error(rows.label, self.predictions, rows.weight, groups=rows.customer)

    @cached_property
    def segments(self) -> tuple[CalibrationError, ...]:
        """The calibration error of each segment with enough rows."""
        rows = self.rows
        if self.error is None:
            return ()
        return calibration_error_by_segment(
            rows.features, rows.label, self.predictions, rows.weight, rows.customer
        )

    @cached_property
    def coverage(self) -> IntervalCoverage | None:
        """The coverage of the prediction intervals; None for a target without intervals."""
        if not self.bundle.manifest.ranges:
            return None
        return self.coverage_of(np.ones(len(self.actual), bool), "all")

    @cached_property
    def spends_nothing(self) -> NDArray[np.bool_]:
        """The customers whose value is almost certainly nothing, so that their interval is, too."""
        manifest, features = self.bundle.manifest, self.rows.features
        if not (manifest.ranges and self.bundle.spend):
            return np.zeros(len(self.actual), bool)
        unit = self.bundle.spend.of(features)
        ranges = ValueIntervals.from_dict(manifest.ranges)
        return ranges.spends_nothing(features, self.predictions, unit)

    @cached_property
    def coverage_apart(self) -> dict[str, IntervalCoverage]:
        """The coverage of customers who spend nothing almost certainly, and of the others.

        Empty without intervals. Of the former more than 90% are covered by necessity.
        """
        nothing = self.spends_nothing
        parts = {"nothing": nothing, "others": ~nothing} if self.coverage else {}
        return {name: self.coverage_of(part, name) for name, part in parts.items() if part.any()}

    @cached_property
    def coverage_by_segment(self) -> tuple[IntervalCoverage, ...]:
        """The interval coverage of each segment with enough rows."""
        if self.coverage is None:
            return ()
        return interval_coverage_by_segment(
            self.rows.features, self.actual, self._intervals, self.rows.weight
        )

    def coverage_of(self, part: NDArray[np.bool_], name: str) -> IntervalCoverage:
        """The interval coverage of some of the rows."""
        low, high = (end[part] for end in self._intervals)
        return interval_coverage(self.actual[part], low, high, self.rows.weight[part], name)

    @property
    def _intervals(self) -> tuple[Floats, Floats]:
        return self.outputs["low"], self.outputs["high"]

    @property
    def abstain_share(self) -> float:
        """The share of rows that are out of distribution, so that the model abstains."""
        return float(np.mean(self.outputs["abstain"]))

    def bins(self) -> dict[str, list[dict[str, Any]]]:
        """Reliability bins of the positive class or of each class; empty for a value."""
        if self.error is None:
            return {}
        names, predicted, label = self.bundle.manifest.classes, self.predictions, self.rows.label
        shares = {names[1]: (label, predicted)} if predicted.ndim == 1 else {
            name: ((label == k).astype(float), predicted[:, k]) for k, name in enumerate(names)
        }  # fmt: skip
        return {
            name: reliability_bins(y, p, self.rows.weight).to_dict("records")  # type: ignore[misc]
            for name, (y, p) in shares.items()
        }

    def to_json(self) -> str:
        """Calibration errors, bins and coverage, overall and by segment, as JSON text."""
        return json.dumps(
            {
                "calibration": asdict(self.error) if self.error else None,
                "calibration_by_segment": [asdict(s) for s in self.segments],
                "bins": self.bins(),
                "coverage": asdict(self.coverage) if self.coverage else None,
                "coverage_apart": {n: asdict(c) for n, c in self.coverage_apart.items()},
                "coverage_by_segment": [asdict(s) for s in self.coverage_by_segment],
                "abstains": self.abstain_share,
            },
            indent=1,
        )


def evaluate_on_holdout(bundle: Bundle, rows: TrainingRows) -> HoldoutResult:
    """Evaluate a model on labelled rows, which must be later than its training rows."""
    return HoldoutResult(
        bundle, rows, bundle.calibrated(rows.features), predict(bundle, rows.features)
    )


def evaluate_on_test_rows(bundle: Bundle, company: Company, workspace: Workspace) -> HoldoutResult:
    """Evaluate the judged model of a served version on the test rows of the stored training set.

    Raises DataRefused without a training set, and when the model was trained on some of these rows.
    """
    target = TARGETS[bundle.target]
    bundle = read_judged(workspace.serving(company.name), bundle)
    rows = load_rows(company, workspace, bundle.target)
    split = split_rows(target, company.target(bundle.target), rows)
    if (begins := split.test_start.isoformat()) < bundle.manifest.test_start:
        raise DataRefused(
            f"the test period of {bundle.target} begins on {begins[:10]}, but version {bundle.version} "
            f"was trained on rows before {bundle.manifest.test_start[:10]}; run `goodwill train`"
        )
    return evaluate_on_holdout(bundle, rows.take(split.test))
