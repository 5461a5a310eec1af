"""Counterfactuals: the smallest change of levers that brings a customer's score to a goal.

The result is a prediction for customers who are treated that way. Only an experiment can show whether
the treatment changes this customer.
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
from features.formatting import Language, close_up_percent
from models.bundles.bundle import Bundle
from models.explain import sentences_en, sentences_zh
from models.explain.lever_effects import AvailableLever, available_levers
from models.explain.output_scale import OutputScale
from models.explain.reasons import Explainer
from models.learners.lightgbm_text import Forest
from models.targets.registry import TARGETS

Floats = NDArray[np.float64]

#: Number of amounts tried for each lever when one, two or three levers change together.
GRID = (400, 12, 6)


@dataclass(frozen=True)
class LeverMove:
    """One lever changed from the current amount to another, and the columns it changes.

    `window` is the number of days over which a number is counted; None for a cap.
    """

    lever: Lever
    start: float
    end: float
    window: int | None
    columns: Mapping[str, float]


@dataclass(frozen=True)
class WhatIfResult:
    """The smallest change that reaches the goal, or the closest one when the goal is not `reached`.

    Scores are displayed scores (`models.explain.output_scale`). Without moves, the goal is reached
    already or no lever helps. Without a goal (`models.explain.manual_what_if`), `goal` and `reached`
    are None. `abstain`: the customer is out of distribution, before or after the moves.
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
    """Answers what-if questions with one model; `reference` customers define plausible ranges."""

    explainer: Explainer
    reference: pa.Table

    @property
    def bundle(self) -> Bundle:
        return self.explainer.bundle

    @cached_property
    def forest(self) -> Forest:
        return self.bundle.estimator.forest()

    @cached_property
    def levers(self) -> tuple[AvailableLever, ...]:
        return available_levers(list(self.explainer.columns.values()), self.forest, self.reference)

    @cached_property
    def scale(self) -> OutputScale:
        return OutputScale.of(self.bundle)

    @property
    def lower_is_better(self) -> bool:
        """Whether the goal is a lower score: for the probability of an unwanted event."""
        return TARGETS[self.bundle.target].kind == "binary"

    def smallest_change(self, features: pa.Table, goal: float) -> WhatIfResult:
        """The fewest levers, and then the nearest amounts, that bring one row to the goal.

        The goal is an upper limit for a probability (in percentage points), a lower limit for other
        scores. Levers change only in their declared direction, up to the 5% or 95% quantile of the
        customers; distances are relative to the range between these quantiles.
        """
        if features.num_rows != 1:
            raise DataRefused(f"{features.num_rows} rows; a what-if takes one customer at a time")
        row, base = lever_values(features, self.levers), self._model_columns(features)
        now = float(self._scores(base)[0])
        best = WhatIfResult(_customer(features), goal, self._gap(now, goal) <= 0, now, now, ())
        for amounts in () if best.reached else _grids(self.levers, row):
            found = self._best(base, row, amounts, best, goal)
            best = min(best, found, key=lambda result: self._gap(result.score_then, goal))
            if best.reached:
                break
        return replace(best, abstain=self._abstains(base, best.moves))

    def with_moves(self, features: pa.Table, moves: Sequence[LeverMove]) -> WhatIfResult:
        """Score one row after the given moves, without a goal."""
        base = self._model_columns(features)
        now = float(self._scores(base)[0])
        then = float(self._scores(_after(base, moves))[0]) if moves else now
        abstain = self._abstains(base, moves)
        return WhatIfResult(_customer(features), None, None, now, then, tuple(moves), abstain)

    def splits_on(self, names: Iterable[str]) -> bool:
        """Whether any tree of the model splits on one of these columns."""
        place = {name: i for i, name in enumerate(self.explainer.columns)}
        return any(len(self.forest.thresholds(place[n])) for n in names if n in place)

    def _best(
        self,
        base: pa.Table,
        row: Mapping[str, float],
        amounts: Floats,
        before: WhatIfResult,
        goal: float,
    ) -> WhatIfResult:
        """The nearest of the amounts (m, levers) that reaches the goal, or else the closest to it."""
        changed: dict[str, Floats] = {}
        distance = np.zeros(len(amounts))
        for lever, tried in zip(self.levers, amounts.T, strict=True):
            changed |= lever.columns_at(row, tried)
            distance += lever.distance(lever.current(row), tried)
        scores = self._scores(_repeat_with(base, changed, len(amounts)))
        gaps = np.maximum(0.0, self._gap(scores, goal))
        pick = int(np.lexsort((distance, gaps))[0])
        moves = tuple(
            make_move(lever, row, float(end))
            for lever, end in zip(self.levers, amounts[pick], strict=True)
            if not np.isnan(end)
        )
        reached, then = bool(gaps[pick] == 0), float(scores[pick])
        return WhatIfResult(before.customer_id, goal, reached, before.score, then, moves)

    def _model_columns(self, features: pa.Table) -> pa.Table:
        return features.select([n for n in features.column_names if n in self.bundle.columns])

    def _abstains(self, base: pa.Table, moves: Sequence[LeverMove]) -> bool:
        """Whether the row is out of distribution before or after the moves."""
        support, estimator = self.bundle.support, self.bundle.estimator
        rows = (base, _after(base, moves))
        return support is not None and any(
            bool(support.out_of_distribution(estimator, r)[0]) for r in rows
        )

    def _scores(self, features: pa.Table) -> Floats:
        return self.scale.of_calibrated(self.bundle.calibrated(features))

    def _gap(self, score: Floats | float, goal: float) -> Any:
        """The distance of a score from the goal; zero or negative when the goal is reached."""
        return score - goal if self.lower_is_better else goal - score


