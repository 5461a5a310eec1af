"""Tier thresholds: fitted to one day, and the tier of a score."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from features.config.toml_section import TomlSection
from features.errors import DataRefused
from insight.segments.service_policy import DEFAULT_POLICIES, Policy, check_policies


class TierSettings(TomlSection):
    """`[insight.tiers]`: tiers from the best, their thresholds, and the service policy of each.

    `by` is the score. `cuts` has one number fewer than `names`: with `cumulative` the cumulative shares
    of the score's sum in the upper tiers (0.8 and 0.95 give A, B, C), with `quantile` the shares of
    customers in the upper tiers, with `threshold` the lowest scores of the upper tiers.
    """

    method: Literal["cumulative", "quantile", "threshold"] = "quantile"
    by: str = "value_score"
    names: list[str] = Field(default_factory=lambda: ["A", "B", "C"])
    cuts: list[float] = Field(default_factory=lambda: [0.2, 0.5])
    policies: dict[str, Policy] = Field(default_factory=lambda: dict(DEFAULT_POLICIES))

    @model_validator(mode="after")
    def _fits(self) -> "TierSettings":
        if len(set(self.names)) < len(self.names) or len(self.names) < 2:
            raise ValueError(f"names {self.names} should be two or more different tiers")
        if len(self.cuts) != len(self.names) - 1:
            raise ValueError(
                f"{len(self.names)} tiers have {len(self.names) - 1} borders between them, not "
                f"{len(self.cuts)}"
            )
        falls = self.method == "threshold"
        if any((a <= b) if falls else (a >= b) for a, b in pairwise(self.cuts)):
            raise ValueError(
                f"cuts {self.cuts} should {'fall' if falls else 'rise'} from tier to tier"
            )
        if not falls and not all(0 < c < 1 for c in self.cuts):
            raise ValueError(f"cuts {self.cuts} should be shares between 0 and 1")
        check_policies(self.names, self.policies)
        return self


@dataclass(frozen=True)
class TierThresholds:
    """Tiers from the best, and the lowest score of each but the last (falling)."""

    names: tuple[str, ...]
    at: tuple[float, ...]


def fit_thresholds(figure: pd.Series, settings: TierSettings) -> TierThresholds:
    """Fit the thresholds to the customers of one day; they stay until the scales are fitted again.

    Customers with equal scores are in the same tier: with `quantile` that which brings the tier closest
    to its share, but no upper tier is left empty. Raises
    DataRefused without scores, with fewer different scores than tiers, or if the sum is not positive.
    """
    known = np.sort(figure.dropna().to_numpy(float))[::-1]
    if len(np.unique(known)) < len(settings.names):
        raise DataRefused(
            f"{settings.by} has {len(np.unique(known))} different values over {len(known)} customers; "
            f"{len(settings.names)} tiers need as many: use fewer tiers or another figure"
        )
    if settings.method == "threshold":
        return TierThresholds(tuple(settings.names), tuple(settings.cuts))
    if settings.method == "quantile":
        positions = [_closest_position(known, cut) for cut in settings.cuts]
    else:
        total = known.clip(min=0).cumsum()
        if total[-1] <= 0:
            raise DataRefused(
                f"no customer has {settings.by} above 0; its sum cannot be shared out: cut by quantile"
            )
        positions = [int(np.searchsorted(total, cut * total[-1])) for cut in settings.cuts]
    lower_bounds = [float(known[position]) for position in positions]
    if any(a <= b for a, b in pairwise(lower_bounds)):
        bounds = ", ".join(f"{bound:g}" for bound in lower_bounds)
        raise DataRefused(
            f"cuts {settings.cuts} fall on the same {settings.by} ({bounds}); "
            "too many customers are alike: set the cuts further apart or use fewer tiers"
        )
    return TierThresholds(tuple(settings.names), tuple(lower_bounds))


def _closest_position(known: np.ndarray, cut: float) -> int:
    """Return the place of the last customer of the upper tiers, in falling scores, at an end of ties."""
    wanted = max(1, round(cut * len(known)))
    score = known[wanted - 1]
    above, upto = int((known > score).sum()), int((known >= score).sum())
    return (above if above and wanted - above < upto - wanted else upto) - 1


def classify_tiers(figure: pd.Series, found: TierThresholds) -> pd.Series:
    """Return the tier of every customer by score alone; missing for a missing score."""
    return pd.Series(
        tier_names(tier_numbers(figure.to_numpy(float), found), found), figure.index, dtype=object
    )


def tier_numbers(figure: np.ndarray, found: TierThresholds) -> np.ndarray:
    """Return the tier as a number, 0 the best, -1 for a missing score."""
    rising = np.array(found.at[::-1])
    place = len(found.at) - np.searchsorted(rising, figure, side="right")
    return np.asarray(np.where(np.isnan(figure), -1, place))


def tier_names(place: np.ndarray, found: TierThresholds) -> np.ndarray:
    """Return tier numbers as names, -1 as None."""
    return np.asarray(np.array([*found.names, None], dtype=object)[place])


def summarise_tiers(figure: pd.Series, tier: pd.Series, found: TierThresholds) -> pd.DataFrame:
    """Return a row per tier: customers, their share, the sum of the score and its share (ABC table)."""
    table = figure.groupby(tier).agg(["size", "sum"]).reindex(list(found.names), fill_value=0)
    return pd.DataFrame(
        {
            "customers": table["size"].astype(int),
            "share_of_customers": table["size"] / table["size"].sum(),
            "sum": table["sum"],
            "share_of_sum": table["sum"] / table["sum"].sum(),
        }
    ).rename_axis("tier")
