"""The few factors that moved each score, with the words for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.definitions.expressions import Constant
from features.definitions.feature_registry import FeatureColumn
from features.definitions.phrases import Phrases
from features.feature_table import plan_for
from models.bundles.bundle import Bundle
from models.explain import effect_text, sentences_en, sentences_zh
from models.explain.attributions import ScoreAttributions, attribute_scores
from models.explain.feature_groups import FeatureGroups, strongest_groups
from models.explain.previous_window import PreviousValues

Floats = NDArray[np.float64]
Language = Literal["en", "zh"]


@dataclass(frozen=True)
class Reason:
    """One factor's part in one score, told by the column that has most of it.

    `effect` is in what people see: points of a score of 100 (NPS: -100 to 100) or money. `value` is
    None where there was nothing to measure; `texts` are sentences by language.
    """

    factor: str
    feature: str
    meaning: str
    unit: str
    value: float | str | None
    effect: float
    texts: Mapping[Language, str]


@dataclass(frozen=True)
class Explainer:
    """What one model needs to give its reasons; made once, used from several threads."""

    bundle: Bundle

    @cached_property
    def columns(self) -> dict[str, FeatureColumn]:
        """The model's columns as they are declared; one declared nowhere speaks by its meaning."""
        read = self.bundle.estimator.encoder.columns
        plan = plan_for(self.bundle.schema, read, self.bundle.tone)
        declared = {column.name: column for column in plan.columns}
        told = {f["name"]: f for f in self.bundle.manifest.features}
        return {n: declared.get(n) or _undeclared(n, told.get(n, {})) for n in read}

    @cached_property
    def factors(self) -> FeatureGroups:
        return FeatureGroups.of(self.bundle.estimator.encoder.columns, self.columns)

    @cached_property
    def currency(self) -> str:
        return str(self.bundle.manifest.currency or "")

    def reasons(
        self,
        features: pa.Table,
        top: int,
        languages: Sequence[Language] = ("en",),
        earlier: PreviousValues | None = None,
    ) -> list[list[Reason]]:
        """The factors that moved each row's score most, strongest first, at most `top` a row.

        A factor that moved nothing is no reason. All factors' effects together are the score less
        where it starts (`models.explain.attributions`).
        """
        if not features.num_rows:
            return []
        return self.tell(attribute_scores(self.bundle, features), features, top, languages, earlier)

    def tell(
        self,
        explained: ScoreAttributions,
        features: pa.Table,
        top: int,
        languages: Sequence[Language] = ("en",),
        earlier: PreviousValues | None = None,
    ) -> list[list[Reason]]:
        """The same, of scores that are split already."""
        totals = self.factors.totals(explained.parts)
        speakers = self.factors.speakers(explained.parts, totals)
        order = strongest_groups(totals, top)
        values = FeatureValues(features, earlier or {})
        return [
            [
                self._reason(int(f), explained.columns[speakers[row, f]], totals[row, f], languages,
                             values, row)
                for f in order[row]
                if totals[row, f] != 0
            ]
            for row in range(features.num_rows)
        ]  # fmt: skip

    def _reason(
        self, factor: int, name: str, points: float, languages: Sequence[Language],
        values: "FeatureValues", row: int,
    ) -> Reason:  # fmt: skip
        column, value = self.columns[name], values.now(name, row)
        before = values.before(name, row)
        texts = {w: self.sentence(column, value, before, float(points), w) for w in languages}
        return Reason(
            self.factors.names[factor],
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
        """Cause and effect in one line."""
        target = self.bundle.target
        what = self.cause(column, value, before, language)
        if language == "zh":
            return f"{what}：{effect_text.chinese(target, points, self.currency)}"
        return f"{what}: {effect_text.english(target, points, self.currency)}"

    def cause(
        self, column: FeatureColumn, value: float | str | None, before: float | None, language: Language
    ) -> str:
        """What the customer's value of a column is, and what it was before."""
        say = sentences_zh.cause if language == "zh" else sentences_en.cause
        return say(column, value, before, self.currency)


class FeatureValues:
    """The values of a feature table as people see them, a column read when it is first asked for."""

    def __init__(self, features: pa.Table, earlier: PreviousValues) -> None:
        self._features, self._earlier = features, earlier
        self._read: dict[str, list[float | str | None]] = {}
        self._then: dict[str, list[float | None] | None] = {}

    def now(self, name: str, row: int) -> float | str | None:
        if name not in self._read:
            found = self._features[name].to_pylist()
            self._read[name] = [None if v is None or v != v else v for v in found]
        return self._read[name][row]

    def before(self, name: str, row: int) -> float | None:
        if name not in self._then:
            found = self._earlier.get(name)
            told = None if found is None else [None if v != v else v for v in found.tolist()]
            self._then[name] = told
        then = self._then[name]
        return None if then is None else then[row]


def _undeclared(name: str, told: Mapping[str, str]) -> FeatureColumn:
    """A column that was declared in a notebook only: its manifest says what it means."""
    meaning, unit = told.get("meaning", name), told.get("unit", "")
    phrases = Phrases(meaning, "", unit)
    return FeatureColumn(name, meaning, unit, Constant(0.0), factor=name, phrases=phrases)
