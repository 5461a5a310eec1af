"""A scorer without models: customers `C-<n>` exist for n below 2,000, scores follow from n."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.config.company import ServingSettings
from features.ingest.feedback import Feedback, IdempotencyConflict, StoredFeedback
from models.bundles.model_manifest import HoldoutSummary, ModelManifest
from models.explain.manual_what_if import LeverRefused
from models.scoring.score_history import PastScore
from serve.schemas.record_schemas import Records
from serve.schemas.score_schemas import CustomerScore, Language, ScoreReason
from serve.schemas.what_if_schemas import LeverChange, LeverRange, WhatIfAnswer, WhatIfTarget
from serve.scoring.call_table import CallTable
from serve.scoring.evaluation_cache import EvaluationCache, ServedEvaluation
from serve.scoring.scorer import ScoreBatch
from serve.scoring.status_table import StatusTable
from support.call_lists import call_table, earlier_of, moved_by
from support.evaluation_builders import evaluated

AS_OF = datetime(2025, 6, 30, tzinfo=UTC)
TARGETS = ("churn", "value")


def model_manifest(target: str, **changed: Any) -> ModelManifest:
    """The manifest of version 7 of a target's model."""
    usual: dict[str, Any] = {
        "trained_at": AS_OF.isoformat(), "cutoffs": [AS_OF.isoformat()], "horizon_days": 90,
        "metrics": {"auc": 0.8}, "grade": "A", "features": [{"name": str(i)} for i in range(12)],
        "label_counts": {"1": 5},
    }  # fmt: skip
    return ModelManifest(target=target, version="7", **usual | changed)


IDS = frozenset(f"C-{n}" for n in range(2000))
#: A customer whose scoring takes 1.5 seconds.
SLOW = "C-1999"


