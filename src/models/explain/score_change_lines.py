"""Explain the change of one customer's score in sentences, part by part."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from features.formatting import Language
from models.explain import sentences_en, sentences_zh
from models.explain.reasons import Explainer
from models.explain.score_change import AVERAGE, SPEND, ScoreChange

#: Causes that are not columns, in English and Chinese.
OTHER_CAUSES: Mapping[str, tuple[str, str]] = {
    SPEND: ("the usual spending changed", "平时的消费水平变了"),
    AVERAGE: ("all scores have another starting point", "所有评分的起点变了"),
    "calibration": ("scores were calibrated again", "评分重新校准"),
}
RETRAINED = ("the retrained model weighs this differently: {}", "模型有了新的判断：{}")
BEFORE = ("{} (before: {})", "{}（之前：{}）")


@dataclass(frozen=True)
class ScoreChangeLine:
    """One part of a change: "data" and "model" by feature group, "calibration" as a whole."""

    part: str
    factor: str
    effect: float
    text: str


@dataclass(frozen=True)
class ScoreChangeExplainer:
    """Explains changes of one target; `before` and `after` are the rows that were compared.

    `explainer` is that of the new model. A column of the old model only is shown by its name.
    """

    change: ScoreChange
    explainer: Explainer
    before: pa.Table
    after: pa.Table

    def lines(self, row: int, language: Language = "en") -> list[ScoreChangeLine]:
        """The parts of one customer's change, the largest first.

        All effects add up to the score after minus the score before.
        """
        lines = [*self._parts(row, language)]
        return sorted((line for line in lines if line.effect), key=lambda line: -abs(line.effect))

    def _parts(self, row: int, language: Language) -> Iterator[ScoreChangeLine]:
        for part, values in (("data", self.change.data[row]), ("model", self.change.model[row])):
            grouped: dict[str, dict[str, float]] = {}
            for name, value in zip(self.change.columns, values.tolist(), strict=True):
                known = self.explainer.columns.get(name)
                grouped.setdefault(known.factor if known else name, {})[name] = value
            for factor, columns in grouped.items():
                effect = sum(columns.values())
                leading = max(columns, key=lambda n: columns[n] * (-1 if effect < 0 else 1))
                cause = self._cause(part, leading, row, language)
                yield ScoreChangeLine(part, factor, effect, self._text(cause, effect, language))
        effect = float(self.change.calibration[row])
        cause = OTHER_CAUSES["calibration"][language == "zh"]
        yield ScoreChangeLine(
            "calibration", "calibration", effect, self._text(cause, effect, language)
        )

    def _cause(self, part: str, name: str, row: int, language: Language) -> str:
        chosen = int(language == "zh")
        if name in OTHER_CAUSES:
            return OTHER_CAUSES[name][chosen]
        now, then = self._value(self.after, name, row), self._value(self.before, name, row)
        if name not in self.explainer.columns:
            text, earlier = f"{name}: {now}", str(then)
        else:
            sentences = sentences_zh if chosen else sentences_en
            column = self.explainer.columns[name]
            text, earlier = (
                sentences.cause(column, v, None, self.explainer.currency) for v in (now, then)
            )
        if part == "model":
            return RETRAINED[chosen].format(text)
        return text if text == earlier else BEFORE[chosen].format(text, earlier)

    def _text(self, cause: str, effect: float, language: Language) -> str:
        target, currency = self.explainer.bundle.target, self.explainer.currency
        if language == "zh":
            return f"{cause}：{sentences_zh.effect(target, effect, currency)}"
        return f"{cause}: {sentences_en.effect(target, effect, currency)}"

    @staticmethod
    def _value(table: pa.Table, name: str, row: int) -> float | str | None:
        value: float | str | None = table[name][row].as_py()
        return None if value is None or value != value else value
