"""Columns in which the customers to come lie outside everything training has seen.

Trees cannot extrapolate: where most of today's customers have been known for longer than anybody in
the training rows, every split on that age says something about the past only. And a month of the
year that training has seen in one year only cannot be told from what that year was otherwise. For
probabilities such columns move the level of everybody at once, which no calibration on earlier rows
can see.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.history.rows import DAY
from models.training_set.splits import Split

#: A column is left out when more than this share of the later rows lies outside training's range.
MOST_OUTSIDE = 0.3
#: Training's range: all but the outermost rows on either side.
TAIL = 0.005
#: Training knows seasons when it looks back so far: for amounts nine months, which a season moves
#: more than a trend; for probabilities, whose level counts, two turns of the year.
SEASONS_SHOW = {"regression": 270.0}
TWO_YEARS = 730.0
FEWEST = 50


def outside_training(earlier: pa.Table, later: pa.Table) -> tuple[str, ...]:
    """The numeric columns in which most of the later rows are unlike any earlier row."""
    return tuple(
        name
        for name in earlier.column_names
        if pa.types.is_floating(earlier[name].type)
        and _outside(earlier[name].to_numpy(), later[name].to_numpy()) > MOST_OUTSIDE
    )


def left_out(
    kind: str, features: pa.Table, cutoff: NDArray[np.int64], split: Split
) -> tuple[str, ...]:
    """The columns a model of this kind should not read, by what training rows can say of the test.

    Only features and cutoffs are looked at, never labels.
    """
    earlier, later = (features.filter(pa.array(m)) for m in (split.refit, split.test))
    found = []
    if "season" in features.column_names and not knows_seasons(kind, features, cutoff, split):
        found.append("season")
    if kind != "regression":  # amounts are predicted in multiples of a level that moves along
        found += [c for c in outside_training(earlier, later) if c not in found]
    return tuple(found)


def knows_seasons(kind: str, features: pa.Table, cutoff: NDArray[np.int64], split: Split) -> bool:
    """Whether training has seen the months of the test, and looks back far enough for them to show."""
    month = features["season"].to_numpy()
    looks_back = (cutoff[split.test].min() - cutoff[split.refit].min()) / DAY
    seen = np.isin(month[split.test], month[split.refit]).all()
    return bool(seen and looks_back > SEASONS_SHOW.get(kind, TWO_YEARS))


def _outside(earlier: NDArray[np.float64], later: NDArray[np.float64]) -> float:
    """The share of the measured later values outside the range of the earlier ones."""
    earlier, later = earlier[~np.isnan(earlier)], later[~np.isnan(later)]
    if len(earlier) < FEWEST or len(later) < FEWEST:
        return 0.0
    low, high = np.quantile(earlier, [TAIL, 1 - TAIL])
    return float(np.mean((later < low) | (later > high)))
