"""One target's part in a training night: judge, refit, register, promote or keep the champion.

A model is trained on all but the latest labels and judged on those, in the target's MLflow run. The same
recipe is then fitted on all labels, in a run below that one; this refit is registered, and serves
(docs/decisions/0023-judged-then-refitted.md).
"""

import json
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from features.atomic_write import remove_path
from features.config.company import Company
from features.definitions.feature_registry import FeatureColumn
from features.errors import DataRefused
from features.feature_table import plan_for
from features.history.derived_columns import TONE
from features.history_store import Manifest
from features.progress import Steps
from features.result_sets import published_path
from features.settings import Workspace
from features.text.comment_score_model import CommentScoreModel, model_digest
from models.bundles.bundle import Bundle, write_bundle
from models.bundles.champions import load_champion, set_champion
from models.bundles.judged_bundle import read_judged, write_judged
from models.bundles.model_manifest import VERSION_TAGS, ModelManifest
from models.model_card.card_content import build_card
from models.model_card.describe_model import describe_model, summarise_holdout
from models.model_card.describe_run import (
    describe_judged_run,
    describe_registered_model,
    describe_version,
)
from models.model_card.render_card import Card
from models.pipeline.champion_rule import Promotion, decide_promotion
from models.targets.registry import TARGETS
from models.training.fit_survival import fit_survival, refit_survival
from models.training.hyperparameters import load_params
from models.training.train import (
    TrainedTarget,
    TrainingRows,
    count_labels,
    flatten_metrics,
    load_rows,
    point_metrics,
    refit_on_all,
    train,
    training_set_path,
)
from models.training_set.build_training_sets import LabelCounts
from models.training_set.dataset_summary import DatasetSummary, summarise_dataset
from models.validation.holdout_evaluation import HoldoutResult, evaluate_on_holdout
from models.validation.refit_agreement import RefitAgreement, compare_with_judged
from models.validation.validation_checks import ValidationChecks, run_checks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from models.bundles.mlflow_registry import Registry

#: What the MLflow run shows of a model's manifest, as parameters.
RUN_PARAMETERS = ("kind", "horizon_days", "gap_days", "test_start", "valid_start", "fingerprint",
                  "code_revision", "grade")  # fmt: skip
#: What the MLflow run of a refit shows of its manifest, as parameters.
REFIT_PARAMETERS = ("kind", "horizon_days", "gap_days", "fingerprint", "code_revision", "data_end",
                    "labels_until", "judged_run")  # fmt: skip

#: The file of a run with the 95% intervals of its measures, which would make poor charts.
INTERVALS = "intervals.json"


@dataclass(frozen=True)
class Outcome:
    """The outcome for one target: `promoted`, `kept`, `refused` by the gate, or `skipped`."""

    target: str
    decision: str
    reason: str
    version: str | None = None
    grade: str | None = None
    metrics: dict[str, float] | None = None


@dataclass(frozen=True)
class Candidate:
    """A new version, registered and not yet promoted: the judged model, and its refit that may serve."""

    trained: TrainedTarget
    checks: ValidationChecks
    judged: Bundle
    bundle: Bundle
    agreement: RefitAgreement
    card: Card | None
    holdout: HoldoutResult


