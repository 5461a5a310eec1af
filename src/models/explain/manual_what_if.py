"""Levers moved by hand: how far each goes for a customer, and what a model says then."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from features.definitions.levers import Lever
from features.errors import DataRefused
from features.formatting import short_number
from models.explain.counterfactuals import WhatIfModel, WhatIfResult, lever_values, make_move
from models.explain.lever_effects import LIKE_ZERO, AvailableLever, available_levers


class LeverRefused(DataRefused):
    """A lever that a customer does not have, or set to where it does not go for him."""


@dataclass(frozen=True)
class LeverSpan:
    """How far a lever goes for one customer: from where he stands to where 5 % or 95 % of all are.

    `now` is one end of it. `targets` are those whose model takes notice.
    """

    lever: Lever
    now: float
    least: float
    most: float
    targets: tuple[str, ...]


@dataclass(frozen=True)
class ManualWhatIf:
    """The levers of all models together, so that an amount means the same to each of them."""

    what_ifs: Mapping[str, WhatIfModel]
    reference: pa.Table

    @cached_property
    def pulls(self) -> tuple[AvailableLever, ...]:
        columns = {c.name: c for w in self.what_ifs.values() for c in w.reasoner.columns.values()}
        return available_levers(columns.values(), None, self.reference)

    @cached_property
    def noticed_by(self) -> dict[Lever, tuple[str, ...]]:
        """The targets whose trees split on a column of each lever."""
        return {
            pull.lever: tuple(
                target
                for target, asked in self.what_ifs.items()
                if asked.splits_on(c.name for c in pull.columns)
            )
            for pull in self.pulls
        }

    def spans(self, features: pa.Table) -> tuple[LeverSpan, ...]:
        """What can be moved for one customer; a lever that is where it can be already is left out."""
        row = lever_values(features, self.pulls)
        found = (self._span(pull, pull.stands(row)) for pull in self.pulls)
        return tuple(span for span in found if span.least < span.most and span.targets)

    def moved(self, target: str, features: pa.Table, amounts: Mapping[str, float]) -> WhatIfResult:
        """What the model of a target says of one customer with levers, by name, at these amounts.

        Raises LeverRefused for a lever the customer does not have, and an amount out of its span.
        """
        row = lever_values(features, self.pulls)
        spans = {span.lever: span for span in self.spans(features)}
        named = {span.lever.name: span for span in spans.values()}
        if strange := sorted(amounts.keys() - named.keys()):
            raise LeverRefused(
                f"{len(strange)} of {len(amounts)} levers cannot be moved for this customer; "
                f"{', '.join(named) or 'none'} can"
            )
        moves = [
            make_move(pull, row, _within(spans[pull.lever], amounts[pull.lever.name]))
            for pull in self.pulls
            if pull.lever.name in amounts
        ]
        return self.what_ifs[target].with_moves(features, [m for m in moves if m.end != m.start])

    def _span(self, pull: AvailableLever, now: float) -> LeverSpan:
        up = pull.lever.direction == "up"
        least, most = (now, float(np.floor(pull.high))) if up else (pull.low, now)
        return LeverSpan(pull.lever, now, least, most, self.noticed_by[pull.lever])


def _within(span: LeverSpan, amount: float) -> float:
    """The amount, where it lies in the span; what is only rounded out of it is its end."""
    room = LIKE_ZERO * max(1.0, abs(span.least), abs(span.most))
    if not span.least - room <= amount <= span.most + room:
        raise LeverRefused(
            f"{span.lever.name} goes from {short_number(span.least)} to {short_number(span.most)} "
            f"{span.lever.unit} for this customer"
        )
    return min(max(amount, span.least), span.most)
