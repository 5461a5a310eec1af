"""What the HTTP application asks of a scorer, and what it gets back; no framework in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from serve.records import Records

#: One output of a model: a probability or score, a class name, a flag, a curve, or nothing to say.
Output = float | str | bool | list[float] | None
Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Reason:
    """How much one factor moved one customer's score.

    `effect` is in the score people see: points of 100 (NPS: of -100 to 100) or money.
    `feature` is the column with most of it, `value` as it stood at the cutoff; None where there was
    nothing to measure. `text` is the reason as a sentence.
    """

    feature: str
    meaning: str
    value: float | str | None
    effect: float
    unit: str = ""
    factor: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """A lever pulled from where the customer stands to where he would be; with the columns moved."""

    lever: str
    unit: str
    start: float
    end: float
    columns: dict[str, float]


@dataclass(frozen=True, slots=True)
class WhatIfAnswer:
    """The smallest change that reaches the goal, or the best there is; what the model says."""

    customer_id: str
    target: str
    version: str
    goal: float
    reached: bool
    score: float
    score_then: float
    moves: list[Move]
    text: str


@dataclass(frozen=True, slots=True)
class CustomerScore:
    """One customer's predictions and reasons, each by target."""

    customer_id: str
    predictions: dict[str, dict[str, Output]]
    reasons: dict[str, list[Reason]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """Scores made with one set of model versions; `as_of` is the cutoff of the features."""

    as_of: datetime
    scores: list[CustomerScore]
    unknown: list[str]
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a model says about itself. `cutoffs` are its training cutoffs."""

    target: str
    version: str
    trained_at: datetime
    cutoffs: list[datetime]
    horizon_days: int
    metrics: dict[str, float]
    grade: str
    features: int
    label_counts: dict[str, int] = field(default_factory=dict)


class Scorer(Protocol):
    """One company's models and snapshot. Called from several threads at once.

    `refresh` swaps models by one reference, so that a call sees one set of versions only.
    """

    company: str

    def ready(self) -> bool:
        """At least one model and the snapshot are loaded."""
        ...

    def missing(self) -> dict[str, str]:
        """Targets that cannot be scored now, and why."""
        ...

    def as_of(self) -> datetime:
        """The cutoff of the snapshot."""
        ...

    def models(self) -> list[ModelInfo]:
        """The loaded models."""
        ...

    def by_ids(
        self,
        ids: Sequence[str],
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> Batch:
        """Scores from the snapshot; ids it does not hold come back in `unknown`."""
        ...

    def by_records(
        self,
        records: Records,
        as_of: datetime | None,
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> Batch:
        """Scores from rows sent along, cut at `as_of` (default: now)."""
        ...

    def what_if(
        self, customer_id: str, target: str, goal: float, language: Language = "en"
    ) -> WhatIfAnswer | None:
        """What would bring a customer of the snapshot to the goal; None for an unknown customer."""
        ...

    def refresh(self) -> None:
        """Notice a new champion or snapshot and swap to it; keep the last good one on failure."""
        ...


def said(values: NDArray[Any]) -> list[Output]:
    """An output as JSON can hold it: what a model cannot tell is None."""
    listed: list[Output] = np.asarray(values).tolist()
    if values.dtype.kind != "f" or not np.isnan(values).any():
        return listed
    unknown = np.isnan(values) if values.ndim == 1 else np.isnan(values).any(axis=1)
    return [None if lacks else value for value, lacks in zip(listed, unknown, strict=True)]
