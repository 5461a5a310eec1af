"""How the value score is made, and what separates the customers at its two ends."""

import pandas as pd

from features.config.company import Company
from features.settings import Workspace
from insight.evaluation.assign_status import StatusAssignment
from insight.evaluation.evaluation_schema import (
    DimensionWeight,
    IntervalEstimate,
    Trait,
    ValueScoreSummary,
)
from insight.evaluation.reference_scales import median_spend
from insight.segments.star_rating import StarSettings
from insight.value.trait_contrast import contrast_traits
from insight.value.value_score import compute_weight_sets
from insight.value.weights import compare_weights, tabulate_weights

#: Texts with more different values than this name single customers, and are no trait.
MOST_VALUES = 50


def summarise_value_score(place: StatusAssignment, stars: StarSettings, currency: str) -> ValueScoreSummary:
    """The yardsticks in use, the weights by every method, and what the choice of one matters."""
    kept, settings = place.yardsticks.kept, place.yardsticks.settings
    dims = place.months[-1].table[list(settings.dimensions)]
    sets = {**compute_weight_sets(dims, settings), kept.weights.method: kept.weights}
    shares = tabulate_weights(list(sets.values())).to_dict("index")
    now = place.months[-1].table["value_score"]
    apart = compare_weights(list(sets.values()), dims) if len(sets) > 1 else pd.DataFrame()
    return ValueScoreSummary(
        method=kept.weights.method,
        version=kept.version,
        drawn=kept.as_of,
        weights=[
            DimensionWeight(dimension=str(name), by_method={m: float(row[m]) for m in sets})
            for name, row in shares.items()
        ],
        top_changed=float(apart["top_changed"].max()) if len(apart) else None,
        left_out=place.yardsticks.left_out,
        scored=int(now.notna().sum()),
        unscored=int(now.isna().sum()),
        star_means=_star_means(place, stars, currency) if kept.stars else "",
        star_chances=list(kept.stars.chances) if kept.stars else [],
    )


def _star_means(place: StatusAssignment, stars: StarSettings, currency: str) -> str:
    if stars.by != "value":
        return {"churn": "stays a customer", "satisfaction": "is content"}[stars.by]
    return f"brings more than {median_spend(place.today):,.0f} {currency}".rstrip()


def contrast_traits(place: StatusAssignment, company: Company, workspace: Workspace) -> list[Trait]:
    """The five traits that separate the best tenth of the customers from the worst most.

    Traits are what the score is not made of: other measures, and the attributes of the customers.
    Raises DataRefused with too few customers, or no trait that differs.
    """
    measured = place.today.measured
    own = list(place.yardsticks.kept.scale.reference)
    crm = _attributes(company, workspace)
    numbers = measured[[c for c in TRAITS if c in measured]]
    found = contrast_traits(place.table["value_score"], numbers.join(crm), own=own)
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


#: Measures beside the attributes: neither what the score is made of nor what only repeats it.
TRAITS = ("tenure_days", "satisfaction_answer", "firm_reputation")


def _attributes(company: Company, workspace: Workspace) -> pd.DataFrame:
    """The last known attributes of every customer, without those that name single customers."""
    path = workspace.history(company.name) / "customers.parquet"
    if not path.is_file():
        return pd.DataFrame()
    table = pd.read_parquet(path)
    order = [c for c in ("valid_from",) if c in table]
    table = table.sort_values(order) if order else table
    last = table.groupby("customer_id").last().drop(columns=order, errors="ignore")
    texts = last.select_dtypes(exclude="number")
    naming = [c for c in texts if texts[c].nunique() > MOST_VALUES]
    return last.drop(columns=naming)
