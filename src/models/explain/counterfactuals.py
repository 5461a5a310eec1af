"""What would have to be otherwise for the model to see a customer on the other side of a threshold.

It says what the model says: customers who are served like that have such scores. Whether serving
this customer so would change him, only an experiment tells.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, product
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.definitions.levers import Lever
from features.errors import DataRefused
from models.bundles.bundle import Bundle
from models.explain.lever_effects import AvailableLever, available_levers
from models.explain.output_scale import OutputScale
from models.explain.reasons import Explainer
from models.learners.lightgbm_text import Forest
from models.targets.registry import TARGETS

Floats = NDArray[np.float64]

#: How many amounts of each lever are tried when one, two or three are pulled together.
GRID = (400, 12, 6)


@dataclass(frozen=True)
class LeverMove:
    """One lever, from where the customer stands to where he would be, and the columns it moves.

    `window` are the days in which a number is counted; None for a cap.
    """

    lever: Lever
    start: float
    end: float
    window: int | None
    columns: Mapping[str, float]


@dataclass(frozen=True)
class WhatIfResult:
    """The smallest change that reaches the goal, or, not `reached`, the best there is.

    Scores are what people see (`models.explain.output_scale`). No moves: the goal is reached
    already, or no lever helps. Without a goal (`models.explain.manual_what_if`) nothing can be
    reached: both are None. `abstain`: the model knows nobody like the customer, as he is or as he
    would be.
    """

    customer_id: str
    goal: float | None
    reached: bool | None
    score: float
    score_then: float
    moves: tuple[LeverMove, ...]
    abstain: bool = False


@dataclass(frozen=True)
class WhatIfModel:
    """What can be asked of one model. `reference` are the customers whose range is plausible."""

    reasoner: Explainer
    reference: pa.Table

    @property
    def bundle(self) -> Bundle:
        return self.reasoner.bundle

    @cached_property
    def forest(self) -> Forest:
        return Forest.of(self.bundle.estimator)

    @cached_property
    def pulls(self) -> tuple[AvailableLever, ...]:
        return available_levers(list(self.reasoner.columns.values()), self.forest, self.reference)

    @cached_property
    def scale(self) -> OutputScale:
        return OutputScale.of(self.bundle)

    @property
    def lower_is_better(self) -> bool:
        """A probability of what nobody wants is brought down, all other scores up."""
        return TARGETS[self.bundle.target].kind == "binary"

    def smallest_change(self, features: pa.Table, goal: float) -> WhatIfResult:
        """The fewest levers, and of those the nearest amounts, that bring one row to the goal.

        Below it for a probability (in points of 100), above it for other scores. Levers move in
        their declared direction only and no further than 5 % or 95 % of the customers are; all
        that has no lever stays. Distance is in the spread between those two.
        """
        if features.num_rows != 1:
            raise DataRefused(
                f"{features.num_rows} rows; what-if is asked for one customer at a time"
            )
        row, base = lever_values(features, self.pulls), self._read(features)
        now = float(self._scores(base)[0])
        best = WhatIfResult(_customer(features), goal, self._gap(now, goal) <= 0, now, now, ())
        for amounts in () if best.reached else _grids(self.pulls, row):
            found = self._best(base, row, amounts, best, goal)
            best = min(best, found, key=lambda one: self._gap(one.score_then, goal))
            if best.reached:
                break
        return replace(best, abstain=self._unlike(base, best.moves))

    def with_moves(self, features: pa.Table, moves: Sequence[LeverMove]) -> WhatIfResult:
        """What the model says of one row after these moves, wherever they bring it."""
        base = self._read(features)
        now = float(self._scores(base)[0])
        then = float(self._scores(_after(base, moves))[0]) if moves else now
        unlike = self._unlike(base, moves)
        return WhatIfResult(_customer(features), None, None, now, then, tuple(moves), unlike)

    def splits_on(self, names: Iterable[str]) -> bool:
        """Whether any tree of the model looks at one of these columns."""
        place = {name: i for i, name in enumerate(self.reasoner.columns)}
        return any(len(self.forest.thresholds(place[n])) for n in names if n in place)

    def _best(
        self,
        base: pa.Table,
        row: Mapping[str, float],
        amounts: Floats,
        before: WhatIfResult,
        goal: float,
    ) -> WhatIfResult:
        """The nearest of the amounts (m, levers) that reaches the goal, or the one that gets closest."""
        moved: dict[str, Floats] = {}
        far = np.zeros(len(amounts))
        for pull, tried in zip(self.pulls, amounts.T, strict=True):
            moved |= pull.moved(row, tried)
            far += pull.distance(pull.stands(row), tried)
        scores = self._scores(_replaced(base, moved, len(amounts)))
        gaps = np.maximum(0.0, self._gap(scores, goal))
        pick = int(np.lexsort((far, gaps))[0])
        moves = tuple(
            make_move(pull, row, float(end))
            for pull, end in zip(self.pulls, amounts[pick], strict=True)
            if not np.isnan(end)
        )
        reached, then = bool(gaps[pick] == 0), float(scores[pick])
        return WhatIfResult(before.customer_id, goal, reached, before.score, then, moves)

    def _read(self, features: pa.Table) -> pa.Table:
        return features.select([n for n in features.column_names if n in self.bundle.columns])

    def _unlike(self, base: pa.Table, moves: Sequence[LeverMove]) -> bool:
        """Whether the model knows nobody like the row, before or after the moves."""
        support, estimator = self.bundle.support, self.bundle.estimator
        rows = (base, _after(base, moves))
        return support is not None and any(bool(support.out_of_distribution(estimator, r)[0]) for r in rows)

    def _scores(self, features: pa.Table) -> Floats:
        return self.scale.of_calibrated(self.bundle.calibrated(features))

    def _gap(self, score: Floats | float, goal: float) -> Any:
        """How far a score is from the goal; at or below zero it is reached."""
        return score - goal if self.lower_is_better else goal - score


def make_move(pull: AvailableLever, row: Mapping[str, float], end: float) -> LeverMove:
    """A lever pulled to an amount, for a customer who stands at `row`."""
    window = pull.counted[0].window if pull.lever.direction == "up" else None
    columns = {n: float(v[0]) for n, v in pull.moved(row, np.array([end])).items()}
    return LeverMove(pull.lever, pull.stands(row), end, window, columns)


def lever_values(features: pa.Table, pulled: Iterable[AvailableLever]) -> dict[str, float]:
    """The columns of levers in the one row of a table; NaN where there is nothing."""
    return {c.name: _number(features, c.name) for pull in pulled for c in pull.columns}


def _customer(features: pa.Table) -> str:
    return str(features["customer_id"][0].as_py())


def _after(base: pa.Table, moves: Sequence[LeverMove]) -> pa.Table:
    """The one row with the moves in those columns that it has."""
    moved = {n: np.array([v]) for m in moves for n, v in m.columns.items()}
    return _replaced(base, {n: v for n, v in moved.items() if n in base.column_names}, 1)


def _grids(pulls: Sequence[AvailableLever], row: Mapping[str, float]) -> Iterator[Floats]:
    """Amounts to try (m, levers), NaN for a lever left alone: one lever, then two, then three."""
    for together, most in enumerate(GRID, 1):
        tried = []
        choices = {i: a for i, p in enumerate(available_levers) if len(a := p.amounts(row, most))}
        for places in combinations(choices, together):
            mesh = np.array(list(product(*(choices[i] for i in places))))
            amounts = np.full((len(mesh), len(available_levers)), np.nan)
            amounts[:, places] = mesh
            tried.append(amounts)
        if tried:
            yield np.concatenate(tried)


def _replaced(base: pa.Table, moved: Mapping[str, Floats], count: int) -> pa.Table:
    """The one row so many times, with other values in the moved columns."""
    table = base.take(pa.array(np.zeros(count, np.int64)))
    for name, values in moved.items():
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    return table


def _number(features: pa.Table, name: str) -> float:
    value = features[name][0].as_py()
    return float("nan") if value is None else float(value)
