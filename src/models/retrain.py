"""The whole chain for one company, as a scheduled job runs it with nobody watching."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from features.company import Company
from features.errors import AlreadyRunning, DataRefused, GateFailed
from features.progress import Steps
from features.settings import Workspace
from features.storage import Manifest, import_history
from features.table import plan_for
from models.bundle import Bundle, champion, describe_condition, point_to, write_bundle
from models.dataset import LabelCounts, build_features
from models.evaluate import beats
from models.plots.gallery import figures
from models.predict import segment_bounds
from models.registry import Registry, code_revision
from models.score import score_everyone
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


def retrain(company: Company, workspace: Workspace, steps: Steps) -> list[Outcome]:
    """Import, check, build features, train, judge, promote or keep, and score everyone.

    Raises DataRefused or ConfigRefused (exit 3) with nothing overwritten, AlreadyRunning (exit 5).
    The caller ends with `check_gate` (exit 4), after the report is written.
    """
    with only_one(company, workspace), _as_before_if_refused(company, workspace):
        import_history(company, workspace, steps)
        counts, unable = build_features(company, workspace, steps)
        outcomes = train_all(company, workspace, steps, counts, unable)
        if any(o.version for o in outcomes):
            score_everyone(company, workspace, steps)
    return outcomes


@contextmanager
def only_one(company: Company, workspace: Workspace) -> Iterator[None]:
    """Hold the company's lock, or raise AlreadyRunning."""
    path = workspace.mlruns / "locks" / f"{company.name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout:
        raise AlreadyRunning(
            f"another run for {company.name} holds {path}; wait until it has ended"
        ) from None


@contextmanager
def _as_before_if_refused(company: Company, workspace: Workspace) -> Iterator[None]:
    """Put the former history and features back when the new data are refused later on."""
    folders = [workspace.history(company.name), workspace.features(company.name)]
    former = {f: f.with_name(f"{f.name}.before") for f in folders}
    for folder, before in former.items():
        shutil.rmtree(before, ignore_errors=True)
        if folder.exists():  # files are only ever replaced, so links to them keep their content
            shutil.copytree(folder, before, copy_function=_link)
    try:
        yield
    except DataRefused:
        for folder, before in former.items():
            if before.exists():
                shutil.rmtree(folder, ignore_errors=True)
                before.rename(folder)
        raise
    finally:
        for before in former.values():
            shutil.rmtree(before, ignore_errors=True)


def _link(source: str, copy: str) -> None:
    try:
        os.link(source, copy)
    except OSError:  # a file system without links
        shutil.copy2(source, copy)


def check_gate(outcomes: list[Outcome]) -> None:
    """Raise GateFailed when a target has neither a new model nor an old champion to serve."""
    failed = [o for o in outcomes if o.decision == "refused"]
    if failed:
        lines = "\n".join(f"  - {o.target}: {o.reason}" for o in failed)
        raise GateFailed(f"no model is fit to serve for:\n{lines}")


def train_all(
    company: Company,
    workspace: Workspace,
    steps: Steps,
    counts: dict[str, LabelCounts],
    unable: dict[str, str],
) -> list[Outcome]:
    """Train every target that can be, each in a child run of one parent run; then promote or keep.

    Nothing is promoted before every target is trained: data refused for one leave all as they were.
    """
    with steps.step("open the tracking store"):
        registry = Registry(workspace)
        registry.sweep(company.name)
    manifest = Manifest.read(workspace, company.name)
    name = f"retrain {datetime.now(UTC):%Y-%m-%d %H:%M}"
    outcomes, trained = [], []
    with registry.run(company.name, name) as parent:
        registry.log(
            parent,
            {"company": company.name, "fingerprint": manifest.fingerprint,
             "data_end": manifest.data_end, "revision": code_revision(workspace),
             **{f"rows_{n}": r for n, r in manifest.rows.items()}},
            {},
            {"company.toml": company.path.read_text(encoding="utf-8"),
             "history.json": json.dumps(asdict(manifest), indent=1)},
        )  # fmt: skip
        for target in TARGETS:
            if target in unable:
                outcomes.append(Outcome(target, "skipped", unable[target]))
                steps.note(f"[yellow]–[/] {target}: cannot be trained: {unable[target]}")
                continue
            with registry.run(company.name, target, parent) as run_id:
                job = _Job(company, workspace, steps, registry, run_id, manifest, counts[target])
                trained.append((job, *job.train(target)))
        outcomes += [job.decide(model, bundle) for job, model, bundle in trained]
        outcomes.sort(key=lambda o: list(TARGETS).index(o.target))
        registry.log(parent, {f"outcome_{o.target}": o.decision for o in outcomes}, {})
    _write_outcomes(company, workspace, outcomes)
    return outcomes


