"""One target's training inside its run: train, log, register, compare, promote or keep."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np

from features.company import Company
from features.derived import TONE
from features.describe import Described, describe
from features.errors import DataRefused
from features.progress import Steps
from features.registry import Column
from features.settings import Workspace
from features.storage import Manifest
from features.table import plan_for, shipped
from features.tone import Tone, digest_of
from models.bundle import Bundle, champion, describe_condition, point_to, write_bundle
from models.card import card
from models.dataset import LabelCounts
from models.evaluate import beats
from models.plots.gallery import figures
from models.predict import segment_bounds
from models.registry import Registry, code_revision
from models.splits import instant
from models.targets import TARGETS
from models.train import Trained, flat_metrics, load_rows, train

#: Settings of a target that decide what a label is.
LABEL = ("horizon_days", "gap_days", "definition")


@dataclass(frozen=True)
class Outcome:
    """What became of one target: `promoted`, `kept`, `refused` by the gate, or `skipped`."""

    target: str
    decision: str
    reason: str
    version: str | None = None
    grade: str | None = None
    metrics: dict[str, float] | None = None


@dataclass(frozen=True)
class Job:
    """Training one target inside its run."""

    company: Company
    workspace: Workspace
    steps: Steps
    registry: Registry
    run_id: str
    manifest: Manifest
    counts: LabelCounts

    def train(self, name: str) -> tuple[Trained, Bundle]:
        """Train, judge, log and register a new version."""
        with self.steps.step(f"train {name}") as done:
            rows = load_rows(self.company, self.workspace, name)
            trained = train(TARGETS[name], self.company, rows)
            judged = trained.evaluation
            best = judged.metrics["model"][judged.primary].value
            rule = judged.metrics["rule"][judged.primary].value
            done(grade=judged.grade, **{judged.primary: best, "rule": rule},
                 rounds=trained.estimator.rounds, test_rows=judged.rows)  # fmt: skip
        with self.steps.step(f"log {name}") as done:
            bundle = self._register(trained)
            done(version=bundle.version)
        return trained, bundle

    @cached_property
    def tone(self) -> Tone | None:
        """What read the comments when the features were made."""
        return Tone.read(self.workspace.features(self.company.name))

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Every feature there can be."""
        return plan_for(self.manifest.schema, tone=self.tone).columns

    def _register(self, trained: Trained) -> Bundle:
        columns = {c.name: c for c in self.columns}
        used = [columns[n] for n in trained.estimator.encoder.columns]
        facts = _facts(trained, self.company, self.workspace, self.manifest, self.counts, used)
        tone = self.tone if any(c.reads(TONE) for c in used) else None
        facts["tone"] = digest_of(tone)
        bundle = Bundle(trained.estimator, trained.calibrator, {**facts, "version": "0"}, tone)
        meanings = {f["name"]: f["meaning"] for f in facts["features"]}
        self.registry.log(
            self.run_id,
            {k: facts[k] for k in ("kind", "horizon_days", "gap_days", "test_start",
                                   "valid_start", "fingerprint", "code_revision", "grade")}
            | {f"param_{k}": v for k, v in asdict(trained.params).items()}
            | {"rounds": trained.estimator.rounds, "calibration": trained.calibrator.method,
               "cutoffs": ", ".join(c[:10] for c in self.counts.cutoffs)}
            | {f"labels_{k}": v for k, v in trained.label_counts.items()},
            flat_metrics(trained.evaluation),
            {"evaluation.json": trained.evaluation.to_json(),
             "evaluation.txt": trained.evaluation.table().to_string(),
             "manifest.json": json.dumps(facts, indent=1, default=str),
             "labels.json": json.dumps(asdict(self.counts), indent=1),
             "card.md": _card(trained, facts)},
            figures(trained.target.kind, trained.test.label, trained.predictions["model"],
                    trained.predictions["rule"], trained.test.weight,
                    trained.estimator.importance(), descriptions=meanings,
                    classes=trained.target.classes or None),
        )  # fmt: skip
        tags = {k: str(facts[k]) for k in ("fingerprint", "code_revision", "horizon_days", "grade",
                                           "test_start")}  # fmt: skip
        version = self.registry.register(self.run_id, self.company.name, bundle, tags)
        manifest = {**facts, "version": version, "run_id": self.run_id}
        return Bundle(trained.estimator, trained.calibrator, manifest, tone)

    def decide(self, trained: Trained, bundle: Bundle) -> Outcome:
        """Promote a better model; keep the champion otherwise; refuse what loses to its rule."""
        name, judged = trained.target.name, trained.evaluation
        serving = self.workspace.serving(self.company.name)
        metrics = flat_metrics(judged)
        old, lost = self._champion(name)
        if judged.grade == "C":
            decision = "kept" if old else "refused"
            reason = judged.reason
        else:
            decision, reason = self._compare(trained, old)
            reason = f"{lost}; {reason}" if lost else reason
        if decision == "promoted":
            write_bundle(bundle, serving / name / bundle.version)
            point_to(serving, name, bundle.version)
            self.registry.promote(self.company.name, name, bundle.version)
        self.registry.log(self.run_id, {"decision": decision, "decision_reason": reason}, {})
        colour = {"promoted": "green", "kept": "cyan", "refused": "red"}[decision]
        self.steps.note(f"  [{colour}]{name} {decision}[/]: {reason}")
        version = bundle.version if decision == "promoted" else (old.version if old else None)
        return Outcome(name, decision, reason, version, judged.grade, metrics)

    def _champion(self, target: str) -> tuple[Bundle | None, str | None]:
        """The serving model, or why a broken one does not count."""
        try:
            return champion(self.workspace.serving(self.company.name), target), None
        except DataRefused as err:
            return None, f"the champion cannot be read ({err})"

    def _compare(self, trained: Trained, old: Bundle | None) -> tuple[str, str]:
        """Challenger against champion on the challenger's own test rows."""
        used = set(trained.estimator.encoder.columns)
        if tried := [c for c in self.columns if c.name in used and not shipped(c)]:
            return ("kept" if old else "refused"), (
                f"{tried[0].name} is declared in {tried[0].declared_in}, which the service does not "
                "know; move the function into a family file"
            )
        if old is None:
            return "promoted", f"the first model; {trained.evaluation.reason}"
        test = trained.test
        lacking = sorted(set(old.columns) - set(test.features.column_names) - {"season"})
        other = [k for k in LABEL if old.manifest[k] != getattr(trained.config, k)]
        if lacking or other:
            what = f"needs {lacking[0]}" if lacking else f"has another {other[0]}"
            return "promoted", f"version {old.version} cannot be compared: it {what}"
        if old.tone and old.tone != self.tone:
            return "promoted", (
                f"version {old.version} cannot be compared: it reads comments with another model"
            )
        features = test.features
        if "season" in old.columns and "season" not in features.column_names:
            months = [float(instant(int(c)).month) for c in test.cutoff]
            features = features.append_column("season", [np.array(months)])
        verdict = beats(
            trained.target.kind, test.label, trained.predictions["model"],
            old.calibrated(features), test.weight, test.customer,
        )  # fmt: skip
        return ("promoted" if verdict else "kept"), verdict.reason


