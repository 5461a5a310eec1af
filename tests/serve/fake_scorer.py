"""A scorer without a model: customers `C-<n>` exist for n below 2,000, scores follow from n."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from serve.answers import (
    Batch,
    CustomerScore,
    Language,
    ModelInfo,
    Move,
    Reason,
    WhatIfAnswer,
)
from serve.records import Records

AS_OF = datetime(2025, 6, 30, tzinfo=UTC)
TARGETS = ("churn", "value")
#: A customer that takes a second and a half.
SLOW = "C-1999"


class FakeScorer:
    """Satisfies serve.answers.Scorer; nps is known but has no model."""

    company = "testing"

    def __init__(self, path: str = "") -> None:
        self.path = path
        self.refreshed = 0
        self.is_ready = True
        self.fail: Exception | None = None

    def ready(self) -> bool:
        return self.is_ready

    def missing(self) -> dict[str, str]:
        return {"nps": "no champion yet"}

    def as_of(self) -> datetime:
        return AS_OF

    def models(self) -> list[ModelInfo]:
        return [
            ModelInfo(
                t, "7", AS_OF, [AS_OF], 90, {"auc": 0.8, "lift": float("nan")}, "A", 12, {"1": 5}
            )
            for t in TARGETS
        ]

    def by_ids(
        self,
        ids: Sequence[str],
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> Batch:
        if self.fail is not None:
            raise self.fail
        if SLOW in ids:
            time.sleep(1.5)
        found = [i for i in ids if i[:2] == "C-" and i[2:].isdecimal() and int(i[2:]) < 2000]
        wanted = list(targets or TARGETS)
        scores = [CustomerScore(i, _predict(i, wanted), _reasons(wanted, reasons)) for i in found]
        unknown = sorted(set(ids) - set(found))
        return Batch(AS_OF, scores, unknown, dict.fromkeys(wanted, "7"))

    def by_records(
        self,
        records: Records,
        as_of: datetime | None,
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> Batch:
        if self.fail is not None:
            raise self.fail
        wanted = list(targets or TARGETS)
        ids = dict.fromkeys(row.customer_id for row in records.customers)
        scores = [CustomerScore(i, _predict(i, wanted), _reasons(wanted, reasons)) for i in ids]
        return Batch(as_of or AS_OF, scores, [], dict.fromkeys(wanted, "7"))

    def what_if(
        self, customer_id: str, target: str, goal: float, language: Language = "en"
    ) -> WhatIfAnswer | None:
        if customer_id[:2] != "C-" or not customer_id[2:].isdecimal():
            return None
        moves = [Move("reply time", "hours", float("nan"), 4.0, {"reply_hours_90d": 4.0})]
        return WhatIfAnswer(customer_id, target, "7", goal, True, 50.0, goal, moves, language)

    def refresh(self) -> None:
        self.refreshed += 1


def _predict(customer_id: str, targets: Sequence[str]) -> dict[str, dict[str, float | bool | None]]:
    number = len(customer_id) if not customer_id[2:].isdecimal() else int(customer_id[2:])
    outputs: dict[str, dict[str, float | bool | None]] = {
        "churn": {"probability": (number % 97) / 97.3, "in_population": True},
        "value": {"expected": float("nan") if number == 13 else number * 1.1},
    }
    return {target: outputs[target] for target in targets}


def _reasons(targets: Sequence[str], count: int) -> dict[str, list[Reason]]:
    made = [Reason(f"f{i}", "Meaning.", float(i), 0.1 * i, "days") for i in range(count)]
    return dict.fromkeys(targets, made) if count else {}


def load(path: str) -> FakeScorer:
    """A scorer that is there at once."""
    return FakeScorer(path)


def load_never(path: str) -> FakeScorer:
    """A loader that fails with a message which must not reach a client."""
    raise ValueError("secret of +49 170 0000000")
