"""Scores for ids out of the snapshot and for raw records, by the same features and models.

Depends on bundles and the snapshot file only: no MLflow, no training code, no web framework.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features.config.company import Company, load_company
from features.errors import DataRefused, GoodwillError
from features.feature_table import feature_table
from features.history.build_history import build_history
from features.ingest.feedback import Feedback, Kept, keep
from features.settings import Workspace, find_workspace
from insight.evaluation.evaluation_files import evaluation_folder
from models.bundles.champions import POINTER
from models.bundles.predict import predict
from models.explain.previous_window import previous_values
from models.bundles.champions import load_champions
from models.scoring.score_history import PastScore, history_of, score_history
from models.targets.registry import TARGETS
from models.training_set.splits import microseconds
from serve.schemas.record_schemas import Records
from serve.scoring.assemble import CustomerBatch, ScoreOptions, assemble_scores
from serve.scoring.evaluation_cache import Evaluated, EvaluationWatch
from serve.scoring.loaded_state import LoadedState, build_state
from serve.scoring.model_info import model_details, describe_model
from serve.scoring.records_to_arrow import record_warnings, records_to_tables
from serve.scoring.reload_results import SNAPSHOT, reload_results
from serve.scoring.scorer import (
    AgeLimits,
    ScoreBatch,
    Language,
    LeverRange,
    ModelDetails,
    ModelInfo,
    WhatIfAnswer,
    WhatIfTarget,
)
from serve.scoring.snapshot import Snapshot
from serve.scoring.unknown_customers import count_unknown_categories

log = logging.getLogger("goodwill.scorer")


class CompanyScorer:
    """One company's champions and snapshot. Safe to call from several threads."""

    def __init__(self, company: Company, workspace: Workspace) -> None:
        self.company = company.name
        self.limits = AgeLimits(**company.serving.model_dump())
        self.workspace = workspace
        self._read: tuple[Any, Snapshot | None] = (None, None)
        self._refused = ""
        self._evaluations = EvaluationWatch(
            evaluation_folder(workspace, company.name), company.name
        )
        self._loaded = self._load()

    def _stamp(self) -> tuple[Any, ...]:
        """Changes when a pointer or the snapshot is replaced."""
        serving = self.workspace.serving(self.company)
        files = [serving / t / POINTER for t in TARGETS] + [self._snapshot_path()]
        stats = [f.stat() if f.exists() else None for f in files]
        return tuple((s.st_ino, s.st_mtime_ns, s.st_size) if s else None for s in stats)

    def _snapshot_path(self) -> Path:
        return self.workspace.features(self.company) / "snapshot.parquet"

    def _load(self) -> LoadedState:
        stamp = self._stamp()
        bundles, missing = load_champions(self.workspace.serving(self.company))
        return build_state(bundles, missing, [self._snapshot(stamp[-1])], stamp, {})

    def _snapshot(self, stamp: Any) -> Snapshot | None:
        """The snapshot on disk, read once as long as its file is the same."""
        if stamp != self._read[0]:
            found, self._refused = None, ""
            try:
                found = Snapshot.read(self._snapshot_path(), self.company) if stamp else None
            except DataRefused as refused:  # the one before, if there is one, goes on
                self._refused = str(refused)
                log.warning("%s", refused)
            self._read = (stamp, found)
        return self._read[1]

    def ready(self) -> bool:
        return bool(self._loaded.bundles) and self._loaded.snapshot is not None

    def missing(self) -> dict[str, str]:
        lacking = dict(self._loaded.missing)
        if self._loaded.snapshot is None:
            none = f"no snapshot of {self.company}; make it with `goodwill features`"
            lacking[SNAPSHOT] = self._refused or none
        return lacking

    def as_of(self) -> datetime:
        snapshot = self._loaded.snapshot
        return snapshot.as_of if snapshot else datetime.now(UTC)

    def models(self) -> list[ModelInfo]:
        return [describe_model(b) for b in self._loaded.bundles.values()]

    def by_ids(
        self,
        ids: Sequence[str],
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> ScoreBatch:
        loaded = self._loaded
        if loaded.snapshot is None:
            raise GoodwillError("no snapshot is loaded")
        distinct = list(dict.fromkeys(ids))
        known = [i for i in distinct if i in loaded.snapshot.place]
        places = np.array([loaded.snapshot.place[i] for i in known], np.int64)
        asked = CustomerBatch(
            known,
            loaded.snapshot.as_of,
            outputs=lambda target: loaded.scores[target].of(places),
            features=partial(loaded.snapshot.features.take, places),
            unknown=[i for i in distinct if i not in loaded.snapshot.place],
        )
        batch = assemble_scores(loaded.bundles, loaded.why, asked, ScoreOptions(targets, reasons, language))
        return replace(batch, fingerprint=loaded.snapshot.fingerprint)

    def by_records(
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
        before = (
            previous_values(history, features, loaded.plan.columns, loaded.plan.tone) if reasons else {}
        )
        asked = CustomerBatch(
            ids.to_pylist(),
            moment,
            outputs=lambda target: predict(loaded.bundles[target], features),
            features=lambda: features,
        )
        question = ScoreOptions(targets, reasons, language, before)
        batch = assemble_scores(loaded.bundles, loaded.why, asked, question)
        chosen = {t: loaded.bundles[t] for t in batch.versions}
        warnings = record_warnings(records, loaded.schema)
        return replace(batch, unseen=count_unknown_categories(chosen, features), warnings=warnings)

    def what_if(
        self, customer_id: str, target: str, wish: WhatIfTarget, language: Language = "en"
    ) -> WhatIfAnswer | None:
        return self._loaded.why.what_if(customer_id, target, wish, language)

    def levers(self, customer_id: str) -> list[LeverRange]:
        return self._loaded.why.levers(customer_id)

    def knows(self, customer_id: str) -> bool:
        snapshot = self._loaded.snapshot
        return snapshot is not None and customer_id in snapshot.place

    def find(self, prefix: str, limit: int) -> list[str]:
        snapshot = self._loaded.snapshot
        return snapshot.beginning_with(prefix, limit) if snapshot else []

    def history(self, customer_id: str) -> Sequence[PastScore]:
        return score_history(history_of(self.workspace.scores(self.company)), customer_id)

    def about(self, target: str) -> ModelDetails | None:
        bundle = self._loaded.bundles.get(target)
        return model_details(bundle) if bundle else None

    def keep_feedback(self, feedback: Feedback) -> Kept:
        return keep(self.workspace.feedback(self.company), feedback)

    def unseen(self) -> Mapping[str, int]:
        return self._loaded.unseen

    def evaluated(self) -> Evaluated:
        return self._evaluations.now

    def refresh(self) -> Mapping[str, str]:
        return {**self._evaluations.look(), **self._refresh()}

    def _refresh(self) -> Mapping[str, str]:
        before = self._loaded
        if self._stamp() == before.stamp:
            before.make_some_scores()
            return {}
        after = self._load()
        bundles = {**before.bundles, **after.bundles}  # the last good version stays
        lost = {t: why for t, why in after.missing.items() if t not in bundles}
        for target, why in after.missing.items():
            if target in before.bundles:
                log.warning("keep %s %s: %s", target, before.bundles[target].version, why)
        snapshots = [after.snapshot, before.snapshot]
        self._loaded = build_state(bundles, lost, snapshots, after.stamp, before.scores)
        taken = after.snapshot is None or self._loaded.snapshot is after.snapshot
        found = after.parts if taken else after.parts - {SNAPSHOT}
        return reload_results(before.stamp, after.stamp, before.parts, found)


def load_scorer(company_toml: str) -> CompanyScorer:
    """The scorer of a company's TOML file in the project around the working directory."""
    workspace = find_workspace()
    return CompanyScorer(load_company(Path(company_toml)), workspace)
