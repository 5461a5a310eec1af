"""What every customer measured on a day, as the value score and the standing are made of it."""

from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from insight.evaluation.evaluation_settings import EvaluationSettings
from insight.value.expert_ratings import combine_ratings, read_ratings
from insight.value.value_metrics import compute_value_metrics
from models.scoring.backfill import scores_at

#: Of the scores file, what measures and segments are made of.
PREDICTED_COLUMNS = (
    "satisfaction_score", "satisfaction_low", "satisfaction_high", "satisfaction_dissatisfied",
    "churn_probability", "value_expected", "value_low", "value_high", "value_segment",
)  # fmt: skip


@dataclass(frozen=True)
class DayMetrics:
    """The customers known on one day: `measured` is a row each, `scores` what was predicted then."""

    as_of: datetime
    measured: pd.DataFrame
    scores: pd.DataFrame | None


@dataclass(frozen=True)
class MetricCalculator:
    """Measures the customers of a company on any day of its history; keeps `earlier` days it made."""

    company: Company
    workspace: Workspace
    choices: EvaluationSettings
    ratings: pd.DataFrame | None
    earlier: dict[datetime, DayMetrics] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, company: Company, workspace: Workspace, choices: EvaluationSettings) -> "MetricCalculator":
        """Raises DataRefused for a file of experts' ratings that cannot be used."""
        experts = choices.value.experts
        ratings = None
        if experts:
            ratings, _ = combine_ratings(read_ratings(company.path.parent / experts.file, experts))
        return cls(company, workspace, choices, ratings)

    def on(self, day: datetime, scores: pd.DataFrame | None) -> DayMetrics:
        """The customers known on the day, `scores` being the predictions of that day by customer.

        Raises DataRefused where nothing is recorded that a measure could be made of.
        """
        history = self.workspace.history(self.company.name)
        if not (history / "events.parquet").is_file():
            raise DataRefused(
                "the company has no events; a customer's value is told from his orders: map them under "
                "[tables.events]"
            )
        told = compute_value_metrics(
            history, day, scores, self.ratings, self.choices.value.margins, self.horizon_days
        )
        return DayMetrics(day, told, scores)

    def rated_in_vain(self, known: pd.Index) -> str:
        """What to say of ratings of customers who are not known; empty where there are none."""
        if self.ratings is None:
            return ""
        odd = self.ratings.index.difference(known)
        if odd.empty:
            return ""
        return (
            f"{len(odd)} of {len(self.ratings)} customers rated by experts are not known (first: "
            f"{odd[0]}); their ids should be those of the customers"
        )

    def then(self, day: datetime) -> DayMetrics:
        """The customers known on an earlier day, with what today's models would have predicted."""
        if day not in self.earlier:
            scores = scores_at(self.company, self.workspace, day)
            frame = predicted_columns(scores.to_pandas()) if scores else None
            self.earlier[day] = self.on(day, frame)
        return self.earlier[day]

    @property
    def horizon_days(self) -> int:
        """How far ahead values are predicted, and growth is counted."""
        return self.company.target("value").horizon_days


def predicted_columns(scores: pd.DataFrame) -> pd.DataFrame:
    """A scores file by customer, with the columns that measures and segments are made of."""
    return scores.set_index("customer_id")[[c for c in PREDICTED_COLUMNS if c in scores]]
