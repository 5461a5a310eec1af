"""Why one customer's score changed, line by line: what happened to him, what the model learned."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from models.explain import effect_text, sentences_en, sentences_zh
from models.explain.reasons import Explainer, Language
from models.explain.score_change import AVERAGE, SPEND, ScoreChange

#: What stands beside the columns, and what is new but for the data, in English and Chinese.
BESIDE: Mapping[str, tuple[str, str]] = {
    SPEND: ("the usual spending is another", "平时的消费水平变了"),
    AVERAGE: ("all scores start elsewhere", "所有评分的起点变了"),
    "calibration": ("scores are calibrated anew", "评分重新校准"),
}
ANEW = ("the model judges anew: {}", "模型有了新的判断：{}")
BEFORE = ("{} (before: {})", "{}（之前：{}）")


@dataclass(frozen=True)
class ScoreChangeLine:
    """One part of a change: "data" and "model" by factor, "calibration" as a whole."""

    part: str
    factor: str
    effect: float
    text: str


@dataclass(frozen=True)
class ScoreChangeExplainer:
    """Tells changes of one target; `before` and `after` are the rows that `changes` compared.

    `reasoner` knows the new model. A column only the old one read goes by its name.
    """

    change: ScoreChange
    reasoner: Explainer
    before: pa.Table
    after: pa.Table

    def lines(self, row: int, language: Language = "en") -> list[ScoreChangeLine]:
        """Every part of one customer's change, the largest first.

        All effects together are the score after less the score before.
        """
        made = [*self._parts(row, language)]
        return sorted((line for line in made if line.effect), key=lambda line: -abs(line.effect))

    def _parts(self, row: int, language: Language) -> Iterator[ScoreChangeLine]:
        for part, values in (("data", self.change.data[row]), ("model", self.change.model[row])):
            grouped: dict[str, dict[str, float]] = {}
            for name, value in zip(self.change.columns, values.tolist(), strict=True):
                known = self.reasoner.columns.get(name)
                grouped.setdefault(known.factor if known else name, {})[name] = value
            for factor, columns in grouped.items():
                moved = sum(columns.values())
                speaker = max(columns, key=lambda n: columns[n] * (-1 if moved < 0 else 1))
                what = self._cause(part, speaker, row, language)
                yield ScoreChangeLine(part, factor, moved, self._with(what, moved, language))
        moved, what = float(self.change.calibration[row]), BESIDE["calibration"][language == "zh"]
        yield ScoreChangeLine("calibration", "calibration", moved, self._with(what, moved, language))

    def _cause(self, part: str, name: str, row: int, language: Language) -> str:
        chosen = int(language == "zh")
        if name in BESIDE:
            return BESIDE[name][chosen]
        now, then = self._value(self.after, name, row), self._value(self.before, name, row)
        if name not in self.reasoner.columns:
            told, formerly = f"{name}: {now}", str(then)
        else:
            say = sentences_zh.cause if chosen else sentences_en.cause
            column = self.reasoner.columns[name]
            told, formerly = (say(column, v, None, self.reasoner.currency) for v in (now, then))
        if part == "model":
            return ANEW[chosen].format(told)
        return told if told == formerly else BEFORE[chosen].format(told, formerly)

    def _with(self, what: str, moved: float, language: Language) -> str:
        target, currency = self.reasoner.bundle.target, self.reasoner.currency
        if language == "zh":
            return f"{what}：{effect_text.chinese(target, moved, currency)}"
        return f"{what}: {effect_text.english(target, moved, currency)}"

    @staticmethod
    def _value(table: pa.Table, name: str, row: int) -> float | str | None:
        value: float | str | None = table[name][row].as_py()
        return None if value is None or value != value else value
