"""One row per customer: tier, stars, stage, quadrant and service level."""

import pandas as pd

from insight.segments.star_rating import StarScale, assign_stars
from insight.segments.tier_hysteresis import TierAssignment
from insight.segments.tier_thresholds import TierSettings

COLUMNS = (
    "tier", "leaning", "stars", "star_version", "stage", "stage_cause", "quadrant", "risk",
    "service_level", "manager", "first_reply_hours", "visits_per_year",
)  # fmt: skip

LEANING = {-1: "up", 0: "", 1: "down"}


def build_status_rows(
    score: pd.Series,
    assignment: TierAssignment,
    scale: StarScale | None,
    stage: pd.DataFrame | None,
    quadrants: pd.DataFrame | None,
    settings: TierSettings,
) -> pd.DataFrame:
    """Build a row per customer with `COLUMNS`, as in the scores file and `GET /v1/customers/{id}`.

    `leaning` says that a customer's score is beyond a threshold and they move if that is confirmed. A
    customer without a tier has no service level; the columns of an argument that is None are missing.
    """
    policies = pd.DataFrame(
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
    ).T.infer_objects()
    table = pd.DataFrame(
        {
            "tier": assignment.tier,
            "leaning": assignment.leaning.map(LEANING),
            "stars": assign_stars(score, scale) if scale else None,
            "star_version": scale.version if scale else None,
            "stage": stage["stage"] if stage is not None else None,
            "stage_cause": stage["cause"] if stage is not None else None,
            "quadrant": quadrants["quadrant"] if quadrants is not None else None,
            "risk": quadrants["risk"] if quadrants is not None else None,
        },
        index=score.index,
    )
    return table.join(policies, on="tier")[list(COLUMNS)].rename_axis("customer_id")
