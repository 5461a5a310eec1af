"""Cluster customers (k-means): number of clusters, stability, and names that stay the same over time."""

import warnings
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused
from insight.satisfaction.psychometrics import check_items

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROWS_PER_CLUSTER = 30
RESAMPLES = 20
#: Largest number of clusters tried.
MAX_CLUSTERS = 6
#: Mean adjusted Rand index over resamples below which clusters are treated as chance.
STABLE = 0.7
#: A centre keeps a previous name within this many standard deviations, averaged over columns.
SAME_WITHIN = 1.0


@dataclass(frozen=True)
class NamedClusters:
    """Cluster names with their centres, stored so that a later run can reuse the names.

    `centres` are in the columns' own units, `spread` is each column's standard deviation, `used` holds
    every name ever given: a retired name is not given again.
    """

    columns: tuple[str, ...]
    centres: dict[str, list[float]]
    spread: list[float]
    used: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the names as JSON-serialisable data."""
        return {
            "columns": list(self.columns), "centres": self.centres, "spread": self.spread,
            "used": self.used,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> "NamedClusters":
        """Build from the output of `to_dict`."""
        return cls(tuple(raw["columns"]), raw["centres"], raw["spread"], raw["used"])

    def assign(self, customers: pd.DataFrame) -> "pd.Series[str]":
        """Return the cluster of the nearest centre for each customer; missing if a value is missing."""
        names = list(self.centres)
        values = customers[list(self.columns)].to_numpy(float) / self.spread
        centres = np.array(list(self.centres.values())) / self.spread
        distance = np.linalg.norm(values[:, None] - centres[None], axis=2)
        known = np.isfinite(values).all(axis=1)
        nearest = np.where(known, np.nan_to_num(distance).argmin(axis=1), 0)
        return pd.Series(np.array(names)[nearest], customers.index).where(np.asarray(known))


@dataclass(frozen=True)
class CustomerClusters:
    """Clusters of customers; `labels` is the cluster of each, missing where a value was missing.

    `stability` is the mean adjusted Rand index of clusterings of resampled customers (1: always the
    same), `tried` the BIC of every number of clusters. `profile` has a row per cluster: customers,
    share, and the mean of each column.
    """

    labels: "pd.Series[str]"
    names: NamedClusters
    stability: float
    tried: pd.DataFrame
    profile: pd.DataFrame
    incomplete: int

    @property
    def stable(self) -> bool:
        """Whether the clusters are stable enough not to be chance."""
        return self.stability >= STABLE


def cluster_customers(
    customers: pd.DataFrame, *, count: int | None = None, previous: NamedClusters | None = None,
    seed: int = 0,
) -> CustomerClusters:  # fmt: skip
    """Cluster customers by k-means on standardised numeric columns.

    Unless `count` is given, the number of clusters is that of the Gaussian mixture with the lowest BIC.
    Names are letters in descending order of the first column; with `previous`, a cluster keeps the name
    of the earlier cluster it matches, and a new one gets an unused letter. Raises DataRefused with too
    few customers, if all form one cluster, or with other columns than before.
    """
    complete = customers.dropna()
    _check(complete, customers, count, previous)
    spread = complete.std().to_numpy(float)
    values = complete.to_numpy(float) / spread
    max_count = min(MAX_CLUSTERS, len(complete) // ROWS_PER_CLUSTER)
    tried = pd.DataFrame(
        {"bic": [_bic(values, k, seed) for k in range(1, max_count + 1)]},
        pd.RangeIndex(1, max_count + 1, name="segments"),
    )
    chosen = count or int(tried["bic"].to_numpy().argmin()) + 1
    if chosen == 1:
        raise DataRefused(
            f"{len(complete)} customers form a single cluster by "
            f"{', '.join(map(str, customers.columns))}; use other columns, or set the number "
            "of clusters (count)"
        )
    stability = _stability(values, chosen, seed)
    labels, centres = _fit_kmeans(values, chosen, seed)
    named = _name_clusters(centres * spread, spread, tuple(map(str, customers.columns)), previous)
    names = np.array(list(named.centres))
    assigned = pd.Series(names[labels], complete.index).reindex(customers.index)
    grouped = complete.groupby(assigned.loc[complete.index])
    sizes = grouped.size()
    profile = pd.DataFrame({"customers": sizes, "share": sizes / len(complete)}).join(
        grouped.mean()
    )
    return CustomerClusters(
        assigned, named, stability, tried, profile, len(customers) - len(complete),
    )  # fmt: skip


def _check(
    complete: pd.DataFrame,
    customers: pd.DataFrame,
    count: int | None,
    previous: NamedClusters | None,
) -> None:
    need = ROWS_PER_CLUSTER * (count or 2)
    if len(complete) < need:
        raise DataRefused(
            f"{len(complete)} customers with all of {', '.join(map(str, customers.columns))}; "
            f"{need} are needed for {count or 2} segments"
        )
    check_items(complete)
    if previous and previous.columns != tuple(map(str, customers.columns)):
        raise DataRefused(
            f"clusters were named by {', '.join(previous.columns)}, now there are "
            f"{', '.join(map(str, customers.columns))}; keep the columns, or name the "
            "clusters again without `previous`"
        )


def _fit_kmeans(values: Floats, count: int, seed: int) -> tuple[Ints, Floats]:
    from sklearn.cluster import KMeans

    fitted = KMeans(count, n_init=5, random_state=seed).fit(values)
    return np.asarray(fitted.labels_, np.int64), np.asarray(fitted.cluster_centers_, np.float64)


def _bic(values: Floats, count: int, seed: int) -> float:
    """Return the BIC of a Gaussian mixture with `count` components, on at most 5,000 customers."""
    from sklearn.mixture import GaussianMixture

    rows = np.random.default_rng(seed).permutation(len(values))[:5000]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mixture that has not converged only scores worse
        mixture = GaussianMixture(count, n_init=2, random_state=seed).fit(values[rows])
    return float(mixture.bic(values[rows]))


def _stability(values: Floats, count: int, seed: int) -> float:
    """Return the mean agreement of clusterings of resampled customers with that of all customers."""
    from sklearn.metrics import adjusted_rand_score

    labels, _ = _fit_kmeans(values, count, seed)
    rng = np.random.default_rng(seed)
    agreement = []
    for _ in range(RESAMPLES):
        drawn = values[rng.integers(0, len(values), len(values))]
        _, centres = _fit_kmeans(drawn, count, seed)
        nearest = np.linalg.norm(values[:, None] - centres[None], axis=2).argmin(axis=1)
        agreement.append(adjusted_rand_score(labels, nearest))
    return float(np.mean(agreement))


def _name_clusters(
    centres: Floats, spread: Floats, columns: tuple[str, ...], previous: NamedClusters | None
) -> NamedClusters:
    """Name each centre: the previous cluster it matches, else an unused letter."""
    from scipy.optimize import linear_sum_assignment

    kept: dict[int, str] = {}
    used = list(previous.used) if previous else []
    if previous:
        old = np.array(list(previous.centres.values()))
        apart = np.linalg.norm((centres[:, None] - old[None]) / spread, axis=2)
        apart /= np.sqrt(len(columns))
        for new, old_index in zip(*linear_sum_assignment(apart), strict=True):
            if apart[new, old_index] <= SAME_WITHIN:
                kept[int(new)] = list(previous.centres)[old_index]
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
