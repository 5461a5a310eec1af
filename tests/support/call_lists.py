"""Call lists of made-up customers: owner and region by turns, some with other scores a month ago."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from models.scoring.score_history import EarlierScores
from serve.scoring.call_table import CallTable, StoredScores, build_call_table
from serve.scoring.snapshot import Snapshot
from serve.scoring.status_table import StatusTable

MONTH_BEFORE = datetime(2025, 5, 31, tzinfo=UTC)
OWNERS, REGIONS = ("S-1", "S-2", "S-3"), ("north", "south")
BOUNDS = [
    {"name": "top", "at_least": 5000.0}, {"name": "high", "at_least": 2000.0},
    {"name": "middle", "at_least": 500.0}, {"name": "low", "at_least": None},
]  # fmt: skip
NAN = float("nan")


def scores_as_of(as_of: datetime, columns: Mapping[str, Sequence[object]]) -> StoredScores:
    """The columns of a scores file."""
    return StoredScores(pa.table(dict(columns)), as_of, {"churn": "7", "value": "7"})


def snapshot_of(ids: Sequence[str], as_of: datetime) -> Snapshot:
    """A snapshot with the owners S-1 to S-3 and two regions by turns."""
    features = pa.table({
        "customer_id": list(ids),
        "crm_account_owner": [OWNERS[n % 3] for n in range(len(ids))],
        "crm_region": [REGIONS[n % 2] for n in range(len(ids))],
        "crm_credit_limit": [1.0] * len(ids),
    })  # fmt: skip
    return Snapshot(features, {i: n for n, i in enumerate(ids)}, as_of, None)


def earlier_of(
    ids: Sequence[str], churn: Sequence[float], value: Sequence[float], version: str = "7"
) -> EarlierScores:
    """The scores of a month before."""
    table = pa.table({"customer_id": list(ids), "churn": list(churn), "value": list(value)})
    return EarlierScores(MONTH_BEFORE, table, {"churn": version, "value": "7"})


def call_table(
    as_of: datetime, columns: Mapping[str, Sequence[object]], statuses: StatusTable | None,
    earlier: EarlierScores | None = None,
) -> CallTable:  # fmt: skip
    """The call list of customers with these columns of the scores file."""
    ids = [str(i) for i in columns["customer_id"]]
    return build_call_table(
        scores_as_of(as_of, columns), snapshot_of(ids, as_of), statuses, earlier, BOUNDS
    )


def moved_by(churn: Sequence[float], change: Mapping[int, float]) -> list[float]:
    """Earlier probabilities of churn: those of today minus the change of some customers."""
    return list(np.array(churn) - np.array([change.get(n, 0.0) for n in range(len(churn))]))
