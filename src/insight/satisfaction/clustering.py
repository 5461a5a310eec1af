"""Customers in groups that are alike: how many, how stable, always under the same names."""

import warnings
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from features.errors import DataRefused
from insight.satisfaction.psychometrics import check_items

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROWS_PER_CLUSTER = 30
RESAMPLES = 20
#: The most segments that are tried.
MAX_CLUSTERS = 6
#: Agreement of clusterings of resampled customers (adjusted Rand index): below, segments are accidents.
STABLE = 0.7
#: A centre is that of a former segment within so many standard deviations, averaged over columns.
SAME_WITHIN = 1.0


@dataclass(frozen=True)
class NamedClusters:
    """The names of segments with their centres, which a later run takes them from.

    `centres` are in the columns' own units, `spread` is each column's standard deviation, `used` holds
    every name ever given: one that went out of use is not given again.
    """

    columns: tuple[str, ...]
    centres: dict[str, list[float]]
    spread: list[float]
    used: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The names as JSON keeps them."""
        return {
            "columns": list(self.columns), "centres": self.centres, "spread": self.spread,
            "used": self.used,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> "NamedClusters":
        """What `to_dict` told."""
        return cls(tuple(raw["columns"]), raw["centres"], raw["spread"], raw["used"])

    def of(self, customers: pd.DataFrame) -> "pd.Series[str]":
        """The segment of each customer, that of the nearest centre; missing with a missing value."""
        names = list(self.centres)
        values = customers[list(self.columns)].to_numpy(float) / self.spread
        centres = np.array(list(self.centres.values())) / self.spread
        distance = np.linalg.norm(values[:, None] - centres[None], axis=2)
        known = np.isfinite(values).all(axis=1)
        nearest = np.where(known, np.nan_to_num(distance).argmin(axis=1), 0)
        return pd.Series(np.array(names)[nearest], customers.index).where(np.asarray(known))


@dataclass(frozen=True)
class CustomerClusters:
    """Segments of customers; `of` has the name of each, missing where a value was missing.

    `stability` is the agreement (adjusted Rand index, 1: always the same) of clusterings of resampled
    customers, `tried` the BIC of every number of segments. `profile` has a row a
    segment: customers, share, and the mean of each column.
    """

    of: "pd.Series[str]"
    names: NamedClusters
    stability: float
    tried: pd.DataFrame
    profile: pd.DataFrame
    incomplete: int

    @property
    def stable(self) -> bool:
        """Whether the segments are more than an accident of these customers."""
        return self.stability >= STABLE


def cluster_customers(
    customers: pd.DataFrame, *, count: int | None = None, former: NamedClusters | None = None,
    seed: int = 0,
) -> CustomerClusters:  # fmt: skip
    """Group customers by the columns of numbers, each in its standard deviations (k-means).

    The number, unless given, is that of the normal mixture with the least BIC. Names are letters by
    the first column, highest first; with `former` a segment keeps the name of the one it lies on, and
    a new one gets a letter never used. Raises DataRefused with too few customers, where all are one
    group, or with other columns than before.
    """
    complete = customers.dropna()
    _check(complete, customers, count, former)
    spread = complete.std().to_numpy(float)
    values = complete.to_numpy(float) / spread
    most = min(MAX_CLUSTERS, len(complete) // ROWS_PER_CLUSTER)
    tried = pd.DataFrame(
        {"bic": [_bic(values, k, seed) for k in range(1, most + 1)]},
        pd.RangeIndex(1, most + 1, name="segments"),
    )
    chosen = count or int(tried["bic"].to_numpy().argmin()) + 1
    if chosen == 1:
        raise DataRefused(
            f"{len(complete)} customers are one group by {', '.join(map(str, customers.columns))}; take "
            "other columns, or say how many segments you want all the same (count)"
        )
    stability = _stability(values, chosen, seed)
    labels, centres = _grouped(values, chosen, seed)
    named = _named(centres * spread, spread, tuple(map(str, customers.columns)), former)
    names = np.array(list(named.centres))
    of = pd.Series(names[labels], complete.index).reindex(customers.index)
    grouped = complete.groupby(of.loc[complete.index])
    sizes = grouped.size()
    profile = pd.DataFrame({"customers": sizes, "share": sizes / len(complete)}).join(
        grouped.mean()
    )
    return CustomerClusters(
        of, named, stability, tried, profile, len(customers) - len(complete),
    )  # fmt: skip


def _check(
    complete: pd.DataFrame, customers: pd.DataFrame, count: int | None, former: NamedClusters | None
) -> None:
    need = ROWS_PER_CLUSTER * (count or 2)
    if len(complete) < need:
        raise DataRefused(
            f"{len(complete)} customers with all of {', '.join(map(str, customers.columns))}; "
            f"{need} are needed for {count or 2} segments"
        )
    check_items(complete)
    if former and former.columns != tuple(map(str, customers.columns)):
        raise DataRefused(
            f"segments were named by {', '.join(former.columns)}, now there are "
            f"{', '.join(map(str, customers.columns))}; keep the columns or name anew without `former`"
        )


def _grouped(values: Floats, count: int, seed: int) -> tuple[Ints, Floats]:
    from sklearn.cluster import KMeans

    fitted = KMeans(count, n_init=5, random_state=seed).fit(values)
    return np.asarray(fitted.labels_, np.int64), np.asarray(fitted.cluster_centers_, np.float64)


def _bic(values: Floats, count: int, seed: int) -> float:
    """The Bayesian information criterion of so many normal clouds, on at most 5,000 customers."""
    from sklearn.mixture import GaussianMixture

    rows = np.random.default_rng(seed).permutation(len(values))[:5000]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mixture that has not settled only looks worse
        mixture = GaussianMixture(count, n_init=2, random_state=seed).fit(values[rows])
    return float(mixture.bic(values[rows]))


def _stability(values: Floats, count: int, seed: int) -> float:
    """How alike the groups of resampled customers are to those of all."""
    from sklearn.metrics import adjusted_rand_score

    labels, _ = _grouped(values, count, seed)
    rng = np.random.default_rng(seed)
    agreement = []
    for _ in range(RESAMPLES):
        drawn = values[rng.integers(0, len(values), len(values))]
        _, centres = _grouped(drawn, count, seed)
        nearest = np.linalg.norm(values[:, None] - centres[None], axis=2).argmin(axis=1)
        agreement.append(adjusted_rand_score(labels, nearest))
    return float(np.mean(agreement))


def _named(
    centres: Floats, spread: Floats, columns: tuple[str, ...], former: NamedClusters | None
) -> NamedClusters:
    """A name for each centre: that of the former segment it lies on, else one never used."""
    kept: dict[int, str] = {}
    used = list(former.used) if former else []
    if former:
        old = np.array(list(former.centres.values()))
        apart = np.linalg.norm((centres[:, None] - old[None]) / spread, axis=2)
        apart /= np.sqrt(len(columns))
        for here, there in zip(*linear_sum_assignment(apart), strict=True):
            if apart[here, there] <= SAME_WITHIN:
                kept[int(here)] = list(former.centres)[there]
    for place in np.argsort(-centres[:, 0], kind="stable"):
        if int(place) not in kept:
            kept[int(place)] = _next_letter(used)
            used.append(kept[int(place)])
    names = {kept[i]: [float(v) for v in centres[i]] for i in range(len(centres))}
    return NamedClusters(columns, names, [float(s) for s in spread], used)


def _next_letter(used: list[str]) -> str:
    """A, B, ... Z, A2, B2, ..."""
    turn, place = divmod(len(used), len(ascii_uppercase))
    return ascii_uppercase[place] + (str(turn + 1) if turn else "")
