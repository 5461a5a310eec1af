"""Scores customers of the snapshot and raw records, with the same features and models.

Depends on bundles and the snapshot file only: no MLflow, no training code, no web framework.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from features.config.company import Company, load_company
from features.errors import DataRefused, GoodwillError
from features.feature_table import feature_table
from features.history.build_history import build_history
from features.ingest.feedback import Feedback, StoredFeedback, store_feedback
from features.result_sets import pin_results
from features.settings import Workspace, find_workspace
from insight.evaluation.evaluation_files import evaluation_folder
from models.bundles.champions import POINTER, load_champions
from models.bundles.model_manifest import HoldoutSummary, ModelManifest
from models.bundles.predict import predict
from models.explain.previous_window import previous_values
from models.scoring.score_history import PastScore, history_folder, score_history
from models.targets.registry import TARGETS
from models.training_set.splits import microseconds
from serve.file_watcher import FileStamp, FileWatcher
from serve.schemas.record_schemas import Records
from serve.schemas.score_schemas import Language
from serve.schemas.what_if_schemas import LeverRange, WhatIfAnswer, WhatIfTarget
from serve.scoring.assemble_scores import CustomerBatch, ScoreOptions, assemble_scores
from serve.scoring.call_table import CallTable
from serve.scoring.call_table_cache import CallTableCache
from serve.scoring.evaluation_cache import EvaluationCache, ServedEvaluation
from serve.scoring.loaded_state import (
    SNAPSHOT,
    LoadedState,
    Stamps,
    build_state,
    count_unknown_categories,
    reload_results,
)
from serve.scoring.records_to_arrow import record_warnings, records_to_tables
from serve.scoring.scorer import ScoreBatch
from serve.scoring.snapshot import Snapshot

log = logging.getLogger("goodwill.scorer")


@dataclass(frozen=True)
class Served:
    """What calls see, replaced as a whole: the published set, its models, evaluation and call list."""

    results: Workspace
    loaded: LoadedState
    evaluated: ServedEvaluation
    calls: CallTable | None


class CompanyScorer:
    """One company's champions and snapshot. Thread-safe."""

    def __init__(self, company: Company, workspace: Workspace) -> None:
        self.company = company.name
        self.limits = company.serving
        self.workspace = workspace
        self._last_snapshot: tuple[FileStamp | None, Snapshot | None] = (None, None)
        self._snapshot_error = ""
        self._evaluations = EvaluationCache(company.name)
        results = pin_results(workspace, company.name)
        self._calls = CallTableCache()
        self._evaluations.refresh(evaluation_folder(results, company.name))
        self._served = self._serve(results, self._load(results))

    @property
    def _loaded(self) -> LoadedState:
        return self._served.loaded

    def _serve(self, results: Workspace, loaded: LoadedState) -> Served:
        evaluated, value = self._evaluations.current, loaded.bundles.get("value")
        bounds = value.manifest.segments if value else None
        scores = results.scores(self.company)
        calls = self._calls.refresh(scores, loaded.snapshot, evaluated.statuses, bounds)
        return Served(results, loaded, evaluated, calls)

    def _snapshot_path(self, results: Workspace) -> Path:
        return results.features(self.company) / "snapshot.parquet"

    def _stamps(self, results: Workspace) -> Stamps:
        """The stamps of the files behind the loaded state, in the order of PARTS."""
        serving = results.serving(self.company)
        pointers = [serving / target / POINTER for target in TARGETS]
        return FileWatcher([*pointers, self._snapshot_path(results)]).stamps()

    def _load(self, results: Workspace) -> LoadedState:
        stamps = self._stamps(results)
        bundles, missing = load_champions(results.serving(self.company))
        snapshot = self._snapshot(self._snapshot_path(results), stamps[-1])
        return build_state(bundles, missing, [snapshot], stamps, {})

    def _snapshot(self, path: Path, stamp: FileStamp | None) -> Snapshot | None:
        """Return the snapshot on disk; read again only when its file changed."""
        if stamp != self._last_snapshot[0]:
            found, self._snapshot_error = None, ""
            try:
                found = Snapshot.read(path, self.company) if stamp else None
            except DataRefused as refused:  # the previous snapshot, if any, stays in use
                self._snapshot_error = str(refused)
                log.warning("%s", refused)
            self._last_snapshot = (stamp, found)
        return self._last_snapshot[1]

    def ready(self) -> bool:
        return bool(self._loaded.bundles) and self._loaded.snapshot is not None

    def missing(self) -> dict[str, str]:
        missing = dict(self._loaded.missing)
        if self._loaded.snapshot is None:
            absent = f"no snapshot of {self.company}; build it with `goodwill features`"
            missing[SNAPSHOT] = self._snapshot_error or absent
        return missing

    def as_of(self) -> datetime:
        snapshot = self._loaded.snapshot
        return snapshot.as_of if snapshot else datetime.now(UTC)

    def models(self) -> list[ModelManifest]:
        return [b.manifest for b in self._loaded.bundles.values()]

    def score_ids(
        self,
        ids: Sequence[str],
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> ScoreBatch:
        served = self._served
        loaded = served.loaded
        if loaded.snapshot is None:
            raise GoodwillError("no snapshot is loaded")
        distinct = list(dict.fromkeys(ids))
        known = [i for i in distinct if i in loaded.snapshot.row_of]
        rows = np.array([loaded.snapshot.row_of[i] for i in known], np.int64)
        customers = CustomerBatch(
            known,
            loaded.snapshot.as_of,
            outputs=lambda target: loaded.predictions[target].look_up(rows),
            features=partial(loaded.snapshot.features.take, rows),
            unknown=[i for i in distinct if i not in loaded.snapshot.row_of],
        )
        options = ScoreOptions(targets, reasons, language)
        batch = assemble_scores(loaded.bundles, loaded.explanations, customers, options)
        return replace(batch, fingerprint=loaded.snapshot.fingerprint, evaluated=served.evaluated)

    def score_records(
        self,
        records: Records,
        as_of: datetime | None,
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> ScoreBatch:
        loaded = self._loaded
        moment = as_of or datetime.now(UTC)
        history = build_history(records_to_tables(records, loaded.schema))
        ids = pa.array(history.customer_ids, pa.string())
        cutoff = np.full(len(ids), microseconds(moment), np.int64)
        features = feature_table(history, ids, cutoff, loaded.plan)
        previous = (
            previous_values(history, features, loaded.plan.columns, loaded.plan.comment_model)
            if reasons
            else {}
        )
        customers = CustomerBatch(
            ids.to_pylist(),
            moment,
            outputs=lambda target: predict(loaded.bundles[target], features),
            features=lambda: features,
        )
        options = ScoreOptions(targets, reasons, language, previous)
        batch = assemble_scores(loaded.bundles, loaded.explanations, customers, options)
        chosen = {t: loaded.bundles[t] for t in batch.versions}
        unknown = count_unknown_categories(chosen, features)
        warnings = [*batch.warnings, *record_warnings(records, loaded.schema)]
        return replace(batch, unknown_categories=unknown, warnings=warnings)

    def what_if(
        self, customer_id: str, target: str, wanted: WhatIfTarget, language: Language = "en"
    ) -> WhatIfAnswer | None:
        return self._loaded.explanations.what_if(customer_id, target, wanted, language)

    def levers(self, customer_id: str) -> list[LeverRange]:
        return self._loaded.explanations.levers(customer_id)

    def has_customer(self, customer_id: str) -> bool:
        snapshot = self._loaded.snapshot
        return snapshot is not None and customer_id in snapshot.row_of

    def owner_and_region(self, customer_id: str) -> Mapping[str, str | None]:
        snapshot = self._loaded.snapshot
        if snapshot is None or customer_id not in snapshot.row_of:
            return {}
        return snapshot.owner_and_region(customer_id)

    def find_customers(self, prefix: str, limit: int) -> list[str]:
        snapshot = self._loaded.snapshot
        return snapshot.find_ids(prefix, limit) if snapshot else []

    def score_history(self, customer_id: str) -> Sequence[PastScore]:
        scores = self._served.results.scores(self.company)
        return score_history(history_folder(scores), customer_id)

    def model_details(self, target: str) -> tuple[ModelManifest, HoldoutSummary] | None:
        bundle = self._loaded.bundles.get(target)
        return (bundle.manifest, bundle.about or HoldoutSummary()) if bundle else None

    def store_feedback(self, feedback: Feedback) -> StoredFeedback:
        return store_feedback(self.workspace.feedback(self.company), feedback)

    def unknown_categories(self) -> Mapping[str, int]:
        return self._loaded.unknown_categories

    def evaluated(self) -> ServedEvaluation:
        return self._served.evaluated

    def call_table(self) -> CallTable | None:
        return self._served.calls

    def refresh(self) -> Mapping[str, str]:
        """Load what changed in the published results, and use all of it from one moment on."""
        results = pin_results(self.workspace, self.company)
        evaluated = self._evaluations.refresh(evaluation_folder(results, self.company))
        loaded, reloaded = self._refresh(results)
        self._served = self._serve(results, loaded)
        return {**evaluated, **reloaded}

    def _refresh(self, results: Workspace) -> tuple[LoadedState, Mapping[str, str]]:
        before = self._loaded
        if self._stamps(results) == before.stamps:
            before.predict_next_block()
            return before, {}
        after = self._load(results)
        bundles = {**before.bundles, **after.bundles}  # the last good version stays
        missing = {t: why for t, why in after.missing.items() if t not in bundles}
        for target, why in after.missing.items():
            if target in before.bundles:
                log.warning("keep %s %s: %s", target, before.bundles[target].version, why)
        snapshots = [after.snapshot, before.snapshot]
        loaded = build_state(bundles, missing, snapshots, after.stamps, before.predictions)
        in_use = after.snapshot is None or loaded.snapshot is after.snapshot
        readable = after.parts if in_use else after.parts - {SNAPSHOT}
        return loaded, reload_results(before.stamps, after.stamps, before.parts, readable)


def load_scorer(company_toml: str) -> CompanyScorer:
    """Load the scorer of a company's TOML file, in the project around the working directory."""
    workspace = find_workspace()
    return CompanyScorer(load_company(Path(company_toml)), workspace)
