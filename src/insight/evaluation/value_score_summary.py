"""Summary of the value score, and the traits that separate its best customers from the worst."""

import math

import pandas as pd

from features.config.company import Company
from features.settings import Workspace
from insight.evaluation.assign_status import StatusAssignment
from insight.evaluation.evaluation_schema import (
    DimensionWeight,
    ItemRaterAgreement,
    Trait,
    ValueScoreSummary,
)
from insight.evaluation.indicator_schema import IntervalEstimate
from insight.evaluation.reference_scales import median_spend
from insight.segments.star_rating import StarSettings
from insight.value.expert_ratings import ItemAgreement
from insight.value.rater_agreement import RaterAgreement
from insight.value.trait_contrast import contrast_traits
from insight.value.value_metrics import with_sources
from insight.value.value_score import compute_weight_sets
from insight.value.weights import compare_weights, tabulate_weights

#: Texts with more distinct values than this identify single customers and are no trait.
MAX_VALUES = 50
#: Metrics that are traits: neither part of the score nor a repetition of it.
TRAITS = ("tenure_days", "satisfaction_answer", "firm_reputation")


def summarise_value_score(
    status: StatusAssignment, stars: StarSettings, currency: str
) -> ValueScoreSummary:
    """Summarise the scales in use, the weights by every method, and the effect of choosing another."""
    stored, settings = status.scales.stored, status.scales.settings
    dims = status.months[-1].table[list(settings.dimensions)]
    sets = {**compute_weight_sets(dims, settings), stored.weights.method: stored.weights}
    shares = tabulate_weights(list(sets.values())).to_dict("index")
    now = status.months[-1].table["value_score"]
    comparison = compare_weights(list(sets.values()), dims) if len(sets) > 1 else pd.DataFrame()
    return ValueScoreSummary(
        method=stored.weights.method,
        version=stored.version,
        drawn=stored.as_of,
        weights=[
            DimensionWeight(dimension=str(name), by_method={m: float(row[m]) for m in sets})
            for name, row in shares.items()
        ],
        top_changed=float(comparison["top_changed"].max()) if len(comparison) else None,
        left_out=status.scales.left_out,
        scored=int(now.notna().sum()),
        unscored=int(now.isna().sum()),
        star_means=_star_means(status, stars, currency) if stored.stars else "",
        star_chances=list(stored.stars.chances) if stored.stars else [],
        rater_agreement=[_rater_agreement(item) for item in status.agreement],
    )


def _rater_agreement(found: ItemAgreement) -> ItemRaterAgreement:
    measured = [measure.customers for measure in (found.icc, found.alpha) if measure]
    return ItemRaterAgreement(
        item=found.item,
        raters=found.raters,
        customers=max(measured),
        icc=_estimate(found.icc),
        alpha=_estimate(found.alpha),
    )


def _estimate(found: RaterAgreement | None) -> IntervalEstimate | None:
    if found is None:
        return None
    low, high = (end if math.isfinite(end) else None for end in (found.low, found.high))
    return IntervalEstimate(value=found.value, low=low, high=high)


def _star_means(status: StatusAssignment, stars: StarSettings, currency: str) -> str:
    if stars.by != "value":
        return {"churn": "stays a customer", "satisfaction": "is content"}[stars.by]
    return f"brings more than {median_spend(status.today):,.0f} {currency}".rstrip()


def summarise_traits(
    status: StatusAssignment, company: Company, workspace: Workspace
) -> list[Trait]:
    """Return the five traits that best separate the best tenth of the customers from the worst.

    Traits are metrics that the score is not made of, directly or through a prediction, and attributes
    of the customers. Raises DataRefused with too few customers, or if no trait differs.
    """
    metrics = status.today.metrics
    own = with_sources(list(status.scales.stored.scale.reference))
    attributes = _attributes(company, workspace)
    numbers = metrics[[c for c in TRAITS if c in metrics]]
    found = contrast_traits(status.table["value_score"], numbers.join(attributes), own=own)
    shown = found.traits.loc[found.selected]
    return [
        Trait(
            name=str(name),
            effect=IntervalEstimate(value=row["effect"], low=row["low"], high=row["high"]),
            best=str(row["best"]),
            worst=str(row["worst"]),
        )
        for name, row in shown.iterrows()
    ]


def _attributes(company: Company, workspace: Workspace) -> pd.DataFrame:
    """The last known attributes of every customer, without those that identify single customers."""
    path = workspace.history(company.name) / "customers.parquet"
    if not path.is_file():
        return pd.DataFrame()
    table = pd.read_parquet(path)
    order = [c for c in ("valid_from",) if c in table]
    table = table.sort_values(order) if order else table
    last = table.groupby("customer_id").last().drop(columns=order, errors="ignore")
    texts = last.select_dtypes(exclude="number")
    identifying = [c for c in texts if texts[c].nunique() > MAX_VALUES]
    return last.drop(columns=identifying)