@dataclass(frozen=True)
class TargetTraining:
    """Train one target inside its MLflow run."""

    company: Company
    workspace: Workspace
    steps: Steps
    registry: "Registry"
    run_id: str
    manifest: Manifest
    counts: LabelCounts

    def train(self, name: str) -> Candidate:
        """Train and judge a target, run the validation checks, refit, log and register a version."""
        with self.steps.step(f"train {name}") as done:
            rows = load_rows(self.company, self.workspace, name)
            tuned = load_params(self.company, self.workspace, TARGETS[name])
            trained = train(TARGETS[name], self.company, rows, tuned)
            evaluation = trained.evaluation
            best = evaluation.metrics["model"][evaluation.primary].value
            rule = evaluation.metrics["rule"][evaluation.primary].value
            done(grade=evaluation.grade, **{evaluation.primary: best, "rule": rule},
                 rounds=trained.estimator.rounds, test_rows=evaluation.rows,
                 origins=len(trained.origins.each))  # fmt: skip
        trained = self._with_survival(trained)
        with self.steps.step(f"validate {name}") as done:
            checks = run_checks(trained, rows)
            worst, lasts = checks.slices.worst, checks.staleness.lasts
            done(groups=len(checks.slices.judged), worst=worst.name if worst else None,
                 lasts_months=lasts, warnings=len(checks.warnings))  # fmt: skip
        for warning in checks.warnings:
            self.steps.note(f"  [yellow]–[/] {warning}")
        with self.steps.step(f"refit {name}") as done:
            refitted = refit_on_all(trained, rows)
            if _has_tenure(refitted):
                curve = refit_survival(refitted, self.company, self.workspace, self.manifest)
                refitted = replace(refitted, survival=curve)
            agreement = compare_with_judged(trained, refitted)
            done(rows=int(refitted.learnt.sum()), **agreement.to_dict())
        with self.steps.step(f"log {name}") as done:
            judged = self._bundle(trained)
            holdout = evaluate_on_holdout(judged, trained.test)
            self._log(trained, checks, judged.manifest, holdout)
            self._log_inputs(trained, rows)
            bundle = self._register(refitted, rows, agreement)
            card = None
            with self.steps.optional(f"model card of {name}"):
                card = build_card(trained, bundle.manifest, checks)
                pages = {"card.md": card.markdown(), "card.html": card.html()}
                for run in (self.run_id, bundle.manifest.run_id):
                    self.registry.log(run, {}, {}, pages)
            done(version=bundle.version)
        return Candidate(trained, checks, judged, bundle, agreement, card, holdout)

    def _with_survival(self, trained: TrainedTarget) -> TrainedTarget:
        """Add the survival curve of a churn model, fitted on the history after each cutoff."""
        if not _has_tenure(trained):
            return trained
        with self.steps.step("survival curve") as done:
            survival, agreement = fit_survival(trained, self.company, self.workspace, self.manifest)
            text = json.dumps(agreement.to_dict(), indent=1)
            self.registry.log(self.run_id, {}, {}, {"survival.json": text})
            done(learnt_months=survival.learnt)
        return replace(trained, survival=survival)

    @cached_property
    def comment_model(self) -> CommentScoreModel | None:
        """The model that read the comments when the features were built."""
        return CommentScoreModel.read(self.workspace.features(self.company.name))

    @cached_property
    def columns(self) -> tuple[FeatureColumn, ...]:
        """Every feature column that the company's tables allow."""
        return plan_for(self.manifest.schema, comment_model=self.comment_model).columns

    def _bundle(self, trained: TrainedTarget) -> Bundle:
        """A trained model with its description; no version yet."""
        columns = {c.name: c for c in self.columns}
        used = [columns[n] for n in trained.estimator.encoder.columns]
        comment_model = self.comment_model if any(c.reads(TONE) for c in used) else None
        manifest = describe_model(
            trained, self.company, self.workspace, self.manifest, self.counts, used,
            model_digest(comment_model),
        )  # fmt: skip
        manifest = replace(manifest, run_id=self.run_id, judged_run=self.run_id)
        return Bundle(
            trained.estimator, trained.calibrator, manifest, comment_model, typical=trained.typical
        )

    def _log_inputs(self, trained: TrainedTarget, rows: TrainingRows) -> None:
        """Log the learning curve of a judged model, and what it learnt from and was judged on."""
        if trained.recipe.first.curve:
            self.registry.log_curve(self.run_id, trained.recipe.first.curve)
        known = self._dataset(trained, rows.take(trained.learnt), "training")
        self.registry.log_datasets(
            self.run_id, [known, self._dataset(trained, trained.test, "test")]
        )

    def _dataset(self, trained: TrainedTarget, rows: TrainingRows, context: str) -> DatasetSummary:
        """Rows of a target's training set as a dataset input: no values, only columns and counts."""
        name = trained.target.name
        path = published_path(training_set_path(self.company, self.workspace, name))
        source = path.relative_to(self.workspace.home).as_posix()
        counts = count_labels(trained.target, rows.label)
        return summarise_dataset(name, context, source, rows, counts)

    def _register(
        self, refitted: TrainedTarget, rows: TrainingRows, agreement: RefitAgreement
    ) -> Bundle:
        """Log the refit in a run below that of the judged model, and register it as a version."""
        target, company = refitted.target, self.company.name
        bundle, page = self._bundle(refitted), self.registry.page
        with self.registry.run(company, f"{target.name} refit", self.run_id) as run_id:
            parameters = {k: getattr(bundle.manifest, k) for k in REFIT_PARAMETERS}
            parameters |= {"rows": int(refitted.learnt.sum()), "rounds": refitted.estimator.rounds,
                           "calibration": refitted.calibrator.method}  # fmt: skip
            card = page(run_id, "card.html")
            text = describe_version(refitted, bundle.manifest, card, page(self.run_id))
            self.registry.log(run_id, parameters, agreement.to_dict(), description=text)
            self.registry.log_datasets(run_id, [self._dataset(refitted, rows, "training")])
            tags = {k: str(getattr(bundle.manifest, k)) for k in VERSION_TAGS}
            version = self.registry.register(run_id, company, bundle, tags, text)
            summary = describe_registered_model(self.company, target)
            self.registry.describe_model(company, target.name, summary)
        manifest = replace(
            bundle.manifest, version=version, run_id=run_id, refit_agreement=agreement.to_dict()
        )
        return replace(bundle, manifest=manifest)

    def _log(
        self,
        trained: TrainedTarget,
        checks: ValidationChecks,
        manifest: ModelManifest,
        holdout: HoldoutResult,
    ) -> None:
        """Log parameters, measures, description, texts and plots of a model that has no version yet."""
        content = {k: v for k, v in manifest.content.items() if k not in ("version", "run_id")}
        self.registry.log(
            self.run_id,
            {k: getattr(manifest, k) for k in RUN_PARAMETERS}
            | {f"param_{k}": v for k, v in asdict(trained.params).items()}
            | {"rounds": trained.estimator.rounds, "calibration": trained.calibrator.method,
               "cutoffs": ", ".join(c[:10] for c in self.counts.cutoffs)}
            | {f"labels_{k}": v for k, v in trained.label_counts.items()},
            point_metrics(trained.evaluation),
            {"evaluation.json": trained.evaluation.to_json(),
             "origins.json": json.dumps(trained.origins.to_dict(), indent=1),
             "evaluation.txt": trained.evaluation.table().to_string(),
             "manifest.json": json.dumps(content, indent=1, default=str),
             "labels.json": json.dumps(asdict(self.counts), indent=1),
             "guards.json": checks.to_json(),
             "calibration.json": holdout.to_json()},
            description=describe_judged_run(
                trained, manifest, self.registry.page(self.run_id, "card.html")
            ),
        )  # fmt: skip
        self.registry.log_table(self.run_id, INTERVALS, trained.evaluation.interval_rows())
        with self.steps.optional(f"plots of {trained.target.name}"):
            self.registry.log(self.run_id, {}, {}, {}, _plots(trained, checks, manifest))

    def decide(self, candidate: Candidate, objection: str | None = None) -> Outcome:
        """Apply the champion rule to a candidate, and record the decision.

        `objection` is why it must not serve beside the other targets' models, None if it may.
        """
        trained, bundle = candidate.trained, candidate.bundle
        name = trained.target.name
        champion, error = self._champion(name)
        promotion = decide_promotion(
            trained, candidate.checks.slices, champion, self.columns, self.comment_model,
            candidate.agreement,
        )  # fmt: skip
        if objection and promotion.decision == "promoted":
            promotion = Promotion("kept" if champion else "refused", objection)
        promoted, reason = promotion.decision == "promoted", promotion.reason
        if error and trained.evaluation.grade != "C" and not candidate.checks.slices.objection:
            reason = f"{error}; {reason}"
        if promoted:
            self._promote(candidate)
        candidate.checks.write(self.workspace.cards(self.company.name) / f"{name}.json")
        decision = promotion.decision
        self.registry.log(self.run_id, {"decision": decision, "decision_reason": reason}, {})
        colour = {"promoted": "green", "kept": "cyan", "refused": "red"}[decision]
        self.steps.note(f"  [{colour}]{name} {decision}[/]: {reason}")
        version = bundle.version if promoted else (champion.version if champion else None)
        metrics = flatten_metrics(trained.evaluation)
        return Outcome(name, decision, reason, version, trained.evaluation.grade, metrics)

    def _promote(self, candidate: Candidate) -> None:
        """Export the bundle, make it the champion, and write its card.

        The MLflow aliases follow once the results are published.
        """
        name, bundle = candidate.trained.target.name, candidate.bundle
        serving = self.workspace.serving(self.company.name)
        about = None
        if candidate.card:
            about = summarise_holdout(
                candidate.trained.evaluation,
                candidate.trained.origins,
                candidate.holdout,
                candidate.card,
            )
        folder = write_bundle(replace(bundle, about=about), serving / name / bundle.version)
        manifest = replace(candidate.judged.manifest, version=bundle.version)
        write_judged(replace(candidate.judged, manifest=manifest), folder)
        set_champion(serving, name, bundle.version)
        cards = self.workspace.cards(self.company.name)
        if candidate.card:
            candidate.card.write(cards, name)
        else:  # the card of another version would be wrong
            for ending in ("md", "html"):
                remove_path(cards / f"{name}.{ending}")

    def _champion(self, target: str) -> tuple[Bundle | None, str | None]:
        """The judged model of the serving version, or None and why it cannot be read."""
        serving = self.workspace.serving(self.company.name)
        try:
            champion = load_champion(serving, target)
            return read_judged(serving, champion) if champion else None, None
        except DataRefused as err:
            return None, f"the champion cannot be read ({err})"


def _has_tenure(trained: TrainedTarget) -> bool:
    """Whether the history tells how long customers stay: of churn, unless it is without dates."""
    return trained.target.name == "churn" and not trained.config.is_snapshot


def _plots(
    trained: TrainedTarget, checks: ValidationChecks, manifest: ModelManifest
) -> "dict[str, Figure]":
    """The plots of a model's run."""
    from models.plots.all_plots import draw_all  # matplotlib

    drawn = draw_all(
        trained.target.kind, trained.test.label, trained.predictions["model"],
        trained.predictions["rule"], trained.test.weight, trained.estimator.importance(),
        descriptions={f["name"]: f["meaning"] for f in manifest.features},
        classes=trained.target.classes or None,
    )  # fmt: skip
    return drawn | checks.figures()