class FakeScorer:
    """Implements `serve.scoring.scorer.Scorer`; nps is a known target without a model."""

    company = "testing"

    def __init__(self, path: str = "", limits: ServingSettings | None = None) -> None:
        self.path = path
        self.limits = limits or ServingSettings()
        self.stored: dict[str, Feedback] = {}
        self.refreshed = 0
        self.is_ready = self.has_scores = True
        self.evaluation = evaluated()
        self.fail: Exception | None = None

    def ready(self) -> bool:
        return self.is_ready

    def missing(self) -> dict[str, str]:
        return {"nps": "no champion yet"}

    def as_of(self) -> datetime:
        return AS_OF

    def models(self) -> list[ModelManifest]:
        return [model_manifest(t, metrics={"auc": 0.8, "lift": float("nan")}) for t in TARGETS]

    def score_ids(
        self,
        ids: Sequence[str],
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> ScoreBatch:
        if self.fail is not None:
            raise self.fail
        if SLOW in ids:
            time.sleep(1.5)
        found = [i for i in ids if i[:2] == "C-" and i[2:].isdecimal() and int(i[2:]) < 2000]
        wanted = list(targets or TARGETS)
        scores = [CustomerScore(i, _predict(i, wanted), _reasons(wanted, reasons)) for i in found]
        unknown = sorted(set(ids) - set(found))
        return ScoreBatch(AS_OF, scores, unknown, dict.fromkeys(wanted, "7"))

    def score_records(
        self,
        records: Records,
        as_of: datetime | None,
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> ScoreBatch:
        if self.fail is not None:
            raise self.fail
        wanted = list(targets or TARGETS)
        ids = dict.fromkeys(row.customer_id for row in records.customers)
        scores = [CustomerScore(i, _predict(i, wanted), _reasons(wanted, reasons)) for i in ids]
        return ScoreBatch(as_of or AS_OF, scores, [], dict.fromkeys(wanted, "7"))

    def what_if(
        self, customer_id: str, target: str, wanted: WhatIfTarget, language: Language = "en"
    ) -> WhatIfAnswer | None:
        if customer_id[:2] != "C-" or not customer_id[2:].isdecimal():
            return None
        if isinstance(wanted, Mapping):
            if wanted.keys() != {"reply time"}:
                raise LeverRefused("1 of 1 levers cannot be moved; reply time can")
            end, goal, reached, then = wanted["reply time"], None, None, wanted["reply time"]
        else:
            end, goal, reached, then = 4.0, wanted, True, wanted
        moves = [LeverChange("reply time", "hours", float("nan"), end, {"reply_hours_90d": end})]
        return WhatIfAnswer(
            customer_id=customer_id, target=target, version="7", goal=goal, reached=reached,
            score=50.0, score_then=then, moves=moves, abstain=False, text=language,
        )  # fmt: skip

    def levers(self, customer_id: str) -> list[LeverRange]:
        return [LeverRange("reply time", "hours", 48.0, 2.0, 48.0, ["churn"])]

    def has_customer(self, customer_id: str) -> bool:
        return customer_id in IDS

    def owner_and_region(self, customer_id: str) -> dict[str, str | None]:
        return {"owner": "S-21", "region": "North China"}

    def find_customers(self, prefix: str, limit: int) -> list[str]:
        return [i for i in sorted(IDS) if i.startswith(prefix)][:limit]

    def score_history(self, customer_id: str) -> list[PastScore]:
        return [PastScore(AS_OF, {"churn": 0.2, "value": None}, {"churn": "6"})]

    def model_details(self, target: str) -> tuple[ModelManifest, HoldoutSummary] | None:
        manifest = next((m for m in self.models() if m.target == target), None)
        measure = {"value": 0.8, "low": 0.7, "high": None}
        bins = [{"case": "churn", "predicted": 0.1, "observed": 0.2, "low": 0.1, "high": 0.3,
                 "rows": 50}]  # fmt: skip
        measures = {"model": {"auc": measure}}
        return (manifest, HoldoutSummary("# Card", "auc", measures, bins)) if manifest else None

    def store_feedback(self, feedback: Feedback) -> StoredFeedback:
        before = self.stored.setdefault(feedback.key, feedback)
        if before != feedback:
            raise IdempotencyConflict("different content")
        return StoredFeedback(len(feedback.events), AS_OF, before is not feedback)

    def unknown_categories(self) -> dict[str, int]:
        return {"churn": 3}

    def evaluated(self) -> ServedEvaluation:
        return self.evaluation

    def call_table(self) -> CallTable | None:
        return _call_table(self.evaluation.statuses) if self.has_scores else None

    def refresh(self) -> dict[str, str]:
        self.refreshed += 1
        return {}


def _call_table(statuses: StatusTable | None) -> CallTable:
    """The call list: C-96 is the first; C-0 to C-9 are no customers, and C-20 rose most."""
    ids = [f"C-{n}" for n in range(200)]
    predicted = [_predict(i, TARGETS) for i in ids]
    churn = [float(p["churn"]["probability"] or 0.0) for p in predicted]
    value = [float(p["value"]["expected"] or 0.0) for p in predicted]
    columns = {
        "customer_id": ids, "churn_probability": churn, "value_expected": value,
        "churn_in_population": [n > 9 for n in range(200)], "value_segment": ["low"] * 200,
    }  # fmt: skip
    earlier = earlier_of(ids, moved_by(churn, {20: 0.2, 30: -0.1}), [*value[:190], *([600.0] * 10)])
    return call_table(AS_OF, columns, statuses, earlier)


def _predict(customer_id: str, targets: Sequence[str]) -> dict[str, dict[str, float | bool | None]]:
    number = len(customer_id) if not customer_id[2:].isdecimal() else int(customer_id[2:])
    outputs: dict[str, dict[str, float | bool | None]] = {
        "churn": {"probability": (number % 97) / 97.3, "in_population": True},
        "value": {"expected": float("nan") if number == 13 else number * 1.1},
    }
    return {target: outputs[target] for target in targets}


def _reasons(targets: Sequence[str], count: int) -> dict[str, list[ScoreReason]]:
    found = [
        ScoreReason(f"f{i}", "Meaning.", float(i), 0.1 * i, "days", "", "") for i in range(count)
    ]
    return dict.fromkeys(targets, found) if count else {}


def load(path: str) -> FakeScorer:
    """Load a scorer at once."""
    return FakeScorer(path)


def load_never(path: str) -> FakeScorer:
    """Fail to load with a message that must not reach a client."""
    raise ValueError("secret of +49 170 0000000")


class WatchingScorer(FakeScorer):
    """Watches the files of an evaluation in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.watch = EvaluationCache(self.company)
        self.refresh()

    def evaluated(self) -> ServedEvaluation:
        return self.watch.current

    def refresh(self) -> dict[str, str]:
        return self.watch.refresh(self.folder)
