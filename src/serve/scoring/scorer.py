"""What the HTTP application asks of a scorer, and what it gets back; no framework in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from features.ingest.feedback import Feedback, Kept
from models.scoring.score_history import PastScore
from serve.schemas.record_schemas import Records
from serve.scoring.evaluation_cache import Evaluated

#: One output of a model: a probability or score, a class name, a flag, a curve, or nothing to say.
Output = float | str | bool | list[float] | None
Language = Literal["en", "zh"]
#: What is asked of a what-if: a score to reach, or levers by name with where to set them.
WhatIfTarget = float | Mapping[str, float]


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
class LeverRange:
    """How far a lever goes for one customer, who stands at `now`, an end of it.

    `targets` are those whose model takes notice.
    """

    lever: str
    unit: str
    now: float
    least: float
    most: float
    targets: list[str]


@dataclass(frozen=True, slots=True)
class WhatIfAnswer:
    """The smallest change that reaches the goal, or the best there is; what the model says.

    Levers set by hand have no goal and reach nothing: both are None. `abstain`: the model knows
    nobody like this customer.
    """

    customer_id: str
    target: str
    version: str
    goal: float | None
    reached: bool | None
    score: float
    score_then: float
    moves: list[Move]
    abstain: bool
    text: str


@dataclass(frozen=True, slots=True)
class CustomerScore:
    """One customer's predictions and reasons, each by target."""

    customer_id: str
    predictions: dict[str, dict[str, Output]]
    reasons: dict[str, list[Reason]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScoreBatch:
    """Scores made with one set of model versions; `as_of` is the cutoff of the features.

    `unseen` counts, for records sent along, customers with categories a target's model knows not;
    `fingerprint` is of the history behind the snapshot's features.
    """

    as_of: datetime
    scores: list[CustomerScore]
    unknown: list[str]
    versions: dict[str, str]
    unseen: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    fingerprint: str = ""


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
    currency: str = ""


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """A model with what people read of it: measures, calibration by bins, coverage, its card."""

    info: ModelInfo
    primary: str
    measures: dict[str, dict[str, dict[str, float | None]]]
    calibration: list[dict[str, Any]]
    coverage: float | None
    card: str


@dataclass(frozen=True, slots=True)
class AgeLimits:
    """How old features may be, in hours, until answers warn and until there are none; None: any age."""

    warn_after_hours: float | None = None
    refuse_after_hours: float | None = None


class Scorer(Protocol):
    """One company's models and snapshot. Called from several threads at once.

    `refresh` swaps models by one reference, so that a call sees one set of versions only.
    """

    company: str
    limits: AgeLimits

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
    ) -> ScoreBatch:
        """Scores from the snapshot; ids it does not hold come back in `unknown`."""
        ...

    def by_records(
        self,
        records: Records,
        as_of: datetime | None,
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> ScoreBatch:
        """Scores from rows sent along, cut at `as_of` (default: now)."""
        ...

    def what_if(
        self, customer_id: str, target: str, wish: WhatIfTarget, language: Language = "en"
    ) -> WhatIfAnswer | None:
        """What brings a customer to a goal, or levers set by hand him; None for an unknown one."""
        ...

    def knows(self, customer_id: str) -> bool:
        """The snapshot holds this customer."""
        ...

    def find(self, prefix: str, limit: int) -> list[str]:
        """The first customers of the snapshot whose id begins so, in the order of the ids."""
        ...

    def history(self, customer_id: str) -> Sequence[PastScore]:
        """What was said of a customer in earlier scorings, the oldest first."""
        ...

    def about(self, target: str) -> ModelDetails | None:
        """What there is to know of the loaded model of a target; None when there is none."""
        ...

    def keep_feedback(self, feedback: Feedback) -> Kept:
        """Store what the CRM reports, once for each key, for the next import.

        Raises KeyTaken when the key came with another content, OSError when it cannot be stored.
        """
        ...

    def levers(self, customer_id: str) -> list[LeverRange]:
        """What the company can move for a customer; nothing for an unknown one."""
        ...

    def unseen(self) -> Mapping[str, int]:
        """Customers of the snapshot with a category that the target's model does not know."""
        ...

    def evaluated(self) -> Evaluated:
        """The last evaluation, or why there is none."""
        ...

    def refresh(self) -> Mapping[str, str]:
        """Notice a new champion, snapshot or evaluation and swap to it; keep the last good one.

        What became of each part that changed: `loaded`, `kept` (the old one) or `failed`.
        """
        ...


def to_json_values(values: NDArray[Any]) -> list[Output]:
    """An output as JSON can hold it: what a model cannot tell is None."""
    listed: list[Output] = np.asarray(values).tolist()
    if values.dtype.kind != "f" or not np.isnan(values).any():
        return listed
    unknown = np.isnan(values) if values.ndim == 1 else np.isnan(values).any(axis=1)
    return [None if lacks else value for value, lacks in zip(listed, unknown, strict=True)]
