"""One target's training inside its run: train, log, register, compare, promote or keep."""

import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np

from features.config.company import Company
from features.definitions.feature_registry import Column
from features.errors import DataRefused
from features.feature_table import plan_for, shipped
from features.history.derived_columns import TONE
from features.history_store import Manifest
from features.progress import Steps
from features.settings import Workspace
from features.text.comment_score_model import Tone, digest_of
from models.bundles.bundle import Bundle, write_bundle
from models.bundles.champions import set_champion
from models.bundles.champions import load_champion
from models.bundles.mlflow_registry import Registry
from models.evaluation.grade import compare_with_champion
from models.model_card.about_model import about_of
from models.model_card.card_content import card_of
from models.model_card.model_facts import facts_of
from models.model_card.render_card import Card
from models.plots.all_plots import figures
from models.targets.registry import TARGETS
from models.training.hyperparameters import tuned_params
from models.training.survival import fit_survival
from models.training.train import TrainedTarget, flat_metrics, load_rows, train
from models.training_set.build_training_sets import LabelCounts
from models.training_set.splits import instant
from models.validation.holdout_evaluation import HoldoutResult, evaluate_on_holdout
from models.validation.slice_metrics import compare_by_slice
from models.validation.validation_checks import ValidationChecks, run_checks

#: Settings of a target that decide what a label is.
LABEL = ("horizon_days", "gap_days", "definition")


@dataclass(frozen=True)
class Outcome:
    """What became of one target: `promoted`, `kept`, `refused` by the authenticator, or `skipped`."""

    target: str
    decision: str
    reason: str
    version: str | None = None
    grade: str | None = None
    metrics: dict[str, float] | None = None


@dataclass(frozen=True)
class Candidate:
    """A new version, registered and not decided on yet."""

    trained: TrainedTarget
    guarded: ValidationChecks
    bundle: Bundle
    card: Card
    seen: HoldoutResult


