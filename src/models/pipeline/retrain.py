"""Retrain a company's models: the whole chain, as a scheduled job runs it."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from features.atomic_write import write_text_atomically
from features.company_lock import company_lock
from features.config.company import Company
from features.errors import DataRefused, GateFailed, NothingTrained
from features.history_store import Manifest
from features.import_history.accepted_losses import AcceptedLoss
from features.import_history.run_import import import_history
from features.progress import Steps
from features.result_sets import staged_results
from features.settings import Workspace
from models.bundles.model_manifest import code_revision
from models.bundles.store_failures import check_database
from models.leakage.check_leakage import check_leakage
from models.leakage.findings import raise_on_leaks
from models.nonresponse.nonresponse_results import write_nonresponse_results
from models.pipeline.repair_after_kill import follow_published_pointers, repair_after_kill
from models.pipeline.train_target import Candidate, Outcome, TargetTraining
from models.scoring.batch_scores import check_models
from models.scoring.checkpointed_batch import score_and_explain
from models.scoring.prediction_consistency import consistency_objection
from models.targets.registry import TARGETS
from models.training_set.build_training_sets import LabelCounts, build_features


def retrain(
    company: Company, workspace: Workspace, steps: Steps, accepted: AcceptedLoss | None = None
) -> list[Outcome]:
    """Import, check, build features, train, promote or keep, score and explain all customers.

    Tables that have lost rows are refused, except the `accepted` ones. Everything is published
    together at the end; after any exception the former results are as they were. Raises DataRefused
    or ConfigRefused (exit 3), NothingTrained (exit 6), AlreadyRunning (exit 5). The caller calls
    `check_gate` (exit 4) at the end, after the report is written.
    """

    def score_again(staged: Workspace, _: list[str]) -> None:
        score_and_explain(company, staged, steps)

    with company_lock(workspace, company.name):
        with staged_results(workspace, company.name, score_again) as staged:
            outcomes = run_chain(company, staged, steps, accepted)
        follow_published_pointers(workspace, company.name)
    return outcomes


def run_chain(
    company: Company, workspace: Workspace, steps: Steps, accepted: AcceptedLoss | None = None
) -> list[Outcome]:
    """The steps of `retrain` in a workspace whose results are staged.

    Raises EnvironmentFailed at once, not after the import, when the tracking database cannot be used.
    """
    check_database(workspace.tracking_database)
    import_history(company, workspace, steps, accepted=accepted)
    counts, unable = build_features(company, workspace, steps)
    outcomes = train_all(company, workspace, steps, counts, unable)
    if any(o.version for o in outcomes):
        score_and_explain(company, workspace, steps)
    if "surveys" in company.tables:
        write_nonresponse_results(company, workspace, steps)
    return outcomes


def check_gate(outcomes: list[Outcome]) -> None:
    """Raise GateFailed when a target has neither a new model nor a former champion to serve."""
    failed = [o for o in outcomes if o.decision == "refused"]
    if failed:
        lines = "\n".join(f"  - {o.target}: {o.reason}" for o in failed)
        raise GateFailed(f"no model is fit to serve for:\n{lines}")


def _inputs(
    company: Company, workspace: Workspace, manifest: Manifest
) -> tuple[dict[str, Any], dict[str, float], dict[str, str]]:
    """What a run of all targets starts from, as the parameters and files (no metrics) of its log."""
    parameters = {
        "company": company.name,
        "fingerprint": manifest.fingerprint,
        "data_end": manifest.data_end,
        "revision": code_revision(workspace),
        **{f"rows_{name}": rows for name, rows in manifest.rows.items()},
    }
    files = {
        "company.toml": company.path.read_text(encoding="utf-8"),
        "history.json": json.dumps(asdict(manifest), indent=1),
    }
    return parameters, {}, files


def train_all(
    company: Company,
    workspace: Workspace,
    steps: Steps,
    counts: dict[str, LabelCounts],
    unable: dict[str, str],
) -> list[Outcome]:
    """Train every target in `counts`, each in a child run of one parent run; then promote or keep.

    Nothing is promoted before all targets are trained. A target whose training is refused is
    skipped with the reason, like those in `unable` and those the leakage check doubts. Raises
    NothingTrained when no target can be trained, and LeakFound before any training for a leak.
    """
    with steps.step("open the tracking store"):
        from models.bundles.mlflow_registry import Registry

        registry = Registry(workspace)
        for note in repair_after_kill(company.name, workspace, registry):
            steps.note(f"  [yellow]–[/] {note}")
    manifest, unable = Manifest.read(workspace, company.name), dict(unable)
    name = f"retrain {datetime.now(UTC):%Y-%m-%d %H:%M}"
    outcomes, trained = [], []
    with registry.run(company.name, name) as parent:
        text = f"Training of all targets of {company.name}, on data up to {manifest.data_end[:10]}."
        registry.log(parent, *_inputs(company, workspace, manifest), description=text)
        report = check_leakage(company, workspace, manifest, counts, steps)
        registry.log(
            parent, {"leaks": len(report.findings)}, {}, {"leakage.json": report.to_json()}
        )
        raise_on_leaks(report)
        unable |= report.doubtful_targets()
        for target in [t for t in counts if t not in unable]:
            with registry.run(company.name, target, parent) as run_id:
                training = TargetTraining(
                    company, workspace, steps, registry, run_id, manifest, counts[target]
                )
                try:
                    trained.append((training, training.train(target)))
                except DataRefused as err:
                    unable[target] = str(err)
                except Exception as err:
                    unable[target] = steps.go_on_without(f"model of {target}", err)
        if counts and not trained:
            raise NothingTrained("\n".join(unable[target] for target in counts))
        for target, reason in unable.items():
            outcomes.append(Outcome(target, "skipped", reason))
            steps.note(f"[yellow]–[/] {target}: cannot be trained: {reason}")
        outcomes += _decide_all(trained, steps)
        outcomes.sort(key=lambda o: list(TARGETS).index(o.target))
        registry.log(parent, {f"outcome_{o.target}": o.decision for o in outcomes}, {})
    _write_outcomes(company, workspace, outcomes)
    return outcomes


def _decide_all(trained: list[tuple[TargetTraining, Candidate]], steps: Steps) -> list[Outcome]:
    """Promote or keep each candidate; a value model that contradicts the churn model is not promoted."""
    objection = _objection_to_value([candidate for _, candidate in trained], steps)
    return [
        _decide(t, c, steps, objection if c.trained.target.name == "value" else None)
        for t, c in trained
    ]


def _objection_to_value(candidates: list[Candidate], steps: Steps) -> str | None:
    """Why the new value model must not serve beside the new churn model; None where both agree.

    Compared on the test rows of value, which neither has learnt from.
    """
    bundles = {c.trained.target.name: c.bundle for c in candidates}
    bundles = {name: bundles[name] for name in ("churn", "value") if name in bundles}
    if len(bundles) < 2:
        return None
    test = next(c.trained.test for c in candidates if c.trained.target.name == "value")
    with steps.step("agreement of churn and value") as done:
        checks = check_models(bundles, test.features)
        done(**{c.name: f"{c.share:.2%} contradict" for c in checks})
    return consistency_objection(checks)


def _decide(
    training: TargetTraining, candidate: Candidate, steps: Steps, objection: str | None = None
) -> Outcome:
    """Promote or keep; a target whose decision fails keeps its champion and does not stop the others."""
    try:
        return training.decide(candidate, objection)
    except Exception as err:
        target = candidate.trained.target.name
        return Outcome(target, "skipped", steps.go_on_without(f"decision on {target}", err))


def _write_outcomes(company: Company, workspace: Workspace, outcomes: list[Outcome]) -> None:
    path = workspace.company(company.name) / "outcomes.json"
    write_text_atomically(path, json.dumps([asdict(o) for o in outcomes], indent=1))