def make_move(available: AvailableLever, row: Mapping[str, float], end: float) -> LeverMove:
    """Set a lever to an amount, for a customer with the lever columns `row`."""
    lever = available.lever
    window = available.counted[0].window if lever.direction == "up" else None
    columns = {n: float(v[0]) for n, v in available.columns_at(row, np.array([end])).items()}
    return LeverMove(lever, available.current(row), end, window, columns)


def lever_values(features: pa.Table, levers: Iterable[AvailableLever]) -> dict[str, float]:
    """The lever columns of a table with one row; NaN where missing."""
    return {c.name: _number(features, c.name) for lever in levers for c in lever.columns}


def _customer(features: pa.Table) -> str:
    return str(features["customer_id"][0].as_py())


def _after(base: pa.Table, moves: Sequence[LeverMove]) -> pa.Table:
    """The row after the moves, in the columns that it has."""
    changed = {n: np.array([v]) for m in moves for n, v in m.columns.items()}
    return _repeat_with(base, {n: v for n, v in changed.items() if n in base.column_names}, 1)


def _grids(levers: Sequence[AvailableLever], row: Mapping[str, float]) -> Iterator[Floats]:
    """Amounts to try (m, levers), NaN for an unchanged lever: one lever, then two, then three."""
    for together, limit in enumerate(GRID, 1):
        tried = []
        choices = {i: a for i, p in enumerate(levers) if len(a := p.amounts(row, limit))}
        for places in combinations(choices, together):
            mesh = np.array(list(product(*(choices[i] for i in places))))
            amounts = np.full((len(mesh), len(levers)), np.nan)
            amounts[:, places] = mesh
            tried.append(amounts)
        if tried:
            yield np.concatenate(tried)


def _repeat_with(base: pa.Table, changed: Mapping[str, Floats], count: int) -> pa.Table:
    """Repeat the row `count` times, with new values in the changed columns."""
    table = base.take(pa.array(np.zeros(count, np.int64)))
    for name, values in changed.items():
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    return table


def _number(features: pa.Table, name: str) -> float:
    value = features[name][0].as_py()
    return float("nan") if value is None else float(value)


def what_if_text(found: WhatIfResult, target: str, currency: str, language: Language) -> str:
    """The result as a sentence: a prediction of the model, not a promise."""
    return (_in_chinese if language == "zh" else _in_english)(found, target, currency)


def _in_english(found: WhatIfResult, target: str, currency: str) -> str:
    name = sentences_en.score_name(target)
    now, then, goal = _score_texts(found, target, currency)
    guess = ""
    if found.abstain:
        guess = " The model has not seen customers like this one: treat the result as a guess."
    if found.reached and not found.moves:
        return f"The model says {now} {name}; the goal of {goal} is reached.{guess}"
    if not found.moves and not goal:
        return f"The model says {now} {name}.{guess}"
    if not found.moves:
        return f"Nothing you can act on brings the model from {now} {name} closer to {goal}.{guess}"
    changes = sentences_en.singular(" and ".join(_clauses(found, currency, "en")))
    if not goal and now == then:
        text = f"Even if {changes}, the model would still say {now} {name}"
    elif found.reached or not goal:
        text = f"If {changes}, the model would say {then} {name} instead of {now}"
    else:
        text = (
            f"Even if {changes}, the model would say {then} {name} (now {now}), short of the goal of "
            f"{goal}"
        )
    return f"{close_up_percent(text)}. This is what the model says, not a promise.{guess}"


def _in_chinese(found: WhatIfResult, target: str, currency: str) -> str:
    name = sentences_zh.score_name(target)
    now, then, goal = _score_texts(found, target, currency)
    guess = "模型没有见过类似的客户，结果仅供参考。" if found.abstain else ""
    if found.reached and not found.moves:
        return f"模型给出的{name}为{now}，已达到目标{goal}。{guess}"
    if not found.moves and not goal:
        return f"模型给出的{name}为{now}。{guess}"
    if not found.moves:
        return f"没有可采取的措施能让模型给出的{name}从{now}更接近{goal}。{guess}"
    changes = "，且".join(_clauses(found, currency, "zh"))
    if not goal and now == then:
        text = f"即使{changes}，模型给出的{name}仍是{now}"
    elif found.reached or not goal:
        text = f"如果{changes}，模型给出的{name}将是{then}，而不是{now}"
    else:
        text = f"即使{changes}，模型给出的{name}也是{then}（现在{now}），达不到目标{goal}"
    return f"{text}。这只是模型的判断，不是承诺。{guess}"


def _clauses(found: WhatIfResult, currency: str, language: Language) -> list[str]:
    """One clause for each move."""
    written = sentences_zh.written if language == "zh" else sentences_en.written
    return [
        (move.lever.zh if language == "zh" else move.lever.en).format(
            start=written(move.start, move.lever.form, currency),
            end=written(move.end, move.lever.form, currency),
            window=move.window,
        )
        for move in found.moves
    ]


def _score_texts(found: WhatIfResult, target: str, currency: str) -> tuple[str, ...]:
    """The current score, the score after the moves, and the goal; empty without one."""
    scores = (found.score, found.score_then, found.goal)
    return tuple("" if s is None else sentences_en.score_text(target, s, currency) for s in scores)
