"""Distribution shift between training and later rows: unseen column ranges and seasons.

Trees cannot extrapolate: where most current customers have a longer tenure than anybody in the
training rows, every split on tenure describes the past only. And a month of the year that training
has seen in one year only cannot be separated from that year's other events. For probabilities such
columns shift the level of all customers at once, which no calibration on earlier rows can detect.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.history.history_table import DAY
from models.training_set.splits import Split

#: A column is dropped when more than this share of the later rows is outside the training range.
MAX_OUTSIDE = 0.3
#: The training range excludes this share of the rows at either end.
TAIL = 0.005
#: Training covers seasons when it spans so many days: nine months for amounts, which seasons move
#: more than trends do; two years for probabilities, whose level matters.
SEASON_DAYS = {"regression": 270.0}
TWO_YEARS = 730.0
MIN_ROWS = 50

Floats = NDArray[np.float64]


def outside_training(earlier: pa.Table, later: pa.Table) -> tuple[str, ...]:
    """Find the numeric columns in which most later rows are outside the range of the earlier ones."""
    return tuple(
        name
        for name in earlier.column_names
        if pa.types.is_floating(earlier[name].type)
        and _outside(earlier[name].to_numpy(), later[name].to_numpy()) > MAX_OUTSIDE
    )


def shifted_columns(
    kind: str, features: pa.Table, cutoff: NDArray[np.int64], split: Split
) -> tuple[str, ...]:
    """Find the columns that a model of this kind should not read, from features and cutoffs alone."""
    earlier, later = (features.filter(pa.array(m)) for m in (split.refit, split.test))
    found = []
    if "season" in features.column_names and not covers_seasons(kind, features, cutoff, split):
        found.append("season")
    if kind != "regression":  # amounts are multiples of a level that shifts along
        found += [c for c in outside_training(earlier, later) if c not in found]
    return tuple(found)


def covers_seasons(kind: str, features: pa.Table, cutoff: NDArray[np.int64], split: Split) -> bool:
    """Whether training covers the months of the test, and spans enough time to learn seasons."""
    month = features["season"].to_numpy()
    span = (cutoff[split.test].min() - cutoff[split.refit].min()) / DAY
    seen = np.isin(month[split.test], month[split.refit]).all()
    return bool(seen and span > SEASON_DAYS.get(kind, TWO_YEARS))


def _outside(earlier: NDArray[np.float64], later: NDArray[np.float64]) -> float:
    """The share of the later values outside the range of the earlier ones; missing values excluded."""
    earlier, later = earlier[~np.isnan(earlier)], later[~np.isnan(later)]
    if len(earlier) < MIN_ROWS or len(later) < MIN_ROWS:
        return 0.0
    low, high = np.quantile(earlier, [TAIL, 1 - TAIL])
    return float(np.mean((later < low) | (later > high)))
