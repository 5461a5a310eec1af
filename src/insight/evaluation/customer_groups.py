"""Customers alike in what they are worth: groups with names that stay, each said in one rule."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from features.atomic_write import write_text_atomically
from features.errors import DataRefused
from insight.satisfaction.cluster_rules import ClusterRule, fit_cluster_rules
from insight.satisfaction.clustering import NamedClusters, cluster_customers

FILE = "groups.json"
#: Groups are found among so many customers at the most; everybody else joins the nearest.
FOUND_AMONG = 10_000


@dataclass(frozen=True)
class CustomerGroups:
    """The group of each customer (missing where a dimension is), how stable they are, their rules."""

    of: "pd.Series[str]"
    stability: float
    rules: dict[str, ClusterRule]


def group_customers(dimensions: pd.DataFrame, folder: Path) -> CustomerGroups:
    """Group the customers by the dimensions of their value, under the names of the last time.

    Raises DataRefused with too few customers, or where all are one group.
    """
    complete = dimensions.loc[:, dimensions.nunique() > 1]
    some = complete.sample(min(len(complete), FOUND_AMONG), random_state=0).sort_index()
    found = cluster_customers(some, previous=_former(folder, tuple(map(str, complete.columns))))
    of = found.names.assign(complete)
    _keep(folder, found.names)
    return CustomerGroups(of, found.stability, fit_cluster_rules(some, of.loc[some.index]))


def _former(folder: Path, columns: tuple[str, ...]) -> NamedClusters | None:
    """The names of the last time, if they were given by the same dimensions.

    Raises DataRefused for a damaged file.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        named = NamedClusters.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as err:
        raise DataRefused(
            f"{path.name} cannot be read ({type(err).__name__}); delete it, and groups get new names"
        ) from None
    return named if named.columns == columns else None


def _keep(folder: Path, names: NamedClusters) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_text_atomically(folder / FILE, json.dumps(names.to_dict()))