def _write_outcomes(company: Company, workspace: Workspace, outcomes: list[Outcome]) -> None:
    path = workspace.company(company.name) / "outcomes.json"
    path.write_text(json.dumps([asdict(o) for o in outcomes], indent=1), encoding="utf-8")


@dataclass(frozen=True)
class _Job:
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

    def _register(self, trained: Trained) -> Bundle:
        facts = _facts(trained, self.company, self.workspace, self.manifest, self.counts)
        bundle = Bundle(trained.estimator, trained.calibrator, {**facts, "version": "0"})
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
             "labels.json": json.dumps(asdict(self.counts), indent=1)},
            figures(trained.target.kind, trained.test.label, trained.predictions["model"],
                    trained.predictions["rule"], trained.test.weight,
                    trained.estimator.importance(), descriptions=meanings,
                    classes=trained.target.classes or None),
        )  # fmt: skip
        tags = {k: str(facts[k]) for k in ("fingerprint", "code_revision", "horizon_days", "grade",
                                           "test_start")}  # fmt: skip
        version = self.registry.register(self.run_id, self.company.name, bundle, tags)
        manifest = {**facts, "version": version, "run_id": self.run_id}
        return Bundle(trained.estimator, trained.calibrator, manifest)

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
        if old is None:
            return "promoted", f"the first model; {trained.evaluation.reason}"
        test = trained.test
        lacking = sorted(set(old.columns) - set(test.features.column_names) - {"season"})
        other = [k for k in LABEL if old.manifest[k] != getattr(trained.config, k)]
        if lacking or other:
            what = f"needs {lacking[0]}" if lacking else f"has another {other[0]}"
            return "promoted", f"version {old.version} cannot be compared: it {what}"
        features = test.features
        if "season" in old.columns and "season" not in features.column_names:
            months = [float(instant(int(c)).month) for c in test.cutoff]
            features = features.append_column("season", [np.array(months)])
        verdict = beats(
            trained.target.kind, test.label, trained.predictions["model"],
            old.calibrated(features), test.weight, test.customer,
        )  # fmt: skip
        return ("promoted" if verdict else "kept"), verdict.reason


def _facts(
    trained: Trained,
    company: Company,
    workspace: Workspace,
    manifest: Manifest,
    counts: LabelCounts,
) -> dict[str, Any]:
    """Everything a bundle's manifest says about a model but its version."""
    target, config, split = trained.target, trained.config, trained.split
    columns = {c.name: c for c in plan_for(manifest.schema).columns}
    used = [columns[n] for n in trained.estimator.encoder.columns]
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
        "features": [{"name": c.name, "meaning": c.meaning, "unit": c.unit} for c in used],
        "dropped_features": list(trained.dropped),
        "label_counts": trained.label_counts,
        "fingerprint": manifest.fingerprint,
        "data_end": manifest.data_end,
        "code_revision": code_revision(workspace),
        "metrics": flat_metrics(trained.evaluation),
        "grade": trained.evaluation.grade,
        "grade_reason": trained.evaluation.reason,
    }
