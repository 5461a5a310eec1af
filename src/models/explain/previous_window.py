"""Feature values one window earlier, so that a reason can say what rose and what fell."""

from collections.abc import Iterable, Mapping
from itertools import groupby

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.definitions.expressions import Aggregate, Past
from features.definitions.feature_registry import FeatureColumn
from features.engine.compute_features import FeaturePlan
from features.feature_table import feature_table
from features.history.build_history import History
from features.text.comment_score_model import CommentScoreModel

Floats = NDArray[np.float64]

#: Values one window earlier by column, one per row; NaN where unknown.
PreviousValues = Mapping[str, Floats]

#: Aggregates that add up over adjacent windows.
ADDITIVE = frozenset({"count", "sum"})
DAY = 86_400_000_000
TENURE = FeatureColumn(
    "tenure", "Days since the first event", "days", Past().events.days_since_first()
)


def previous_values(
    history: History,
    keys: pa.Table,
    columns: Iterable[FeatureColumn],
    tone: CommentScoreModel | None = None,
    threads: int = 1,
) -> PreviousValues:
    """Compute each windowed column one window before the cutoff of each (customer, cutoff) row.

    NaN where unknown, and where the customer's first event is after the start of that window: the time
    before someone becomes a customer is not a fall or a rise.
    """
    if "events" not in history.tables:
        return {}
    ids = keys["customer_id"].combine_chunks().cast(pa.string())
    cutoff = keys["cutoff"].combine_chunks().cast(pa.timestamp("us", "UTC")).view(pa.int64())
    moments = cutoff.to_numpy(zero_copy_only=False)
    found: dict[str, Floats] = {}
    windowed = [c for c in columns if c.window is not None and not c.is_text]
    windowed.sort(key=lambda c: c.window or 0)
    for window, group in groupby(windowed, key=lambda c: c.window or 0):
        plan = FeaturePlan.from_columns([TENURE, *group], tone)
        table = feature_table(history, ids, moments - window * DAY, plan, threads)
        young = ~(table["tenure"].to_numpy() >= window)
        for name in plan.names[1:]:
            found[name] = np.where(young, np.nan, table[name].to_numpy())
    return found


def previous_from_longer_windows(
    features: pa.Table, columns: Mapping[str, FeatureColumn]
) -> PreviousValues:
    """The same without a history, for counts and sums that exist with a window twice as long.

    The count of 180 days minus that of the last 90 is the count of the 90 days before.
    """
    twice = {(c.factor, c.window): name for name, c in columns.items()}
    found: dict[str, Floats] = {}
    if "tenure_days" not in features.column_names:
        return found
    tenure = features["tenure_days"].to_numpy()
    for name, column in columns.items():
        longer = twice.get((column.factor, 2 * (column.window or 0)))
        adds_up = (
            isinstance(column.expression, Aggregate) and column.expression.operation in ADDITIVE
        )
        if longer and column.window and adds_up:
            before = features[longer].to_numpy() - features[name].to_numpy()
            found[name] = np.where(tenure >= 2 * column.window, before, np.nan)
    return found
