"""Validation checks of a trained model: enough data, metrics by customer group, staleness."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.atomic_write import write_text_atomically
from features.errors import DataRefused
from features.json_values import finite_or_none
from models.evaluation.bootstrap import Interval
from models.evaluation.metrics import judged_by
from models.plots.slices_and_staleness import age_curve, slice_gains
from models.training.minimum_data import check_minimum_data
from models.training.train import TrainedTarget, TrainingRows
from models.validation.slice_metrics import Slices, compare_by_slice
from models.validation.staleness import ModelAge, Staleness, measure_staleness

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class ValidationChecks:
    """The results of the checks of one trained target: warnings, slices and staleness."""

    warnings: tuple[str, ...]
    slices: Slices
    staleness: Staleness

    def to_json(self) -> str:
        """The results as JSON text; undefined values are null."""
        return json.dumps(finite_or_none(asdict(self)), ensure_ascii=False, indent=1)

    def write(self, path: Path) -> None:
        """Write `to_json` to a file, replaced whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, self.to_json())

    def figures(self) -> "dict[str, Figure]":
        """The plots of slices and staleness by name, as far as they could be measured."""
        drawn = {"slices": slice_gains(self.slices)} if self.slices.judged else {}
        return drawn | ({"staleness": age_curve(self.staleness)} if self.staleness.ages else {})


def run_checks(trained: TrainedTarget, rows: TrainingRows) -> ValidationChecks:
    """Run the checks of a trained target; `rows` are its training and test rows."""
    predictions = trained.predictions
    levels = predictions["model"], predictions["rule"]
    return ValidationChecks(
        tuple(check_minimum_data(trained.target, rows.label, rows.customer, trained.split)),
        compare_by_slice(
            trained.target,
            trained.test,
            judged_by(trained.evaluation.primary, predictions),
            predictions["rule"],
            levels=levels,
        ),
        measure_staleness(trained, rows),
    )  # fmt: skip


def read_staleness(path: Path) -> Staleness:
    """Read the staleness from a file that `ValidationChecks.write` wrote.

    Raises DataRefused when the file cannot be read.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))["staleness"]
        ages = tuple(_model_age(age) for age in stored["ages"])
        obstacle = stored.get("obstacle")
        return Staleness(stored["measure"], _number(stored["rule"]), ages, obstacle)
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise DataRefused(
            f"{path} cannot be read ({type(err).__name__}); run `goodwill train` to write it again"
        ) from None


def _model_age(raw: dict[str, Any]) -> ModelAge:
    model, loss = _interval(raw["model"]), _interval(raw["loss"])
    return ModelAge(raw["months"], raw["rows"], model, loss, _number(raw["kept"]))


def _interval(raw: dict[str, Any]) -> Interval:
    return Interval(*(_number(raw[end]) for end in ("value", "low", "high")))


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
