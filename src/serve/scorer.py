"""Scores for ids out of the snapshot and for raw records, by the same features and models.

Depends on bundles and the snapshot file only: no MLflow, no training code, no web framework.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features.company import Company, load_company
from features.engine import Plan
from features.errors import GoodwillError
from features.feedback import Feedback, Kept, keep
from features.history import build_history
from features.schema import Schema
from features.settings import Workspace, find_workspace
from features.table import feature_table, plan_for
from models.bundle import POINTER, Bundle
from models.predict import predict
from models.reasons.earlier import earlier
from models.score import champions, fitting
from models.score_history import PastScore, history_of, score_history
from models.splits import microseconds
from models.targets import TARGETS
from serve.answers import (
    AgeLimits,
    Batch,
    Language,
    LeverRange,
    ModelAbout,
    ModelInfo,
    WhatIfAnswer,
    Wish,
)
from serve.batch import Asked, Question, batch_of
from serve.model_info import model_about, model_info
from serve.records import Records
from serve.reloads import SNAPSHOT, became
from serve.snapshot import Snapshot
from serve.snapshot_scores import SnapshotScores, snapshot_scores
from serve.tables import misfits, records_to_tables
from serve.unseen import unseen_customers
from serve.why import Why

log = logging.getLogger("goodwill.scorer")


@dataclass(frozen=True)
class _Loaded:
    """What a call sees: models and snapshot of one moment, swapped by one reference."""

    bundles: dict[str, Bundle]
    missing: dict[str, str]
    snapshot: Snapshot | None
    stamp: tuple[Any, ...]
    scores: dict[str, SnapshotScores]

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
        return unseen_customers(self.bundles, self.snapshot.features) if self.snapshot else {}

    def make_some_scores(self) -> None:
        """Go on with the scores of the snapshot, so that calls find them made."""
        for scores in self.scores.values():
            scores.make_some()

    @cached_property
    def why(self) -> Why:
        return Why(self.bundles, self.snapshot)

    @cached_property
    def schema(self) -> Schema:
        return max(self.bundles.values(), key=lambda b: str(b.manifest["trained_at"])).schema


class CompanyScorer:
    """One company's champions and snapshot. Safe to call from several threads."""

    def __init__(self, company: Company, workspace: Workspace) -> None:
        self.company = company.name
        self.limits = AgeLimits(**company.serving.model_dump())
        self.workspace = workspace
        self._read: tuple[Any, Snapshot | None] = (None, None)
        self._loaded = self._load()

    def _stamp(self) -> tuple[Any, ...]:
        """Changes when a pointer or the snapshot is replaced."""
        serving = self.workspace.serving(self.company)
        files = [serving / t / POINTER for t in TARGETS] + [self._snapshot_path()]
        stats = [f.stat() if f.exists() else None for f in files]
        return tuple((s.st_ino, s.st_mtime_ns, s.st_size) if s else None for s in stats)

    def _snapshot_path(self) -> Path:
        return self.workspace.features(self.company) / "snapshot.parquet"

    def _load(self) -> _Loaded:
        stamp = self._stamp()
        bundles, missing = champions(self.workspace.serving(self.company))
        return _together(bundles, missing, [self._snapshot(stamp[-1])], stamp, {})

    def _snapshot(self, stamp: Any) -> Snapshot | None:
        """The snapshot on disk, read once as long as its file is the same."""
        if stamp != self._read[0]:
            found = Snapshot.read(self._snapshot_path()) if stamp else None
            self._read = (stamp, found)
        return self._read[1]

    def ready(self) -> bool:
        return bool(self._loaded.bundles) and self._loaded.snapshot is not None

    def missing(self) -> dict[str, str]:
        lacking = dict(self._loaded.missing)
        if self._loaded.snapshot is None:
            lacking["snapshot"] = f"no snapshot of {self.company}; make it with `goodwill features`"
        return lacking

    def as_of(self) -> datetime:
        snapshot = self._loaded.snapshot
        return snapshot.as_of if snapshot else datetime.now(UTC)

    def models(self) -> list[ModelInfo]:
        return [model_info(b) for b in self._loaded.bundles.values()]

    def by_ids(
        self,
        ids: Sequence[str],
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> Batch:
        loaded = self._loaded
        if loaded.snapshot is None:
            raise GoodwillError("no snapshot is loaded")
        distinct = list(dict.fromkeys(ids))
        known = [i for i in distinct if i in loaded.snapshot.place]
        places = np.array([loaded.snapshot.place[i] for i in known], np.int64)
        asked = Asked(
            known,
            loaded.snapshot.as_of,
            outputs=lambda target: loaded.scores[target].of(places),
            features=partial(loaded.snapshot.features.take, places),
            unknown=[i for i in distinct if i not in loaded.snapshot.place],
        )
        batch = batch_of(loaded.bundles, loaded.why, asked, Question(targets, reasons, language))
        return replace(batch, fingerprint=loaded.snapshot.fingerprint)

    def by_records(
        self,
        records: Records,
        as_of: datetime | None,
        targets: Sequence[str] | None,
        reasons: int,
        language: Language = "en",
    ) -> Batch:
        loaded = self._loaded
        moment = as_of or datetime.now(UTC)
        history = build_history(records_to_tables(records, loaded.schema))
        ids = pa.array(history.customer_ids, pa.string())
        cutoff = np.full(len(ids), microseconds(moment), np.int64)
        features = feature_table(history, ids, cutoff, loaded.plan)
        before = (
            earlier(history, features, loaded.plan.columns, loaded.plan.tone) if reasons else {}
        )
        asked = Asked(
            ids.to_pylist(),
            moment,
            outputs=lambda target: predict(loaded.bundles[target], features),
            features=lambda: features,
        )
        question = Question(targets, reasons, language, before)
        batch = batch_of(loaded.bundles, loaded.why, asked, question)
        chosen = {t: loaded.bundles[t] for t in batch.versions}
        warnings = misfits(records, loaded.schema)
        return replace(batch, unseen=unseen_customers(chosen, features), warnings=warnings)

    def what_if(
        self, customer_id: str, target: str, wish: Wish, language: Language = "en"
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

    def about(self, target: str) -> ModelAbout | None:
        bundle = self._loaded.bundles.get(target)
        return model_about(bundle) if bundle else None

    def keep_feedback(self, feedback: Feedback) -> Kept:
        return keep(self.workspace.feedback(self.company), feedback)

    def unseen(self) -> Mapping[str, int]:
        return self._loaded.unseen

    def refresh(self) -> Mapping[str, str]:
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
        self._loaded = _together(bundles, lost, snapshots, after.stamp, before.scores)
        return became(before.stamp, after.stamp, before.parts, after.parts)


def load_scorer(company_toml: str) -> CompanyScorer:
    """The scorer of a company's TOML file in the project around the working directory."""
    workspace = find_workspace()
    return CompanyScorer(load_company(Path(company_toml)), workspace)


def _together(
    bundles: dict[str, Bundle],
    missing: dict[str, str],
    snapshots: list[Snapshot | None],
    stamp: tuple[Any, ...],
    former: Mapping[str, SnapshotScores],
) -> _Loaded:
    """Models with the snapshot most of them can read, the first of equally good ones.

    So between new features and the training that follows, what is served goes on together.
    """
    apart: dict[str, str] = {}
    snapshot: Snapshot | None = None
    if there := [s for s in snapshots if s]:
        snapshot = max(there, key=lambda s: len(fitting(bundles, s.tone)[0]))
        bundles, apart = fitting(bundles, snapshot.tone)
    scores = snapshot_scores(bundles, snapshot.features, former) if snapshot else {}
    loaded = _Loaded(bundles, {**missing, **apart}, snapshot, stamp, scores)
    if bundles:
        _ = loaded.plan, loaded.why.reasoners, loaded.unseen  # made before the first request
    return loaded
