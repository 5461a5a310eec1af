"""The survival curve of a trained churn target, and how well it agrees with what was observed."""

from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.config.company import Company
from features.history_store import Manifest
from features.settings import Workspace
from models.learners.survival_curve import MONTHS, SurvivalCurve, kaplan_meier
from models.training.tenure_durations import measure_tenure
from models.training.train import TrainedTarget
from models.training_set.splits import microseconds

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SurvivalAgreement:
    """The share still there after 0, 1, ..., 12 months: as predicted and as observed (None: nobody).

    `seen` is about training rows predicted by models of other customers, `later` about the test.
    """

    learnt_months: int
    seen_predicted: list[float]
    seen_observed: list[float | None]
    later_predicted: list[float]
    later_observed: list[float | None]

    def to_dict(self) -> dict[str, object]:
        """As JSON holds it."""
        return asdict(self)


def fit_survival(
    trained: TrainedTarget, company: Company, workspace: Workspace, manifest: Manifest
) -> tuple[SurvivalCurve, SurvivalAgreement]:
    """Learn from the training rows, up to the test, when customers leave; and check it on the test."""
    keys = pq.read_table(
        workspace.features(company.name) / "churn.parquet", columns=["customer_id", "cutoff"]
    )
    split, config = trained.split, trained.config
    seen, later = (keys.filter(pa.array(mask)) for mask in (split.refit, split.test))
    start, end = microseconds(split.test_start), microseconds(manifest.end)
    stays = measure_tenure(company, workspace, manifest, seen, start)
    weight = np.ones(seen.num_rows)
    horizon = float(trained.target.span_days(config)) if config.definition == "cancel" else None
    survival = SurvivalCurve.fit(trained.unseen, stays, weight, horizon)
    after = measure_tenure(company, workspace, manifest, later, end)
    return survival, SurvivalAgreement(
        survival.learnt,
        _mean(survival, trained.unseen),
        _observed(kaplan_meier(stays, weight)),
        _mean(survival, trained.predictions["model"]),
        _observed(kaplan_meier(after, np.ones(later.num_rows))),
    )


def _mean(survival: SurvivalCurve, churn: Floats) -> list[float]:
    return [float(v) for v in survival.curve(churn).mean(axis=0)]


def _observed(curve: Floats) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in curve[: MONTHS + 1]]
