"""How far the customers scored lie from those whose answers a model has learnt from."""

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.config.company import Company
from features.execution.partitions import columns_of
from features.settings import Workspace
from models.bundles.bundle import Bundle
from models.targets.population import members

#: Questions are asked when something happens, scores are made on any day: silence tells them apart.
SILENCE = "days_since_event"
USUAL = 0.95
#: From this share of customers on, the report warns.
NOTABLE = 0.2


def beyond_training(
    target: str, company: Company, workspace: Workspace, churn: Bundle | None
) -> float | None:
    """The share of current customers silent longer than 95 % of a target's training rows.

    None where silence is not a feature. Current are all, or with `churn` those in its population.
    """
    folder = workspace.features(company.name)
    training, snapshot = folder / f"{target}.parquet", folder / "snapshot.parquet"
    if not (training.exists() and snapshot.exists()):
        return None
    condition = churn.population if churn else None
    columns = [SILENCE, *([condition.column] if condition else [])]
    names = columns_of(snapshot)
    if SILENCE not in columns_of(training) or not set(columns) <= set(names):
        return None
    features = pq.read_table(snapshot, columns=list(dict.fromkeys(columns)))
    inside = members(features, condition)
    usual = _numbers(pq.read_table(training, columns=[SILENCE])[SILENCE].to_numpy())
    now = np.asarray(features[SILENCE].to_numpy(), np.float64)[inside]
    if not len(usual) or not len(now):
        return None
    return float(np.mean(now > np.quantile(usual, USUAL)))


def _numbers(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[~np.isnan(values)]