@dataclass(frozen=True)
class TargetTraining:
    """Training one target inside its run."""

    company: Company
    workspace: Workspace
    steps: Steps
    registry: Registry
    run_id: str
    manifest: Manifest
    counts: LabelCounts

    def train(self, name: str) -> Candidate:
        """Train, judge, look at it from all sides, log and register a new version."""
        with self.steps.step(f"train {name}") as done:
            rows = load_rows(self.company, self.workspace, name)
            tuned = tuned_params(self.company, self.workspace, TARGETS[name])
            trained = train(TARGETS[name], self.company, rows, tuned)
            judged = trained.evaluation
            best = judged.metrics["model"][judged.primary].value
            rule = judged.metrics["rule"][judged.primary].value
            done(grade=judged.grade, **{judged.primary: best, "rule": rule},
                 rounds=trained.estimator.rounds, test_rows=judged.rows)  # fmt: skip
        trained = self._with_survival(trained)
        with self.steps.step(f"guard {name}") as done:
            guarded = run_checks(trained, rows)
            worst, lasts = guarded.slices.worst, guarded.staleness.lasts
            done(groups=len(guarded.slices.judged), worst=worst.name if worst else None,
                 lasts_months=lasts, warnings=len(guarded.warnings))  # fmt: skip
        for warning in guarded.warnings:
            self.steps.note(f"  [yellow]–[/] {warning}")
        with self.steps.step(f"log {name}") as done:
            bundle, seen = self._register(trained, guarded)
            card = card_of(trained, bundle.manifest, guarded)
            pages = {"card.md": card.markdown(), "card.html": card.html()}
            self.registry.log(self.run_id, {}, {}, pages)
            done(version=bundle.version)
        return Candidate(trained, guarded, bundle, card, seen)

    def _with_survival(self, trained: TrainedTarget) -> TrainedTarget:
        """A churn target with its survival curve, which needs more of the history than labels."""
        if trained.target.name != "churn":
            return trained
        with self.steps.step("survival curve") as done:
            survival, agreement = fit_survival(trained, self.company, self.workspace, self.manifest)
            text = json.dumps(agreement.to_dict(), indent=1)
            self.registry.log(self.run_id, {}, {}, {"survival.json": text})
            done(learnt_months=survival.learnt)
        return replace(trained, survival=survival)

    @cached_property
    def tone(self) -> Tone | None:
        """What read the comments when the features were made."""
        return Tone.read(self.workspace.features(self.company.name))

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Every feature there can be."""
        return plan_for(self.manifest.schema, tone=self.tone).columns

    def _register(self, trained: TrainedTarget, guarded: ValidationChecks) -> tuple[Bundle, HoldoutResult]:
        columns = {c.name: c for c in self.columns}
        used = [columns[n] for n in trained.estimator.encoder.columns]
        facts = facts_of(trained, self.company, self.workspace, self.manifest, self.counts, used)
        tone = self.tone if any(c.reads(TONE) for c in used) else None
        facts["tone"] = digest_of(tone)
        bundle = Bundle(trained.estimator, trained.calibrator, {**facts, "version": "0"}, tone)
        meanings = {f["name"]: f["meaning"] for f in facts["features"]}
        seen = evaluate_on_holdout(bundle, trained.test)
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
             "guards.json": guarded.to_json(),
             "calibration.json": seen.to_json()},
            figures(trained.target.kind, trained.test.label, trained.predictions["model"],
                    trained.predictions["rule"], trained.test.weight,
                    trained.estimator.importance(), descriptions=meanings,
                    classes=trained.target.classes or None) | guarded.figures(),
        )  # fmt: skip
        tags = {k: str(facts[k]) for k in ("fingerprint", "code_revision", "horizon_days", "grade",
                                           "test_start")}  # fmt: skip
        version = self.registry.register(self.run_id, self.company.name, bundle, tags)
        manifest = {**facts, "version": version, "run_id": self.run_id}
        return Bundle(trained.estimator, trained.calibrator, manifest, tone), seen

    def decide(self, new: Candidate) -> Outcome:
        """Promote a better model; keep the champion otherwise; refuse what loses to its rule.

        Also refused is what loses to its rule in one group of customers, beyond chance.
        """
        trained, bundle, objection = new.trained, new.bundle, new.guarded.slices.objection
        name, judged = trained.target.name, trained.evaluation
        serving = self.workspace.serving(self.company.name)
        metrics = flat_metrics(judged)
        old, lost = self._champion(name)
        if judged.grade == "C" or objection:
            decision = "kept" if old else "refused"
            reason = judged.reason if judged.grade == "C" else str(objection)
        else:
            decision, reason = self._compare(trained, old)
            reason = f"{lost}; {reason}" if lost else reason
        if decision == "promoted":
            whole = replace(bundle, about=about_of(trained.evaluation, new.seen, new.card))
            write_bundle(whole, serving / name / bundle.version)
            set_champion(serving, name, bundle.version)
            self.registry.promote(self.company.name, name, bundle.version)
        self._leave_card(new, decision == "promoted")
        self.registry.log(self.run_id, {"decision": decision, "decision_reason": reason}, {})
        colour = {"promoted": "green", "kept": "cyan", "refused": "red"}[decision]
        self.steps.note(f"  [{colour}]{name} {decision}[/]: {reason}")
        version = bundle.version if decision == "promoted" else (old.version if old else None)
        return Outcome(name, decision, reason, version, judged.grade, metrics)

    def _leave_card(self, new: Candidate, serves: bool) -> None:
        """The card of the serving version, and what the report draws from the last training."""
        folder, name = self.workspace.cards(self.company.name), new.trained.target.name
        if serves:
            new.card.write(folder, name)
        new.guarded.write(folder / f"{name}.json")

    def _champion(self, target: str) -> tuple[Bundle | None, str | None]:
        """The serving model, or why a broken one does not count."""
        try:
            return load_champion(self.workspace.serving(self.company.name), target), None
        except DataRefused as err:
            return None, f"the champion cannot be read ({err})"

    def _compare(self, trained: TrainedTarget, old: Bundle | None) -> tuple[str, str]:
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
        champions = old.calibrated(features)
        verdict = compare_with_champion(
            trained.target.kind, test.label, trained.predictions["model"], champions, test.weight,
            test.customer,
        )  # fmt: skip
        if not verdict:
            return "kept", verdict.reason
        beside = compare_by_slice(
            trained.target, test, trained.predictions["model"], champions, "champion"
        )
        return ("kept", beside.objection) if beside.objection else ("promoted", verdict.reason)
