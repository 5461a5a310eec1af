"""The models, snapshot and predictions that calls use, replaced as a whole when a file changes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.definitions.company_schema import CompanySchema
from features.engine.compute_features import FeaturePlan
from features.feature_table import plan_for
from models.bundles.bundle import Bundle
from models.bundles.unknown_categories import NOTABLE
from models.targets.registry import TARGETS
from serve.file_watcher import FileStamp
from serve.scoring.explanations import Explanations
from serve.scoring.prediction_cache import PredictionCache, prediction_caches
from serve.scoring.snapshot import Snapshot

SNAPSHOT = "snapshot"
#: The order of the file stamps: the pointer of each target, then the snapshot.
PARTS = (*TARGETS, SNAPSHOT)
Stamps = tuple[FileStamp | None, ...]


@dataclass(frozen=True)
class LoadedState:
    """What one call sees; `missing` gives the reason for each target without a usable model."""

    bundles: dict[str, Bundle]
    missing: dict[str, str]
    snapshot: Snapshot | None
    stamps: Stamps
    predictions: dict[str, PredictionCache]

    @cached_property
    def plan(self) -> FeaturePlan:
        """The features that the models read, by the schema of the newest model."""
        names = {n for b in self.bundles.values() for n in b.columns}
        tone = next((b.tone for b in self.bundles.values() if b.tone), None)  # all have the same
        return plan_for(self.schema, tuple(sorted(names)), tone)

    @property
    def parts(self) -> set[str]:
        return {*self.bundles, *((SNAPSHOT,) if self.snapshot else ())}

    @cached_property
    def unknown_categories(self) -> dict[str, int]:
        """Customers of the snapshot, by target, with a category that its model does not know."""
        if self.snapshot is None:
            return {}
        return count_unknown_categories(self.bundles, self.snapshot.features)

    def predict_next_block(self) -> None:
        """Predict some more customers of the snapshot, before a call asks for them."""
        for predictions in self.predictions.values():
            predictions.predict_next_block()

    @cached_property
    def explanations(self) -> Explanations:
        return Explanations(self.bundles, self.snapshot)

    @cached_property
    def schema(self) -> CompanySchema:
        return max(self.bundles.values(), key=lambda b: str(b.manifest.trained_at)).schema


def build_state(
    bundles: dict[str, Bundle],
    missing: dict[str, str],
    snapshots: list[Snapshot | None],
    stamps: Stamps,
    former: Mapping[str, PredictionCache],
) -> LoadedState:
    """Combine models with the snapshot that most of them can read, the first one on a tie.

    After new features, the old snapshot stays until models that read the new one are trained.
    """
    incompatible: dict[str, str] = {}
    snapshot: Snapshot | None = None
    if available := [s for s in snapshots if s]:
        snapshot = max(available, key=lambda s: len(s.usable_bundles(bundles)[0]))
        bundles, incompatible = snapshot.usable_bundles(bundles)
    predictions = prediction_caches(bundles, snapshot.features, former) if snapshot else {}
    loaded = LoadedState(bundles, {**missing, **incompatible}, snapshot, stamps, predictions)
    if bundles:  # computed here rather than by the first request
        _ = loaded.plan, loaded.explanations.explainers, loaded.unknown_categories
    return loaded


def reload_results(
    before: Sequence[object],
    after: Sequence[object],
    loaded_before: Collection[str],
    readable: Collection[str],
) -> dict[str, str]:
    """Compare two sets of stamps: `loaded`, `kept` (the old one) or `failed` for each changed part.

    `loaded_before` are the parts that were loaded, `readable` those that can be read now. A part
    that disappeared without having been loaded is left out.
    """
    return {
        part: "loaded" if part in readable else "kept" if part in loaded_before else "failed"
        for part, old, new in zip(PARTS, before, after, strict=True)
        if new != old and (new is not None or part in loaded_before)
    }


def count_unknown_categories(bundles: Mapping[str, Bundle], features: pa.Table) -> dict[str, int]:
    """Count, by target, the rows with a category that its model treats as missing.

    Columns with many unknown categories in the holdout evaluation already, such as names of persons,
    are left out: unknown categories in them say nothing about a change.
    """
    return {target: _unknown_rows(bundle, features) for target, bundle in bundles.items()}


def _unknown_rows(bundle: Bundle, features: pa.Table) -> int:
    holdout_shares = bundle.manifest.unknown_categories
    unknown = np.zeros(features.num_rows, bool)
    for name, words in bundle.estimator.encoder.categories.items():
        if holdout_shares.get(name, 0.0) <= NOTABLE:
            values = features[name].cast(pa.string()).combine_chunks()
            known = pc.is_in(values, value_set=pa.array(words, pa.string()))
            unseen = pc.and_(pc.is_valid(values), pc.invert(known))
            unknown |= unseen.to_numpy(zero_copy_only=False)
    return int(unknown.sum())
