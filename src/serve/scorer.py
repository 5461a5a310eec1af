"""Scores for ids out of the snapshot and for raw records, by the same features and models.

Depends on bundles and the snapshot file only: no MLflow, no training code, no web framework.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features.company import Company, load_company
from features.engine import Plan
from features.errors import GoodwillError
from features.history import build_history
from features.schema import Schema
from features.settings import Workspace, find_workspace
from features.table import feature_table, plan_for
from models.bundle import POINTER, Bundle
from models.predict import OUTPUTS, predict
from models.reasons.earlier import Earlier, earlier
from models.score import champions, fitting
from models.splits import microseconds
from models.targets import TARGETS
from serve.answers import (
    Batch,
    CustomerScore,
    Language,
    ModelInfo,
    Output,
    Reason,
    WhatIfAnswer,
    said,
)
from serve.records import Records
from serve.snapshot import Snapshot
from serve.tables import records_to_tables
from serve.why import Why

log = logging.getLogger("goodwill.scorer")


@dataclass(frozen=True)
class _Wish:
    """What a call asks for; `earlier` are the windows before, None where the rows must tell them."""

    targets: Sequence[str] | None
    reasons: int
    language: Language
    earlier: Earlier | None = None


@dataclass(frozen=True)
class _Loaded:
    """What a call sees: models and snapshot of one moment, swapped by one reference."""

    bundles: dict[str, Bundle]
    missing: dict[str, str]
    snapshot: Snapshot | None
    stamp: tuple[Any, ...]

    @cached_property
    def plan(self) -> Plan:
        """The features the models read, by the schema of the newest model."""
        names = {n for b in self.bundles.values() for n in b.columns}
        tone = next((b.tone for b in self.bundles.values() if b.tone), None)  # all have the same
        return plan_for(self.schema, tuple(sorted(names)), tone)

    @cached_property
    def why(self) -> Why:
        return Why(self.bundles, self.snapshot.features if self.snapshot else None)

    @cached_property
    def schema(self) -> Schema:
        return max(self.bundles.values(), key=lambda b: str(b.manifest["trained_at"])).schema


class CompanyScorer:
    """One company's champions and snapshot. Safe to call from several threads."""

    def __init__(self, company: Company, workspace: Workspace) -> None:
        self.company = company.name
        self.workspace = workspace
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
        snapshot = Snapshot.read(self._snapshot_path()) if stamp[-1] else None
        return _together(bundles, missing, [snapshot], stamp)

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
        return [_info(b) for b in self._loaded.bundles.values()]

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
        places = pa.array([loaded.snapshot.place[i] for i in known], pa.int64())
        features = loaded.snapshot.features.take(places)
        unknown = [i for i in distinct if i not in loaded.snapshot.place]
        wish = _Wish(targets, reasons, language)
        return _batch(loaded, features, loaded.snapshot.as_of, wish, unknown)

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
        return _batch(loaded, features, moment, _Wish(targets, reasons, language, before), [])

    def what_if(
        self, customer_id: str, target: str, goal: float, language: Language = "en"
    ) -> WhatIfAnswer | None:
        loaded = self._loaded
        if loaded.snapshot is None or customer_id not in loaded.snapshot.place:
            return None
        features = loaded.snapshot.features.slice(loaded.snapshot.place[customer_id], 1)
        return loaded.why.what_if(target, features, goal, language)

    def refresh(self) -> None:
        if self._stamp() == self._loaded.stamp:
            return
        before = self._loaded
        after = self._load()
        bundles = {**before.bundles, **after.bundles}  # the last good version stays
        lost = {t: why for t, why in after.missing.items() if t not in bundles}
        for target, why in after.missing.items():
            if target in before.bundles:
                log.warning("keep %s %s: %s", target, before.bundles[target].version, why)
        self._loaded = _together(bundles, lost, [after.snapshot, before.snapshot], after.stamp)


def load_scorer(company_toml: str) -> CompanyScorer:
    """The scorer of a company's TOML file in the project around the working directory."""
    workspace = find_workspace()
    return CompanyScorer(load_company(Path(company_toml)), workspace)


def _together(
    bundles: dict[str, Bundle],
    missing: dict[str, str],
    snapshots: list[Snapshot | None],
    stamp: tuple[Any, ...],
) -> _Loaded:
    """Models with the snapshot most of them can read, the first of equally good ones.

    So between new features and the training that follows, what is served goes on together.
    """
    apart: dict[str, str] = {}
    snapshot: Snapshot | None = None
    if there := [s for s in snapshots if s]:
        snapshot = max(there, key=lambda s: len(fitting(bundles, s.tone)[0]))
        bundles, apart = fitting(bundles, snapshot.tone)
    loaded = _Loaded(bundles, {**missing, **apart}, snapshot, stamp)
    if bundles:
        _ = loaded.plan, loaded.why.reasoners  # compiled before the first request
    return loaded


def _batch(
    loaded: _Loaded,
    features: pa.Table,
    as_of: datetime,
    wish: _Wish,
    unknown: list[str],
) -> Batch:
    """Predict the wished targets for every row and turn columns into customers."""
    targets = loaded.bundles if wish.targets is None else wish.targets
    chosen = {t: b for t, b in loaded.bundles.items() if t in targets}
    ids = features["customer_id"].to_pylist()
    predictions: list[dict[str, dict[str, Output]]] = [{} for _ in ids]
    why: list[dict[str, list[Reason]]] = [{} for _ in ids]
    for target, bundle in chosen.items() if ids else ():
        outputs = {n: said(v) for n, v in predict(bundle, features).items()}
        for i in range(len(ids)):
            predictions[i][target] = {n: outputs[n][i] for n in OUTPUTS[target]}
        if wish.reasons:
            told = loaded.why.reasons(target, features, wish.reasons, wish.language, wish.earlier)
            for i, reasons in enumerate(told):
                why[i][target] = reasons
    scores = [CustomerScore(c, p, w) for c, p, w in zip(ids, predictions, why, strict=True)]
    return Batch(as_of, scores, unknown, {t: b.version for t, b in chosen.items()})


def _info(bundle: Bundle) -> ModelInfo:
    facts = bundle.manifest
    return ModelInfo(
        target=bundle.target,
        version=bundle.version,
        trained_at=datetime.fromisoformat(facts["trained_at"]),
        cutoffs=[datetime.fromisoformat(c) for c in facts["cutoffs"]],
        horizon_days=int(facts["horizon_days"]),
        metrics=dict(facts["metrics"]),
        grade=str(facts["grade"]),
        features=len(facts["features"]),
        label_counts=dict(facts["label_counts"]),
    )
