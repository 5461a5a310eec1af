"""Segments of customers by each attribute of their status, with their predicted values."""

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from insight.evaluation.customer_groups import CustomerGroups
from insight.evaluation.evaluation_schema import Segment, TierPolicy
from insight.segments.lifecycle_stages import STAGES
from insight.segments.quadrant import QUADRANT_NAMES
from insight.segments.tier_thresholds import TierSettings
from insight.value.expected_totals import ExpectedTotal, expected_total
from models.evaluation.sum_errors import SumErrors

#: Segments of predicted value, the best first.
VALUE = ("top", "high", "middle", "low")


def profile_segments(
    customers: pd.DataFrame,
    settings: TierSettings,
    groups: CustomerGroups | None,
    errors: SumErrors | None = None,
) -> list[Segment]:
    """Return every segment, the best first within each attribute; lifecycle stages only with customers.

    `customers` has the status and, where predicted, `value_expected`, `value_segment`,
    `satisfaction_score` and `churn_probability`; means leave out missing values. Sums of expected values
    have intervals where `errors` says how far they may be off.
    """
    kinds: dict[str, tuple[str, Iterable[object]]] = {
        "tier": ("tier", settings.names),
        "stars": ("stars", range(5, 0, -1)),
        "stage": ("stage", STAGES),
        "quadrant": ("quadrant", dict.fromkeys(QUADRANT_NAMES.values())),
        "value": ("value_segment", VALUE),
        "group": ("group", sorted(groups.rules) if groups else ()),
    }
    found = []
    for by, (column, names) in kinds.items():
        if column in customers and customers[column].notna().any():
            # Where nobody came back, nobody is told of customers who were won back.
            there = customers[column].dropna().unique() if by == "stage" else names
            found += [
                _segment(by, name, customers, column, errors) for name in names if name in there
            ]
    return [_with_details(segment, settings, groups) for segment in found]


def _segment(
    by: str, name: object, customers: pd.DataFrame, column: str, errors: SumErrors | None
) -> Segment:
    inside = customers[(customers[column] == name).fillna(False).astype(bool)]
    known = int(customers[column].notna().sum())
    total = _sum(customers, None)
    own = _sum(inside, errors)
    return Segment.model_validate(
        {
            "by": by,
            "name": str(name),
            "customers": len(inside),
            "share": len(inside) / known,
            "expected_value": own.value if own else None,
            "expected_low": own.low if own else None,
            "expected_high": own.high if own else None,
            "share_of_value": own.value / total.value if own and total and total.value else None,
            "satisfaction": _mean(inside, "satisfaction_score"),
            "churn_probability": _mean(inside, "churn_probability"),
        }
    )


def _with_details(
    segment: Segment, settings: TierSettings, groups: CustomerGroups | None
) -> Segment:
    """The segment with its policy (a tier) or its rule (a group)."""
    if segment.by == "tier":
        policy = TierPolicy.model_validate(settings.policies[segment.name].model_dump())
        return segment.model_copy(update={"policy": policy})
    if segment.by == "group" and groups:
        rule = groups.rules[segment.name]
        details = {"rule": rule.text, "rule_share": rule.precision, "rule_reach": rule.recall}
        return segment.model_copy(update=details)
    return segment


def _sum(table: pd.DataFrame, errors: SumErrors | None) -> ExpectedTotal | None:
    if "value_expected" not in table:
        return None
    return expected_total(table["value_expected"].to_numpy(np.float64), errors)


def _mean(table: pd.DataFrame, column: str) -> float | None:
    if column not in table:
        return None
    mean = float(table[column].mean())
    return mean if math.isfinite(mean) else None
