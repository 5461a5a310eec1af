"""From the columns that models answer to the customers that a call asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import pyarrow as pa

from models.bundles.bundle import Bundle
from models.bundles.predict import OUTPUTS
from models.explain.previous_window import Earlier
from models.targets.outputs import Outputs
from serve.scoring.explanations import Why
from serve.scoring.scorer import Batch, CustomerScore, Language, Output, Reason, said

Told = TypeVar("Told")


@dataclass(frozen=True)
class Asked:
    """The customers of a call: their ids, their outputs by target, their features where needed."""

    ids: list[str]
    as_of: datetime
    outputs: Callable[[str], Outputs]
    features: Callable[[], pa.Table]
    unknown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Question:
    """What a call wants to know; `earlier` are the windows before, None where the rows must tell."""

    targets: Sequence[str] | None
    reasons: int
    language: Language
    earlier: Earlier | None = None


def batch_of(bundles: Mapping[str, Bundle], why: Why, asked: Asked, question: Question) -> Batch:
    """The answers to a call, customer by customer."""
    chosen = [t for t in bundles if question.targets is None or t in question.targets]
    predictions = _by_customer({t: _rows(t, asked.outputs(t)) for t in chosen}, asked)
    told = {}
    if question.reasons and asked.ids:
        rows, top, language = asked.features(), question.reasons, question.language
        told = {t: why.reasons(t, rows, top, language, question.earlier) for t in chosen}
    reasons: list[dict[str, list[Reason]]] = _by_customer(told, asked)
    scores = [*map(CustomerScore, asked.ids, predictions, reasons)]
    return Batch(asked.as_of, scores, asked.unknown, {t: bundles[t].version for t in chosen})


def _rows(target: str, outputs: Outputs) -> list[dict[str, Output]]:
    names = OUTPUTS[target]
    columns = [said(outputs[name]) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _by_customer(found: Mapping[str, Sequence[Told]], asked: Asked) -> list[dict[str, Told]]:
    """What was found of each customer, by target."""
    if not found:
        return [{} for _ in asked.ids]
    return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
