"""A fake company for the console: four targets, special customers, levers with an effect."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

from models.bundles.model_manifest import HoldoutSummary, ModelManifest
from models.scoring.score_history import PastScore
from serve.schemas.score_schemas import CustomerScore, Language, Output, ScoreReason
from serve.schemas.what_if_schemas import LeverChange, LeverRange, WhatIfAnswer, WhatIfTarget
from serve.scoring.call_table import CallTable
from serve.scoring.evaluation_cache import ServedEvaluation
from serve.scoring.scorer import ScoreBatch
from support.call_lists import call_table, earlier_of, moved_by
from support.evaluation_builders import evaluated
from support.fake_scorer import AS_OF, FakeScorer, model_manifest

TARGETS = ("satisfaction", "nps", "churn", "value")
HOSTILE = '<script>document.title="taken"</script>'
SLASHED = "north/east 7"
OUTLIER = "C-outlier"
SLOW = "C-slow"
IDS = (*(f"C-{n:03}" for n in range(60)), HOSTILE, SLASHED, OUTLIER, SLOW)
SLOW_SECONDS = 1.5
CARD = """# Card <img src=x onerror=alert(1)>

## Data

- one

| a | b |
|---|--:|
| 1 | 2 |
"""
SENTENCES = {"en": "<b>late</b> payments", "zh": "付款<b>逾期</b>"}


class ConsoleCompany(FakeScorer):
    """Scores follow from the position in IDS; one customer is out of distribution, one slow."""

    def evaluated(self) -> ServedEvaluation:
        return evaluated("C-{:03}")

    def call_table(self) -> CallTable | None:
        """C-050 and C-040 moved, C-045 was in another segment; the slow one would delay each list."""
        ids = [i for i in IDS if i not in (OUTLIER, SLOW)]
        outputs = [_outputs(i) for i in ids]
        churn = [float(str(o["churn"]["probability"])) for o in outputs]
        columns = {
            "customer_id": ids, "churn_probability": churn, "churn_in_population": [True] * len(ids),
            "value_expected": [o["value"]["expected"] for o in outputs],
            "satisfaction_dissatisfied": [o["satisfaction"]["dissatisfied"] for o in outputs],
            "value_segment": [o["value"]["segment"] for o in outputs],
        }  # fmt: skip
        value = [2500.0 if i == "C-045" else 1234.0 for i in ids]
        before = earlier_of(ids, moved_by(churn, {50: 0.2, 40: -0.1}), value, version="6")
        return call_table(AS_OF, columns, self.evaluated().statuses, before)

    def missing(self) -> dict[str, str]:
        return {"reorder": "no champion <i>yet</i>"}

    def models(self) -> list[ModelManifest]:
        return [model_manifest(target, currency="EUR") for target in TARGETS]

    def model_details(self, target: str) -> tuple[ModelManifest, HoldoutSummary] | None:
        manifest = next((m for m in self.models() if m.target == target), None)
        measure = {"value": 0.8, "low": 0.7, "high": 0.9}
        shares = (0.05, 0.2, 0.6)
        bins = [{"case": target, "predicted": p, "observed": p, "low": p / 2, "high": p + 0.1,
                 "rows": 50} for p in shares]  # fmt: skip
        measures = {"model": {"auc": measure}, "rule": {"auc": measure}}
        return (manifest, HoldoutSummary(CARD, "auc", measures, bins, 0.9)) if manifest else None

    def has_customer(self, customer_id: str) -> bool:
        return customer_id in IDS

    def find_customers(self, prefix: str, limit: int) -> list[str]:
        return [i for i in sorted(IDS) if i.startswith(prefix)][:limit]

    def score_ids(
        self,
        ids: Sequence[str],
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> ScoreBatch:
        if SLOW in ids:
            time.sleep(SLOW_SECONDS)
        found = [i for i in ids if i in IDS]
        scores = [CustomerScore(i, _outputs(i), _reasons(language)) for i in found]
        return ScoreBatch(
            AS_OF, scores, [i for i in ids if i not in IDS], dict.fromkeys(TARGETS, "7")
        )

    def score_history(self, customer_id: str) -> list[PastScore]:
        return [
            PastScore(
                AS_OF - timedelta(days=30 * months),
                {
                    "satisfaction": 60.0 - months,
                    "nps": 5.0,
                    "churn": 0.2 + months / 50,
                    "value": None,
                },
                dict.fromkeys(TARGETS, "6" if months > 2 else "7"),
            )
            for months in range(5, -1, -1)
        ]

    def levers(self, customer_id: str) -> list[LeverRange]:
        return [
            LeverRange("reply time", "hours", 48.125, 2.5, 48.125, ["churn", "satisfaction"]),
            LeverRange("contact frequency", "visits", 1.0, 1.0, 4.0, ["churn"]),
        ]

    def what_if(
        self, customer_id: str, target: str, wanted: WhatIfTarget, language: Language = "en"
    ) -> WhatIfAnswer | None:
        """Each hour less and each visit more lowers churn by one point."""
        assert isinstance(wanted, Mapping)
        now = {lever.lever: lever.now for lever in self.levers(customer_id)}
        moves = [LeverChange(name, "", now[name], end, {}) for name, end in wanted.items()]
        then = 60.0 - sum(abs(move.end - move.start) for move in moves)
        text = {"en": f"Set: {sorted(wanted)}", "zh": f"设为：{sorted(wanted)}"}[language]
        return WhatIfAnswer(
            customer_id=customer_id, target=target, version="7", goal=None, reached=None,
            score=60.0, score_then=then, moves=moves, abstain=False, text=text,
        )  # fmt: skip


def _outputs(customer_id: str) -> dict[str, dict[str, Output]]:
    is_outlier = customer_id == OUTLIER
    share = IDS.index(customer_id) / 100
    outputs: dict[str, dict[str, Output]] = {
        "satisfaction": {"score": 71.4, "low": 50.0, "high": 100.0, "dissatisfied": 0.12},
        "nps": {"class": "promoter", "detractor": 0.2, "passive": 0.3, "promoter": 0.5},
        "churn": {
            "probability": share,
            "in_population": not is_outlier,
            "months_left": 9.5,
            "survival": [0.96**month for month in range(13)],
        },
        "value": {"expected": 1234.0, "low": 0.0, "high": 4000.0, "segment": "middle"},
    }
    return {target: {**output, "abstain": is_outlier} for target, output in outputs.items()}


def _reasons(language: Language) -> dict[str, list[ScoreReason]]:
    text = SENTENCES[language]
    reasons = [
        ScoreReason("f", "Meaning.", 1.0, effect, "days", "f", text) for effect in (5.0, -2.5)
    ]
    return dict.fromkeys(TARGETS, reasons)
