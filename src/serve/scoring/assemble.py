"""From the columns that models answer to the customers that a call asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import pyarrow as pa

from models.bundles.bundle import Bundle
from models.bundles.predict import OUTPUTS
from models.explain.previous_window import PreviousValues
from models.targets.target import Outputs
from serve.scoring.explanations import Explanations
from serve.scoring.scorer import ScoreBatch, CustomerScore, Language, Output, Reason, to_json_values

Told = TypeVar("Told")


@dataclass(frozen=True)
class CustomerBatch:
    """The customers of a call: their ids, their outputs by target, their features where needed."""

    ids: list[str]
    as_of: datetime
    outputs: Callable[[str], Outputs]
    features: Callable[[], pa.Table]
    unknown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ScoreOptions:
    """What a call wants to know; `earlier` are the windows before, None where the rows must tell."""

    targets: Sequence[str] | None
    reasons: int
    language: Language
    earlier: PreviousValues | None = None


def assemble_scores(bundles: Mapping[str, Bundle], why: Explanations, asked: CustomerBatch, question: ScoreOptions) -> ScoreBatch:
    """The answers to a call, customer by customer."""
    chosen = [t for t in bundles if question.targets is None or t in question.targets]
    predictions = _by_customer({t: _rows(t, asked.outputs(t)) for t in chosen}, asked)
    told = {}
    if question.reasons and asked.ids:
        rows, top, language = asked.features(), question.reasons, question.language
        told = {t: why.reasons(t, rows, top, language, question.earlier) for t in chosen}
    reasons: list[dict[str, list[Reason]]] = _by_customer(told, asked)
    scores = [*map(CustomerScore, asked.ids, predictions, reasons)]
    return ScoreBatch(asked.as_of, scores, asked.unknown, {t: bundles[t].version for t in chosen})


def _rows(target: str, outputs: Outputs) -> list[dict[str, Output]]:
    names = OUTPUTS[target]
    columns = [to_json_values(outputs[name]) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _by_customer(found: Mapping[str, Sequence[Told]], asked: CustomerBatch) -> list[dict[str, Told]]:
    """What was found of each customer, by target."""
    if not found:
        return [{} for _ in asked.ids]
    return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
