"""What-if with levers set by hand: the range of each lever for a customer, and the model's score."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from features.definitions.levers import Lever
from features.errors import DataRefused
from features.formatting import short_number
from models.explain.counterfactuals import WhatIfModel, WhatIfResult, lever_values, make_move
from models.explain.lever_effects import TOLERANCE, AvailableLever, available_levers


class LeverRefused(DataRefused):
    """A lever that is not available for a customer, or an amount outside its range."""


@dataclass(frozen=True)
class LeverSpan:
    """The range of a lever for one customer: from the current amount to the 5% or 95% quantile of all.

    `now` is one end of the range. `targets` are those whose model reads a column of the lever.
    """

    lever: Lever
    now: float
    least: float
    most: float
    targets: tuple[str, ...]


@dataclass(frozen=True)
class ManualWhatIf:
    """The levers of all models together, so that an amount means the same for each of them."""

    what_ifs: Mapping[str, WhatIfModel]
    reference: pa.Table

    @cached_property
    def levers(self) -> tuple[AvailableLever, ...]:
        columns = {c.name: c for w in self.what_ifs.values() for c in w.explainer.columns.values()}
        return available_levers(columns.values(), None, self.reference)

    @cached_property
    def affected_targets(self) -> dict[Lever, tuple[str, ...]]:
        """For each lever, the targets whose trees split on one of its columns."""
        return {
            available.lever: tuple(
                target
                for target, what_if in self.what_ifs.items()
                if what_if.splits_on(c.name for c in available.columns)
            )
            for available in self.levers
        }

    def spans(self, features: pa.Table) -> tuple[LeverSpan, ...]:
        """The lever ranges of one customer; a lever already at its best amount is left out."""
        row = lever_values(features, self.levers)
        found = (self._span(available, available.current(row)) for available in self.levers)
        return tuple(span for span in found if span.least < span.most and span.targets)

    def apply(self, target: str, features: pa.Table, amounts: Mapping[str, float]) -> WhatIfResult:
        """Score one customer with levers, by name, at these amounts.

        Raises LeverRefused for a lever that is not available, or an amount outside its range.
        """
        row = lever_values(features, self.levers)
        spans = {span.lever: span for span in self.spans(features)}
        named = {span.lever.name: span for span in spans.values()}
        if unknown := sorted(amounts.keys() - named.keys()):
            raise LeverRefused(
                f"{len(unknown)} of {len(amounts)} levers are not available for this customer; "
                f"available: {', '.join(named) or 'none'}"
            )
        moves = [
            make_move(
                available, row, _within(spans[available.lever], amounts[available.lever.name])
            )
            for available in self.levers
            if available.lever.name in amounts
        ]
        return self.what_ifs[target].with_moves(features, [m for m in moves if m.end != m.start])

    def _span(self, available: AvailableLever, now: float) -> LeverSpan:
        up = available.lever.direction == "up"
        least, most = (now, float(np.floor(available.high))) if up else (available.low, now)
        return LeverSpan(available.lever, now, least, most, self.affected_targets[available.lever])


def _within(span: LeverSpan, amount: float) -> float:
    """The amount if it is in the range; an amount outside by rounding becomes the end of the range."""
    tolerance = TOLERANCE * max(1.0, abs(span.least), abs(span.most))
    if not span.least - tolerance <= amount <= span.most + tolerance:
        raise LeverRefused(
            f"{span.lever.name} can be set from {short_number(span.least)} to {short_number(span.most)} "
            f"{span.lever.unit} for this customer"
        )
    return min(max(amount, span.least), span.most)
