"""The interface between the HTTP application and the code that scores; free of frameworks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from features.config.company import ServingSettings
from features.ingest.feedback import Feedback, StoredFeedback
from models.bundles.model_manifest import HoldoutSummary, ModelManifest
from models.scoring.score_history import PastScore
from serve.schemas.record_schemas import Records
from serve.schemas.score_schemas import CustomerScore, Language
from serve.schemas.what_if_schemas import LeverRange, WhatIfAnswer, WhatIfTarget
from serve.scoring.call_table import CallTable
from serve.scoring.evaluation_cache import ServedEvaluation


@dataclass(frozen=True, slots=True)
class ScoreBatch:
    """Scores made with one set of model versions; `as_of` is the cutoff of the features.

    `unknown` are ids that the snapshot does not hold. `unknown_categories` counts, for records sent
    along, the customers by target with a category that its model does not know. `fingerprint` is the
    one of the history behind the snapshot, empty for records. `evaluated` is the evaluation that was
    published with the scores, where they are of the snapshot.
    """

    as_of: datetime
    scores: list[CustomerScore]
    unknown: list[str]
    versions: dict[str, str]
    unknown_categories: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    fingerprint: str = ""
    evaluated: ServedEvaluation | None = None


class Scorer(Protocol):
    """One company's models and snapshot. Called from several threads at once.

    `refresh` replaces models and snapshot with one assignment, so that each call sees one set of
    versions. `limits` is the permitted age of the features.
    """

    company: str
    limits: ServingSettings

    def ready(self) -> bool:
        """Return whether the snapshot and at least one model are loaded."""
        ...

    def missing(self) -> dict[str, str]:
        """Return the targets that cannot be scored now, with the reason."""
        ...

    def as_of(self) -> datetime:
        """Return the cutoff of the snapshot."""
        ...

    def models(self) -> list[ModelManifest]:
        """Return the descriptions of the loaded models."""
        ...

    def score_ids(
        self,
        ids: Sequence[str],
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> ScoreBatch:
        """Score customers of the snapshot."""
        ...

    def score_records(
        self,
        records: Records,
        as_of: datetime | None,
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> ScoreBatch:
        """Score rows sent along, with what is known before `as_of` (default: now)."""
        ...

    def what_if(
        self, customer_id: str, target: str, wanted: WhatIfTarget, language: Language = "en"
    ) -> WhatIfAnswer | None:
        """Find the change of levers that reaches a goal, or predict with given levers.

        None for an unknown customer. Raises LeverRefused for a lever the customer does not have or an
        amount out of its range.
        """
        ...

    def has_customer(self, customer_id: str) -> bool:
        """Return whether the snapshot holds this customer."""
        ...

    def owner_and_region(self, customer_id: str) -> Mapping[str, str | None]:
        """Return `owner` and `region`, those that the company records; empty for an unknown customer."""
        ...

    def find_customers(self, prefix: str, limit: int) -> list[str]:
        """Return the first customers of the snapshot whose id starts with `prefix`, sorted."""
        ...

    def score_history(self, customer_id: str) -> Sequence[PastScore]:
        """Return a customer's scores of earlier runs, oldest first."""
        ...

    def model_details(self, target: str) -> tuple[ModelManifest, HoldoutSummary] | None:
        """Return the description and the holdout results of a loaded model; None without a model."""
        ...

    def store_feedback(self, feedback: Feedback) -> StoredFeedback:
        """Store what the CRM reports, once for each key, for the next import.

        Raises KeyTaken when the key was used with other content, OSError when it cannot be stored.
        """
        ...

    def levers(self, customer_id: str) -> list[LeverRange]:
        """Return the levers of a customer; empty for an unknown one."""
        ...

    def unknown_categories(self) -> Mapping[str, int]:
        """Count, by target, the customers of the snapshot with a category its model does not know."""
        ...

    def evaluated(self) -> ServedEvaluation:
        """Return the last evaluation, or the reason why there is none."""
        ...

    def call_table(self) -> CallTable | None:
        """Return the current customers in the order of the call list; None before the first scoring."""
        ...

    def refresh(self) -> Mapping[str, str]:
        """Load new models, snapshots and evaluations; keep the last good ones.

        Returns the result for each part that changed: `loaded`, `kept` (the old one) or `failed`.
        """
        ...
