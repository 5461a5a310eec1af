"""One status row per customer, with the service policy of the tier."""

import numpy as np
import pandas as pd

from insight.segments.star_rating import StarSettings, calibrated_star_scale
from insight.segments.status_row import COLUMNS, build_status_rows
from insight.segments.tier_hysteresis import TierAssignment
from insight.segments.tier_thresholds import TierSettings


def test_the_service_level_is_that_of_the_tier() -> None:
    who = ["C1", "C2", "C3"]
    assignment = TierAssignment(
        pd.Series(["A", "C", None], who, dtype=object), pd.Series([0, -1, 0], who), pd.Series()
    )
    score = pd.Series([0.9, 0.3, np.nan], who)
    stage = pd.DataFrame({"stage": ["active", "new", "prospect"], "cause": ["x", "y", "z"]}, who)
    fields = pd.DataFrame({"quadrant": ["develop", "limit", None], "risk": [None, "r", None]}, who)
    scale = calibrated_star_scale(StarSettings())
    found = build_status_rows(score, assignment, scale, stage, fields, TierSettings())
    assert tuple(found) == COLUMNS
    assert found["service_level"].tolist()[:2] == ["priority", "standard"]
    assert pd.isna(found.loc["C3", "service_level"])
    assert found.loc["C1", ["stars", "manager", "first_reply_hours"]].tolist() == [
        5,
        "dedicated",
        2,
    ]
    assert found["leaning"].tolist() == ["", "up", ""]
    assert found["star_version"].unique().tolist() == [scale.version]
