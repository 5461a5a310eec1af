"""A model asked about its test rows: what it says of them beside what came, as it is served."""

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
from models.bundles.predict import predict
from models.evaluation.calibration_error import (
    CalibrationError,
    calibration_error_by_segment,
    calibration_error,
    reliability_bins,
)
from models.evaluation.interval_coverage import IntervalCoverage, interval_coverage, interval_coverage_by_segment
from models.targets.target import Outputs
from models.targets.registry import TARGETS
from models.training.train import TrainingRows, load_rows, split_rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HoldoutResult:
    """Rows later than a model has learnt from, with its probabilities or values and its outputs."""

    bundle: Bundle
    rows: TrainingRows
    said: Floats
    outputs: Outputs

    @property
    def actual(self) -> Floats:
        """What came, in the unit of the outputs: a level of 0 to 100, money, else the class."""
        if self.bundle.manifest["kind"] != "ordinal":
            return self.rows.label
        levels = np.asarray(TARGETS[self.bundle.target].class_values, np.float64)
        return np.asarray(levels[self.rows.label.astype(np.int64)])

    @cached_property
    def error(self) -> CalibrationError | None:
        """The calibration error of a probability beside chance; None for a value."""
        if self.bundle.manifest["kind"] == "regression":
            return None
        return calibration_error(self.rows.label, self.said, self.rows.weight)

    @cached_property
    def segments(self) -> tuple[CalibrationError, ...]:
        """The calibration error of every segment with enough rows."""
        rows = self.rows
        if self.error is None:
            return ()
        return calibration_error_by_segment(rows.features, rows.label, self.said, rows.weight)

    @cached_property
    def coverage(self) -> IntervalCoverage | None:
        """How many outcomes lie in their range; None for a target without ranges."""
        if not self.bundle.manifest.get("ranges"):
            return None
        return self.covered(np.ones(len(self.actual), bool), "all")

    @cached_property
    def covered_segments(self) -> tuple[IntervalCoverage, ...]:
        """The same in every segment with enough rows."""
        if self.coverage is None:
            return ()
        return interval_coverage_by_segment(self.rows.features, self.actual, self._ranges, self.rows.weight)

    def covered(self, part: NDArray[np.bool_], name: str) -> IntervalCoverage:
        """How many outcomes of some of the rows lie in their range."""
        low, high = (end[part] for end in self._ranges)
        return interval_coverage(self.actual[part], low, high, self.rows.weight[part], name)

    @property
    def _ranges(self) -> tuple[Floats, Floats]:
        return self.outputs["low"], self.outputs["high"]

    @property
    def unlike(self) -> float:
        """The share of the rows the model abstains from."""
        return float(np.mean(self.outputs["abstain"]))

    def bins(self) -> dict[str, list[dict[str, Any]]]:
        """Reliability by bin, of the case or of each class; empty for a value."""
        if self.error is None:
            return {}
        names, said, label = self.bundle.manifest["classes"], self.said, self.rows.label
        shares = {names[1]: (label, said)} if said.ndim == 1 else {
            name: ((label == k).astype(float), said[:, k]) for k, name in enumerate(names)
        }  # fmt: skip
        return {
            name: reliability_bins(y, p, self.rows.weight).to_dict("records")  # type: ignore[misc]
            for name, (y, p) in shares.items()
        }

    def to_json(self) -> str:
        """Errors beside chance, bins and coverage, overall and by segment, as JSON text."""
        return json.dumps(
            {
                "calibration": asdict(self.error) if self.error else None,
                "calibration_by_segment": [asdict(s) for s in self.segments],
                "bins": self.bins(),
                "coverage": asdict(self.coverage) if self.coverage else None,
                "coverage_by_segment": [asdict(s) for s in self.covered_segments],
                "abstains": self.unlike,
            },
            indent=1,
        )


def evaluate_on_holdout(bundle: Bundle, rows: TrainingRows) -> HoldoutResult:
    """What a model says of rows whose outcome is known; they must be later than its training rows."""
    return HoldoutResult(bundle, rows, bundle.calibrated(rows.features), predict(bundle, rows.features))


def evaluate_on_test_rows(bundle: Bundle, company: Company, workspace: Workspace) -> HoldoutResult:
    """A serving model on the test rows of the training set as it is on disk.

    Raises DataRefused without a training set, and when the model has learnt from rows of the test.
    """
    target = TARGETS[bundle.target]
    rows = load_rows(company, workspace, bundle.target)
    split = split_rows(target, company.target(bundle.target), rows)
    if (begins := split.test_start.isoformat()) < bundle.manifest["test_start"]:
        raise DataRefused(
            f"the test of {bundle.target} begins on {begins[:10]}, but version {bundle.version} has "
            f"learnt from what came before {bundle.manifest['test_start'][:10]}; run `goodwill train`"
        )
    return evaluate_on_holdout(bundle, rows.take(split.test))
