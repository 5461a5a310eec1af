"""Tiers by a figure: where their borders lie, and who is above which."""

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
    """`[insight.tiers]`: tiers from the best, where they part, and what each is served with.

    `by` is the figure. `cuts` has one number less than `names`: with `cumulative` the shares of the
    figure's sum the upper tiers bring together (0.8 and 0.95 make A, B, C), with `quantile` the shares
    of customers in the upper tiers, with `threshold` the figures from which a tier begins.
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
    """Tiers from the best, and the figure from which each but the last begins (falling)."""

    names: tuple[str, ...]
    at: tuple[float, ...]


def fit_thresholds(figure: pd.Series, settings: TierSettings) -> TierThresholds:
    """Where the tiers part on the customers of one day; keep them until the tiers are drawn anew.

    Customers with equal figures are in the same tier, so tiers can be larger than asked for. Raises
    DataRefused when nobody has a figure, fewer differ than there are tiers, or nothing sums up.
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
        tier_numbers = [max(1, round(cut * len(known))) - 1 for cut in settings.cuts]
    else:
        total = known.clip(min=0).cumsum()
        if total[-1] <= 0:
            raise DataRefused(
                f"no customer has {settings.by} above 0; its sum cannot be shared out: cut by quantile"
            )
        tier_numbers = [int(np.searchsorted(total, cut * total[-1])) for cut in settings.cuts]
    at = [float(known[place]) for place in tier_numbers]
    if any(a <= b for a, b in pairwise(at)):
        raise DataRefused(
            f"cuts {settings.cuts} fall on the same {settings.by} ({', '.join(f'{a:g}' for a in at)}); "
            "too many customers are alike: set the cuts further apart or use fewer tiers"
        )
    return TierThresholds(tuple(settings.names), tuple(at))


def classify_tiers(figure: pd.Series, found: TierThresholds) -> pd.Series:
    """The tier of every customer by his figure alone; missing for a missing figure."""
    return pd.Series(
        tier_names(tier_numbers(figure.to_numpy(float), found), found), figure.index, dtype=object
    )


def tier_numbers(figure: np.ndarray, found: TierThresholds) -> np.ndarray:
    """The tier as a number, 0 the best, -1 for a missing figure."""
    rising = np.array(found.at[::-1])
    place = len(found.at) - np.searchsorted(rising, figure, side="right")
    return np.asarray(np.where(np.isnan(figure), -1, place))


def tier_names(place: np.ndarray, found: TierThresholds) -> np.ndarray:
    """Numbers of tiers as names, -1 as None."""
    return np.asarray(np.array([*found.names, None], dtype=object)[place])


def summarise_tiers(figure: pd.Series, tier: pd.Series, found: TierThresholds) -> pd.DataFrame:
    """A row a tier: its customers, their share, the figure's sum and its share (the ABC table)."""
    table = figure.groupby(tier).agg(["size", "sum"]).reindex(list(found.names), fill_value=0)
    return pd.DataFrame(
        {
            "customers": table["size"].astype(int),
            "share_of_customers": table["size"] / table["size"].sum(),
            "sum": table["sum"],
            "share_of_sum": table["sum"] / table["sum"].sum(),
        }
    ).rename_axis("tier")
