"""Metrics of every customer on a given day, the input of value score and status."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import open_history
from features.settings import Workspace
from insight.evaluation.evaluation_settings import EvaluationSettings
from insight.value.expert_ratings import (
    ItemAgreement,
    combine_ratings,
    measure_agreement,
    read_ratings,
)
from insight.value.value_metrics import compute_value_metrics
from models.scoring.backfill import scores_at

#: Columns of the scores file that metrics and segments use.
PREDICTED_COLUMNS = (
    "satisfaction_score", "satisfaction_low", "satisfaction_high", "satisfaction_dissatisfied",
    "churn_probability", "value_expected", "value_low", "value_high", "value_segment",
)  # fmt: skip


@dataclass(frozen=True)
class DayMetrics:
    """Everybody known on one day: their `metrics`, and the `scores` predicted on that day.

    `state` says who is a customer, has left or is unknown (`features.customer_definition`); None means
    that all are customers.
    """

    as_of: datetime
    metrics: pd.DataFrame
    scores: pd.DataFrame | None
    state: "pd.Series[str] | None" = None

    @property
    def is_customer(self) -> "pd.Series[bool]":
        """Whether each row of the metrics is a customer."""
        if self.state is None:
            return pd.Series(True, self.metrics.index)
        return self.state.reindex(self.metrics.index) == "customer"

    def of_customers(self) -> "DayMetrics":
        """The same day with the metrics of customers only."""
        return replace(self, metrics=self.metrics[self.is_customer])


@dataclass(frozen=True)
class MetricCalculator:
    """Computes the metrics of a company's customers on any day of its history.

    `computed` caches the earlier days; `agreement` is that of the expert raters.
    """

    company: Company
    workspace: Workspace
    settings: EvaluationSettings
    ratings: pd.DataFrame | None
    computed: dict[datetime, DayMetrics] = field(default_factory=dict, repr=False)
    agreement: list[ItemAgreement] = field(default_factory=list)

    @classmethod
    def for_company(
        cls, company: Company, workspace: Workspace, settings: EvaluationSettings
    ) -> "MetricCalculator":
        """Read the expert ratings. Raises DataRefused for a file of ratings that cannot be used."""
        experts = settings.value.experts
        if not experts:
            return cls(company, workspace, settings, None)
        given = read_ratings(company.path.parent / experts.file, experts)
        ratings, _ = combine_ratings(given)
        return cls(company, workspace, settings, ratings, agreement=measure_agreement(given))

    def on(self, day: datetime, scores: pd.DataFrame | None) -> DayMetrics:
        """Compute the metrics of the customers known on a day; `scores` are that day's predictions.

        Raises DataRefused without events.
        """
        history = self.workspace.history(self.company.name)
        if not (history / "events.parquet").is_file():
            raise DataRefused(
                "the company has no events; customer value is calculated from orders: map them under "
                "[tables.events]"
            )
        metrics = compute_value_metrics(
            history, day, scores, self.ratings, self.settings.value.margins, self.horizon_days
        )
        return DayMetrics(day, metrics, scores, self._states(history, day, metrics.index))

    def _states(self, history: Path, day: datetime, known: pd.Index) -> "pd.Series[str]":
        """The state of everybody known on a day."""
        at = f"timestamptz '{day.isoformat()}'"
        state = self.settings.definition.state_sql(at)
        with open_history(history) as con:
            rows = con.sql(f"select customer_id, {state} as state from events group by 1")
            found = rows.to_arrow_table().to_pandas().set_index("customer_id")["state"]
        states: pd.Series[str] = found.reindex(known).fillna("unknown")
        return states

    def unknown_rated(self, known: pd.Index) -> str:
        """Return a warning about ratings of unknown customers; empty if there are none."""
        if self.ratings is None:
            return ""
        unknown = self.ratings.index.difference(known)
        if unknown.empty:
            return ""
        return (
            f"{len(unknown)} of {len(self.ratings)} customers rated by experts are not known (first: "
            f"{unknown[0]}); their ids should be those of the customers"
        )

    def before(self, day: datetime) -> DayMetrics:
        """Compute the metrics on an earlier day, with the predictions of today's models for it."""
        if day not in self.computed:
            scores = scores_at(self.company, self.workspace, day)
            frame = predicted_columns(scores.to_pandas()) if scores else None
            self.computed[day] = self.on(day, frame)
        return self.computed[day]

    @property
    def horizon_days(self) -> int:
        """Horizon of the value prediction; growth is computed over the same period."""
        return self.company.target("value").horizon_days


def predicted_columns(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of a scores file that metrics and segments use, by customer."""
    return scores.set_index("customer_id")[[c for c in PREDICTED_COLUMNS if c in scores]]
