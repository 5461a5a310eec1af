"""What one call of the scorer sees: models, snapshot and scores of one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from features.definitions.company_schema import CompanySchema
from features.engine.compute_features import Plan
from features.feature_table import plan_for
from models.bundles.bundle import Bundle
from serve.scoring.explanations import Explanations
from serve.scoring.prediction_cache import PredictionCache, prediction_caches
from serve.scoring.reload_results import SNAPSHOT
from serve.scoring.snapshot import Snapshot
from serve.scoring.unknown_customers import count_unknown_categories


@dataclass(frozen=True)
class LoadedState:
    """What a call sees: models and snapshot of one moment, swapped by one reference."""

    bundles: dict[str, Bundle]
    missing: dict[str, str]
    snapshot: Snapshot | None
    stamp: tuple[Any, ...]
    scores: dict[str, PredictionCache]

    @cached_property
    def plan(self) -> Plan:
        """The features the models read, by the schema of the newest model."""
        names = {n for b in self.bundles.values() for n in b.columns}
        tone = next((b.tone for b in self.bundles.values() if b.tone), None)  # all have the same
        return plan_for(self.schema, tuple(sorted(names)), tone)

    @property
    def parts(self) -> set[str]:
        return {*self.bundles, *((SNAPSHOT,) if self.snapshot else ())}

    @cached_property
    def unseen(self) -> dict[str, int]:
        """Customers of the snapshot with a category that a target's model does not know."""
        return count_unknown_categories(self.bundles, self.snapshot.features) if self.snapshot else {}

    def make_some_scores(self) -> None:
        """Go on with the scores of the snapshot, so that calls find them made."""
        for scores in self.scores.values():
            scores.make_some()

    @cached_property
    def why(self) -> Explanations:
        return Explanations(self.bundles, self.snapshot)

    @cached_property
    def schema(self) -> CompanySchema:
        return max(self.bundles.values(), key=lambda b: str(b.manifest["trained_at"])).schema


def build_state(
    bundles: dict[str, Bundle],
    missing: dict[str, str],
    snapshots: list[Snapshot | None],
    stamp: tuple[Any, ...],
    former: Mapping[str, PredictionCache],
) -> LoadedState:
    """Models with the snapshot most of them can read, the first of equally good ones.

    So between new features and the training that follows, what is served goes on together.
    """
    apart: dict[str, str] = {}
    snapshot: Snapshot | None = None
    if there := [s for s in snapshots if s]:
        snapshot = max(there, key=lambda s: len(s.readers(bundles)[0]))
        bundles, apart = snapshot.readers(bundles)
    scores = prediction_caches(bundles, snapshot.features, former) if snapshot else {}
    loaded = LoadedState(bundles, {**missing, **apart}, snapshot, stamp, scores)
    if bundles:
        _ = loaded.plan, loaded.why.reasoners, loaded.unseen  # made before the first request
    return loaded
