"""Groups of similar customers by value dimensions: clusters with lasting names, each with a rule."""

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from features.atomic_write import write_text_atomically
from features.errors import DataRefused
from insight.satisfaction.cluster_rules import ClusterRule, fit_cluster_rules
from insight.satisfaction.clustering import NamedClusters, cluster_customers

GROUPS_FILE = "groups.json"
#: Largest sample to cluster; all other customers join the nearest group.
MAX_CLUSTERED = 10_000


@dataclass(frozen=True)
class CustomerGroups:
    """The group of each customer (missing where a dimension is), their stability, and their rules."""

    of: "pd.Series[str]"
    stability: float
    rules: dict[str, ClusterRule]


def group_customers(dimensions: pd.DataFrame, folder: Path) -> CustomerGroups:
    """Cluster the customers by their value dimensions, keeping the names of the last evaluation.

    Raises DataRefused with too few customers, or if they form a single group.
    """
    varying = dimensions.loc[:, dimensions.nunique() > 1]
    sample = varying.sample(min(len(varying), MAX_CLUSTERED), random_state=0).sort_index()
    found = cluster_customers(sample, previous=_previous(folder, tuple(map(str, varying.columns))))
    of = found.names.assign(varying)
    _write(folder, found.names)
    return CustomerGroups(of, found.stability, fit_cluster_rules(sample, of.loc[sample.index]))


def _previous(folder: Path, columns: tuple[str, ...]) -> NamedClusters | None:
    """The names of the last evaluation, if they were given by the same dimensions.

    Raises DataRefused for a damaged file.
    """
    path = folder / GROUPS_FILE
    if not path.is_file():
        return None
    try:
        named = NamedClusters.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as err:
        raise DataRefused(
            f"{path.name} cannot be read ({type(err).__name__}); delete it, and groups get new names"
        ) from None
    return named if named.columns == columns else None


def _write(folder: Path, names: NamedClusters) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_text_atomically(folder / GROUPS_FILE, json.dumps(names.to_dict()))
