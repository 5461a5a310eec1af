"""Quadrants of growth potential and risk: develop, secure, keep, limit."""

import numpy as np
import pandas as pd
from pydantic import Field

from features.config.toml_section import TomlSection, did_you_mean
from features.errors import ConfigRefused, DataRefused

#: Quadrant by (potential, risk).
QUADRANT_NAMES = {
    (True, False): "develop",
    (True, True): "secure",
    (False, False): "keep",
    (False, True): "limit",
}


class QuadrantSettings(TomlSection):
    """`[insight.quadrant]`: the potential and its threshold, and the risks with their limits.

    A customer in one of the value segments `valuable` has potential, whatever the metric `potential`
    says. A customer is a risk if any of `risks` reaches its limit.
    """

    potential: str = "growth"
    potential_from: float = 0.0
    valuable: list[str] = Field(default_factory=lambda: ["top", "high"])
    risks: dict[str, float] = Field(
        default_factory=lambda: {"churn_probability": 0.25, "overdue_probability": 0.75},
        min_length=1,
    )


def assign_quadrants(table: pd.DataFrame, settings: QuadrantSettings) -> pd.DataFrame:
    """Return each customer's `quadrant`, the `risk` behind it, and whether the potential is `settled`.

    develop (potential, no risk), secure (both), keep (neither), limit (risk only). `settled` is false if
    the interval of the potential (its `_low` and `_high` columns) contains the threshold, or there is
    none; it is true of the `valuable` customers. Missing without a potential or without any known risk.
    Raises ConfigRefused for an unknown metric, DataRefused for an empty one.
    """
    for name in (settings.potential, *settings.risks):
        if name not in table:
            raise ConfigRefused(
                f"unknown measure insight.quadrant.{name}{did_you_mean(name, list(table.columns))}"
            )
        if table[name].isna().all():
            raise DataRefused(f"no customer has {name}; use another metric in [insight.quadrant]")
    potential = table[settings.potential]
    risk_ratio = pd.DataFrame({name: table[name] / limit for name, limit in settings.risks.items()})
    measured = potential.notna() & risk_ratio.notna().any(axis=1)
    risky = risk_ratio.max(axis=1) >= 1
    valuable = _valuable(table, settings)
    has_potential = (potential > settings.potential_from) | valuable
    names = [QUADRANT_NAMES[bool(p), bool(r)] for p, r in zip(has_potential, risky, strict=True)]
    worst = risk_ratio.fillna(-np.inf).idxmax(axis=1).where(risky)
    return pd.DataFrame(
        {
            "quadrant": pd.Series(names, table.index, dtype=object).where(measured),
            "risk": worst,
            "settled": (_settled(table, settings) | valuable) & measured,
        }
    )


def _valuable(table: pd.DataFrame, settings: QuadrantSettings) -> pd.Series:
    """Return whether a customer is in a value segment that is worth securing without growth."""
    if "value_segment" not in table:
        return pd.Series(False, table.index)
    return table["value_segment"].isin(settings.valuable)


def _settled(table: pd.DataFrame, settings: QuadrantSettings) -> pd.Series:
    """Return whether the whole interval of the potential is on one side of the threshold."""
    low, high = (f"{settings.potential}_{end}" for end in ("low", "high"))
    if low not in table or high not in table:
        return pd.Series(False, table.index)
    above, below = table[low] > settings.potential_from, table[high] <= settings.potential_from
    return above | below
