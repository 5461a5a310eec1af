"""The survival curve of a trained churn target, and its agreement with observed tenure."""

from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.config.company import Company
from features.history_store import Manifest, create_departures_table, open_history
from features.settings import Workspace
from models.learners.survival_curve import (
    MONTH,
    MONTHS,
    SurvivalCurve,
    TenureDurations,
    kaplan_meier,
)
from models.training.train import TrainedTarget
from models.training_set.splits import instant, microseconds

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SurvivalAgreement:
    """The share of customers who stay for 0, 1, ..., 12 months: predicted, and observed (None: no data).

    `seen`: training rows, predicted by models of other customers; `later`: the test rows.
    """

    learnt_months: int
    seen_predicted: list[float]
    seen_observed: list[float | None]
    later_predicted: list[float]
    later_observed: list[float | None]

    def to_dict(self) -> dict[str, object]:
        """The fields as JSON holds them."""
        return asdict(self)


def fit_survival(
    trained: TrainedTarget, company: Company, workspace: Workspace, manifest: Manifest
) -> tuple[SurvivalCurve, SurvivalAgreement]:
    """Fit the survival curve of a judged model, up to the test, and compare it on the test rows."""
    split, end = trained.split, microseconds(manifest.end)
    survival, stays = _fit(trained, company, workspace, manifest, microseconds(split.test_start))
    later = _keys(company, workspace, split.test)
    after = measure_tenure(company, workspace, manifest, later, end)
    return survival, SurvivalAgreement(
        survival.learnt,
        _mean(survival, trained.unseen),
        _observed(kaplan_meier(stays, np.ones(len(trained.unseen)))),
        _mean(survival, trained.predictions["model"]),
        _observed(kaplan_meier(after, np.ones(later.num_rows))),
    )


def refit_survival(
    trained: TrainedTarget, company: Company, workspace: Workspace, manifest: Manifest
) -> SurvivalCurve:
    """Fit the survival curve of a refitted model, up to the end of the data."""
    return _fit(trained, company, workspace, manifest, microseconds(manifest.end))[0]


def _fit(
    trained: TrainedTarget, company: Company, workspace: Workspace, manifest: Manifest, until: int
) -> tuple[SurvivalCurve, TenureDurations]:
    """Fit the curve on the rows that the model learnt from and on what was known before `until`."""
    config, seen = trained.config, _keys(company, workspace, trained.learnt)
    stays = measure_tenure(company, workspace, manifest, seen, until)
    weight = np.ones(seen.num_rows)
    horizon = float(config.horizon_days) if config.definition == "cancel" else None
    gap = float(config.gap_days)
    return SurvivalCurve.fit(trained.unseen, stays, weight, horizon, gap), stays


def _keys(company: Company, workspace: Workspace, mask: NDArray[np.bool_]) -> pa.Table:
    path = workspace.features(company.name) / "churn.parquet"
    return pq.read_table(path, columns=["customer_id", "cutoff"]).filter(pa.array(mask))


def _mean(survival: SurvivalCurve, churn: Floats) -> list[float]:
    """The mean curve of the rows; with contracts, of customers who stayed until the window began."""
    curve = survival.curve(churn)
    if survival.anchor and survival.start:
        gap = min(int(np.ceil(survival.start)), MONTHS)
        curve = np.minimum(curve / curve[:, [gap]], 1.0)
    return [float(v) for v in curve.mean(axis=0)]


def _observed(curve: Floats) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in curve[: MONTHS + 1]]


def measure_tenure(
    company: Company, workspace: Workspace, manifest: Manifest, keys: pa.Table, until: int
) -> TenureDurations:
    """Measure how long the customer of each (customer_id, cutoff) row stayed.

    With contracts, a customer leaves with the end of the last one. Without, they have left at the last
    order before the first silence of the length of the churn horizon; a silence that begins at the
    cutoff means that they had left already. Only events that happened and were known before `until`
    (microseconds since 1970) count, so that a curve fitted on these rows has not seen the test.
    """
    config = company.target("churn")
    con = open_history(workspace.history(company.name))
    try:
        con.register("keys", keys.append_column("place", pa.array(range(keys.num_rows))))
        end = f"timestamptz '{instant(min(until, microseconds(manifest.end))).isoformat()}'"
        create_departures_table(con, manifest.rows, end)
        durations = (
            _cancels(end) if config.definition == "cancel" else _silences(config.horizon_days, end)
        )
        found = con.sql(f"select * from ({durations}) order by place").to_arrow_table()
    finally:
        con.close()
    left, seen = (np.asarray(found[n].to_numpy(), np.float64) for n in ("left_days", "seen_days"))
    return TenureDurations(
        np.ceil(np.maximum(left, 0.0) / MONTH), np.floor(np.maximum(seen, 0.0) / MONTH)
    )


def _cancels(end: str) -> str:
    """SQL for the days from each cutoff to the next departure, and to the end."""
    return f"""
        select k.place, epoch(min(d.occurred_at) - any_value(k.cutoff)) / 86400 as left_days,
               epoch({end} - any_value(k.cutoff)) / 86400 as seen_days
        from keys k left join departures d
            on d.customer_id = k.customer_id and d.occurred_at >= k.cutoff
        group by k.place
    """


def _silences(horizon: int, end: str) -> str:
    """SQL for the days from each cutoff to the last order before a silence of the horizon's length."""
    return f"""
        with steps as (
            select k.place, k.cutoff, k.cutoff as moment from keys k
            union all
            select k.place, k.cutoff, e.occurred_at from keys k
            join events e on e.customer_id = k.customer_id and e.kind = 'order'
                and e.occurred_at >= k.cutoff and e.occurred_at < {end} and e.known_at < {end}
        ),
        gaps as (
            select place, cutoff, moment,
                   coalesce(lead(moment) over (partition by place order by moment), {end}) as next
            from steps
        )
        select place,
               epoch(min(moment) filter (next - moment >= interval {horizon} day)
                     - any_value(cutoff)) / 86400 as left_days,
               epoch({end} - any_value(cutoff)) / 86400 - {horizon} as seen_days
        from gaps group by place
    """
