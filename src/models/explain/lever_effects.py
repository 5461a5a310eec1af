"""What happens to a customer's features when the company pulls a lever."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.definitions.feature_registry import FeatureColumn
from features.definitions.levers import Lever
from models.learners.lightgbm_text import Forest

Floats = NDArray[np.float64]

#: A lever goes no further than this share of customers already is, on either side.
PLAUSIBLE = (0.05, 0.95)
LIKE_ZERO = 1e-9


@dataclass(frozen=True)
class AvailableLever:
    """A lever with the columns it moves, what is plausible, and where the trees take notice.

    `low`, `high` are the quantiles of its amount among customers: the largest of its columns for a
    cap, the number in the shortest window for a count. `notice` are the splits of those columns.
    """

    lever: Lever
    columns: tuple[FeatureColumn, ...]
    low: float
    high: float
    notice: tuple[float, ...]

    @property
    def counted(self) -> tuple[FeatureColumn, ...]:
        """The columns in the lever's own unit, the shortest window first."""
        own = (c for c in self.columns if c.unit == self.lever.unit)
        return tuple(sorted(own, key=lambda c: c.window or np.inf))

    def stands(self, row: Mapping[str, float]) -> float:
        """Where a customer stands now; NaN where there is nothing to act on."""
        values = np.array([row[c.name] for c in self.counted])
        if self.lever.direction == "up":
            return float(np.nan_to_num(values[0]))
        return float(np.nanmax(values)) if not np.isnan(values).all() else float("nan")

    def amounts(self, row: Mapping[str, float], most: int) -> Floats:
        """Where the customer could be brought, the nearest first, at most so many."""
        now = self.stands(row)
        if self.lever.direction == "up":
            made = np.arange(np.floor(now) + 1, np.floor(self.high) + 1)
        else:
            made = np.array([n for n in self.notice if self.low <= n < now])[::-1]
        chosen = np.linspace(0, len(made) - 1, min(most, len(made))).round().astype(int)
        return np.asarray(made[chosen])

    def moved(self, row: Mapping[str, float], amounts: Floats) -> dict[str, Floats]:
        """The columns of the lever for each amount it is brought to; NaN leaves them as they are."""
        return {c.name: self._column(c, row, amounts) for c in self.columns}

    def _column(self, column: FeatureColumn, row: Mapping[str, float], amounts: Floats) -> Floats:
        value, still = row[column.name], np.isnan(amounts)
        if self.lever.direction == "down":
            if column.unit == self.lever.unit:
                moved = np.minimum(value, amounts)
            else:
                moved = np.where(amounts <= LIKE_ZERO, np.minimum(value, 0.0), value)
        elif column.unit == self.lever.unit:
            moved = np.nan_to_num(value) + (amounts - self.stands(row))
        else:
            moved = np.fmin(value, (self.counted[0].window or 90) / amounts)
        return np.where(still, value, moved)

    def distance(self, now: float, amounts: Floats) -> Floats:
        """How far an amount is from where the customer stands, in the spread of all customers."""
        spread = max(self.high - self.low, LIKE_ZERO)
        return np.asarray(np.nan_to_num(np.abs(amounts - now) / spread))


def available_levers(
    columns: Iterable[FeatureColumn], forest: Forest | None, reference: pa.Table
) -> tuple[AvailableLever, ...]:
    """The levers a model's columns offer, bounded by the customers of a reference table.

    Without a forest (columns of several models) nothing is known of what the trees notice.

    A lever none of whose columns is in its own unit, or has any value, is not offered.
    """
    read = {column.name: place for place, column in enumerate(columns)}
    grouped: dict[Lever, list[FeatureColumn]] = {}
    for column in columns:
        if column.lever:
            grouped.setdefault(column.lever, []).append(column)
    made = []
    for lever, members in grouped.items():
        counted = [c for c in members if c.unit == lever.unit]
        if not counted:
            continue
        first = min(counted, key=lambda c: c.window or np.inf)
        taken = [first] if lever.direction == "up" else counted
        table = np.column_stack([reference[c.name].to_numpy() for c in taken])
        known = table[~np.isnan(table).all(axis=1)]
        if len(known):
            low, high = np.quantile(np.nanmax(known, axis=1), PLAUSIBLE)
            places = [forest.thresholds(read[c.name]) for c in counted] if forest else []
            notice = np.unique(np.floor(np.concatenate([*places, [0.0]]) * 100) / 100)
            made.append(AvailableLever(lever, tuple(members), float(low), float(high), tuple(notice)))
    return tuple(made)