def _card(trained: Trained, facts: dict[str, Any]) -> str:
    target, config = trained.target, trained.config
    described = [Described(**feature) for feature in facts["features"]]
    return card(target.title, target.means(config), target.whom(config), facts, described)


def _facts(
    trained: Trained,
    company: Company,
    workspace: Workspace,
    manifest: Manifest,
    counts: LabelCounts,
    used: list[Column],
) -> dict[str, Any]:
    """Everything a bundle's manifest says about a model but its version."""
    target, config, split = trained.target, trained.config, trained.split
    training = workspace.features(company.name) / f"{target.name}.parquet"
    values = trained.predictions["model"]
    return {
        "company": company.name,
        "target": target.name,
        "kind": target.kind,
        "classes": list(target.classes),
        "currency": company.about.currency,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cutoffs": list(counts.cutoffs),
        "valid_start": split.valid_start.isoformat(),
        "test_start": split.test_start.isoformat(),
        "gap_days": config.gap_days,
        "horizon_days": config.horizon_days,
        "definition": config.definition,
        "population": describe_condition(target.population(config)),
        "spend_level": asdict(trained.spend) if trained.spend else None,
        "also_reads": list(trained.also_reads),
        "segments": segment_bounds(values) if target.kind == "regression" else None,
        "schema": json.loads(manifest.schema.to_json()),
        "features": [asdict(d) for d in describe(used, training)],
        "dropped_features": list(trained.dropped),
        "label_counts": trained.label_counts,
        "fingerprint": manifest.fingerprint,
        "data_end": manifest.data_end,
        "code_revision": code_revision(workspace),
        "metrics": flat_metrics(trained.evaluation),
        "grade": trained.evaluation.grade,
        "grade_reason": trained.evaluation.reason,
    }
