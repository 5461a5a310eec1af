"""Reasons of a score: the features with the largest effect on it, as data and as sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.definitions.expressions import Constant
from features.definitions.feature_registry import FeatureColumn
from features.definitions.phrases import Phrases
from features.feature_table import plan_for
from features.formatting import Language
from models.bundles.bundle import Bundle
from models.explain import sentences_en, sentences_zh
from models.explain.attributions import ScoreAttributions, attribute_scores
from models.explain.previous_window import PreviousValues
from models.targets.target import population_mask

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Reason:
    """The effect of one feature on one score, described by its leading column.

    `effect` is in the unit of the displayed score: points of 100 (NPS: -100 to 100) or money. `value`
    is None where unknown; `texts` are sentences by language. `factor` is the name of the group.
    """

    factor: str
    feature: str
    meaning: str
    unit: str
    value: float | str | None
    effect: float
    texts: Mapping[Language, str]


@dataclass(frozen=True)
class FeatureGroups:
    """The columns of a model grouped by feature; `members` are the column positions of each group.

    The windows of one feature belong to one group, so that they count as one reason.
    """

    names: tuple[str, ...]
    members: tuple[Ints, ...]

    @classmethod
    def of(cls, columns: Sequence[str], known: Mapping[str, FeatureColumn]) -> "FeatureGroups":
        """Group the columns of a declared feature (and one of its values); others stay alone."""
        grouped: dict[str, list[int]] = {}
        for place, name in enumerate(columns):
            factor = known[name].factor if name in known else ""
            grouped.setdefault(factor or name, []).append(place)
        return cls(tuple(grouped), tuple(np.array(places) for places in grouped.values()))

    def totals(self, parts: Floats) -> Floats:
        """The effect of each group (n, groups), from the part of each column (n, k)."""
        return np.column_stack([parts[:, places].sum(axis=1) for places in self.members])

    def leading(self, parts: Floats, totals: Floats) -> Ints:
        """The leading column of each group (n, groups): the largest part with the group's sign."""
        signs = np.where(totals < 0, -1.0, 1.0)
        return np.column_stack(
            [
                places[(parts[:, places] * signs[:, [i]]).argmax(axis=1)]
                for i, places in enumerate(self.members)
            ]
        )


def strongest_groups(totals: Floats, top: int) -> Ints:
    """The groups with the largest effects on each row (n, top), the largest first."""
    return np.argsort(-np.abs(totals), axis=1, kind="stable")[:, :top]


@dataclass(frozen=True)
class Explainer:
    """Gives the reasons of one model's scores. Thread-safe; create it once per model."""

    bundle: Bundle

    @cached_property
    def columns(self) -> dict[str, FeatureColumn]:
        """The declared columns of the model; an undeclared one is described by its manifest entry."""
        read = self.bundle.estimator.encoder.columns
        plan = plan_for(self.bundle.schema, read, self.bundle.tone)
        declared = {column.name: column for column in plan.columns}
        stored = {f["name"]: f for f in self.bundle.manifest.features}
        return {n: declared.get(n) or _undeclared_column(n, stored.get(n, {})) for n in read}

    @cached_property
    def groups(self) -> FeatureGroups:
        return FeatureGroups.of(self.bundle.estimator.encoder.columns, self.columns)

    @cached_property
    def currency(self) -> str:
        return str(self.bundle.manifest.currency or "")

    def reasons(
        self,
        features: pa.Table,
        top: int,
        languages: Sequence[Language] = ("en",),
        previous: PreviousValues | None = None,
    ) -> list[list[Reason]]:
        """The features with the largest effect on each row's score, the largest first, at most `top`.

        A feature without an effect is left out. The effects of all features add up to the score minus
        its base value (`models.explain.attributions`). A customer outside the population of the target
        has no score, and no reasons.
        """
        if not features.num_rows:
            return []
        attributions = attribute_scores(self.bundle, features)
        found = self._reasons_of(attributions, features, top, languages, previous)
        inside = population_mask(features, self.bundle.population).tolist()
        return [row if applies else [] for row, applies in zip(found, inside, strict=True)]

    def _reasons_of(
        self,
        attributions: ScoreAttributions,
        features: pa.Table,
        top: int,
        languages: Sequence[Language],
        previous: PreviousValues | None,
    ) -> list[list[Reason]]:
        totals = self.groups.totals(attributions.parts)
        leading = self.groups.leading(attributions.parts, totals)
        order = strongest_groups(totals, top)
        values = FeatureValues(features, previous or {})
        return [
            [
                self._reason(int(g), attributions.columns[leading[row, g]], totals[row, g], languages,
                             values, row)
                for g in order[row]
                if totals[row, g] != 0
            ]
            for row in range(features.num_rows)
        ]  # fmt: skip

    def _reason(
        self, group: int, name: str, points: float, languages: Sequence[Language],
        values: "FeatureValues", row: int,
    ) -> Reason:  # fmt: skip
        column, value = self.columns[name], values.now(name, row)
        before = values.before(name, row)
        texts = {w: self.sentence(column, value, before, float(points), w) for w in languages}
        return Reason(
            self.groups.names[group],
            name,
            column.meaning,
            column.unit,
            value,
            float(points),
            texts,
        )

    def sentence(
        self,
        column: FeatureColumn,
        value: float | str | None,
        before: float | None,
        points: float,
        language: Language,
    ) -> str:
        """The cause and its effect on the score in one line."""
        target = self.bundle.target
        cause = self.cause(column, value, before, language)
        if language == "zh":
            return f"{cause}：{sentences_zh.effect(target, points, self.currency)}"
        return f"{cause}: {sentences_en.effect(target, points, self.currency)}"

    def cause(
        self,
        column: FeatureColumn,
        value: float | str | None,
        before: float | None,
        language: Language,
    ) -> str:
        """State the customer's value of a column, and the value before."""
        write_cause = sentences_zh.cause if language == "zh" else sentences_en.cause
        return write_cause(column, value, before, self.currency)


class FeatureValues:
    """The values of a feature table, each column converted on first use; missing values are None."""

    def __init__(self, features: pa.Table, previous: PreviousValues) -> None:
        self._features, self._previous = features, previous
        self._now: dict[str, list[float | str | None]] = {}
        self._before: dict[str, list[float | None] | None] = {}

    def now(self, name: str, row: int) -> float | str | None:
        if name not in self._now:
            found = self._features[name].to_pylist()
            self._now[name] = [None if v is None or v != v else v for v in found]
        return self._now[name][row]

    def before(self, name: str, row: int) -> float | None:
        if name not in self._before:
            found = self._previous.get(name)
            known = None if found is None else [None if v != v else v for v in found.tolist()]
            self._before[name] = known
        before = self._before[name]
        return None if before is None else before[row]


def _undeclared_column(name: str, stored: Mapping[str, str]) -> FeatureColumn:
    """A column that was declared in a notebook only: its meaning comes from the manifest."""
    meaning, unit = stored.get("meaning", name), stored.get("unit", "")
    phrases = Phrases(meaning, "", unit)
    return FeatureColumn(name, meaning, unit, Constant(0.0), factor=name, phrases=phrases)
