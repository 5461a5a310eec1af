"""What guards a trained model: is there enough data, where is it worst, how fast does it age."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from features.atomic_write import write_text_atomically
from features.errors import DataRefused
from models.evaluation.bootstrap import Interval
from models.plots.slices_and_staleness import age_curve, slice_gains
from models.training.minimum_data import check_enough
from models.training.train import TrainingRows, TrainedTarget
from models.validation.slice_metrics import Slices, compare_by_slice
from models.validation.staleness import ModelAge, Staleness, measure_staleness


@dataclass(frozen=True)
class ValidationChecks:
    """The findings about one trained target: warnings in sentences, slices and ageing."""

    warnings: tuple[str, ...]
    slices: Slices
    staleness: Staleness

    def to_json(self) -> str:
        """All of it as JSON text; what is undefined is null."""
        return json.dumps(_plain(asdict(self)), ensure_ascii=False, indent=1)

    def write(self, path: Path) -> None:
        """Write `to_json` to a file, replaced whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, self.to_json())

    def figures(self) -> dict[str, Figure]:
        """The pictures of slices and ageing, by name; none of what could not be measured."""
        drawn = {"slices": slice_gains(self.slices)} if self.slices.judged else {}
        return drawn | ({"staleness": age_curve(self.staleness)} if self.staleness.ages else {})


def run_checks(trained: TrainedTarget, rows: TrainingRows) -> ValidationChecks:
    """Look at a trained target from all sides; `rows` are those it was trained and judged on."""
    said = trained.predictions
    return ValidationChecks(
        tuple(check_enough(trained.target, rows.label, rows.customer, trained.split)),
        compare_by_slice(trained.target, trained.test, said["model"], said["rule"]),
        measure_staleness(trained, rows),
    )


def read_staleness(path: Path) -> Staleness:
    """The ageing in the record that `to_json` wrote.

    Raises DataRefused when the file cannot be read.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))["staleness"]
        ages = tuple(
            ModelAge(a["months"], a["rows"], _interval(a["model"]), _interval(a["loss"]), _number(a["kept"]))
            for a in told["ages"]
        )  # fmt: skip
        return Staleness(told["measure"], _number(told["rule"]), ages)
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise DataRefused(
            f"{path} cannot be read ({type(err).__name__}); `goodwill train` writes it again"
        ) from None


def _interval(raw: dict[str, Any]) -> Interval:
    return Interval(*(_number(raw[end]) for end in ("value", "low", "high")))


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
