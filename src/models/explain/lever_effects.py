"""Change a customer's features as if the company used a lever."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.definitions.feature_registry import FeatureColumn
from features.definitions.levers import Lever
from models.learners.lightgbm_text import Forest

Floats = NDArray[np.float64]

#: Quantiles of the customers between which a lever can be set.
PLAUSIBLE = (0.05, 0.95)
TOLERANCE = 1e-9


@dataclass(frozen=True)
class AvailableLever:
    """A lever with the columns it changes, its plausible range, and the split points of the trees.

    `low`, `high` are the quantiles of its amount among customers: the maximum of its columns for a
    cap, the number in the shortest window for a count. `split_points` are the splits of those columns.
    """

    lever: Lever
    columns: tuple[FeatureColumn, ...]
    low: float
    high: float
    split_points: tuple[float, ...]

    @property
    def counted(self) -> tuple[FeatureColumn, ...]:
        """The columns in the lever's own unit, the shortest window first."""
        own = (c for c in self.columns if c.unit == self.lever.unit)
        return tuple(sorted(own, key=lambda c: c.window or np.inf))

    def current(self, row: Mapping[str, float]) -> float:
        """The customer's current amount; NaN where there is nothing to act on."""
        values = np.array([row[c.name] for c in self.counted])
        if self.lever.direction == "up":
            return float(np.nan_to_num(values[0]))
        return float(np.nanmax(values)) if not np.isnan(values).all() else float("nan")

    def amounts(self, row: Mapping[str, float], limit: int) -> Floats:
        """Amounts the lever could be set to for the customer, the nearest first, at most `limit`."""
        now = self.current(row)
        if self.lever.direction == "up":
            candidates = np.arange(np.floor(now) + 1, np.floor(self.high) + 1)
        else:
            candidates = np.array([n for n in self.split_points if self.low <= n < now])[::-1]
        chosen = (
            np.linspace(0, len(candidates) - 1, min(limit, len(candidates))).round().astype(int)
        )
        return np.asarray(candidates[chosen])

    def columns_at(self, row: Mapping[str, float], amounts: Floats) -> dict[str, Floats]:
        """The columns of the lever at each amount; a NaN amount leaves them unchanged."""
        return {c.name: self._column(c, row, amounts) for c in self.columns}

    def _column(self, column: FeatureColumn, row: Mapping[str, float], amounts: Floats) -> Floats:
        value, unchanged = row[column.name], np.isnan(amounts)
        if self.lever.direction == "down":
            if column.unit == self.lever.unit:
                changed = np.minimum(value, amounts)
            else:
                changed = np.where(amounts <= TOLERANCE, np.minimum(value, 0.0), value)
        elif column.unit == self.lever.unit:
            changed = np.nan_to_num(value) + (amounts - self.current(row))
        else:
            changed = np.fmin(value, (self.counted[0].window or 90) / amounts)
        return np.where(unchanged, value, changed)

    def distance(self, now: float, amounts: Floats) -> Floats:
        """Distance of an amount from the current one, relative to the range of all customers."""
        spread = max(self.high - self.low, TOLERANCE)
        return np.asarray(np.nan_to_num(np.abs(amounts - now) / spread))


def available_levers(
    columns: Iterable[FeatureColumn], forest: Forest | None, reference: pa.Table
) -> tuple[AvailableLever, ...]:
    """The levers of a model's columns, with ranges from the customers of a reference table.

    Without a forest (columns of several models) there are no split points. A lever is left out when
    none of its columns has its unit or any value.
    """
    read = {column.name: place for place, column in enumerate(columns)}
    grouped: dict[Lever, list[FeatureColumn]] = {}
    for column in columns:
        if column.lever:
            grouped.setdefault(column.lever, []).append(column)
    levers = []
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
            split_points = np.unique(np.floor(np.concatenate([*places, [0.0]]) * 100) / 100)
            levers.append(
                AvailableLever(lever, tuple(members), float(low), float(high), tuple(split_points))
            )
    return tuple(levers)
