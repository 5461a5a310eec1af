"""Where each customer stands, in one row: tier, stars, stage, quadrant and what he is served with."""

import pandas as pd

from insight.tiers.borders import TierSettings
from insight.tiers.stars import StarScale, stars
from insight.tiers.steady import Placed

COLUMNS = (
    "tier", "leaning", "stars", "star_version", "stage", "stage_cause", "quadrant", "risk",
    "service_level", "manager", "first_reply_hours", "visits_per_year",
)  # fmt: skip

LEANING = {-1: "up", 0: "", 1: "down"}


def standing(
    score: pd.Series,
    placed: Placed,
    scale: StarScale,
    stage: pd.DataFrame,
    quadrants: pd.DataFrame,
    settings: TierSettings,
) -> pd.DataFrame:
    """A row a customer with `COLUMNS`, as the scores file and `GET /v1/customers/{id}` can hold them.

    `leaning` says that a customer was beyond a border once and moves if that is confirmed. A customer
    without a tier has no service level.
    """
    served = pd.DataFrame(
        {
            name: [
                policy.service_level,
                policy.manager,
                policy.first_reply_hours,
                policy.visits_per_year,
            ]
            for name, policy in settings.policies.items()
        },
        index=["service_level", "manager", "first_reply_hours", "visits_per_year"],
    ).T
    table = pd.DataFrame(
        {
            "tier": placed.tier,
            "leaning": placed.leaning.map(LEANING),
            "stars": stars(score, scale),
            "star_version": scale.version,
            "stage": stage["stage"],
            "stage_cause": stage["cause"],
            "quadrant": quadrants["quadrant"],
            "risk": quadrants["risk"],
        },
        index=score.index,
    )
    return table.join(served, on="tier")[list(COLUMNS)].rename_axis("customer_id")
