"""The whole chain for one company, as a scheduled job runs it with nobody watching."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime

from filelock import FileLock, Timeout

from features.config.company import Company
from features.errors import AlreadyRunning, DataRefused, GateFailed
from features.import_history.run_import import import_history
from features.history_store import Manifest
from features.progress import Steps
from features.settings import Workspace
from models.bundles.mlflow_registry import Registry, code_revision
from models.leakage.check_leakage import check_leakage
from models.leakage.findings import raise_on_leaks
from models.nonresponse.nonresponse_results import write_population
from models.pipeline.train_target import TargetTraining, Outcome
from models.scoring.batch import score_everyone
from models.targets.registry import TARGETS
from models.training_set.build_training_sets import LabelCounts, build_features


def retrain(company: Company, workspace: Workspace, steps: Steps) -> list[Outcome]:
    """Import, check, build features, train, judge, promote or keep, and score everyone.

    Raises DataRefused or ConfigRefused (exit 3) with nothing overwritten, AlreadyRunning (exit 5).
    The caller ends with `check_gate` (exit 4), after the report is written.
    """
    with company_lock(company, workspace), _as_before_if_refused(company, workspace):
        import_history(company, workspace, steps)
        counts, unable = build_features(company, workspace, steps)
        outcomes = train_all(company, workspace, steps, counts, unable)
        if any(o.version for o in outcomes):
            score_everyone(company, workspace, steps)
        if "surveys" in company.tables:
            write_population(company, workspace, steps)
    return outcomes


@contextmanager
def company_lock(company: Company, workspace: Workspace) -> Iterator[None]:
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
    Raises LeakFound before anything is trained when the leak court charges something.
    """
    with steps.step("open the tracking store"):
        registry = Registry(workspace)
        registry.sweep(company.name)
    manifest, unable = Manifest.read(workspace, company.name), dict(unable)
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
        verdict = check_leakage(company, workspace, manifest, counts, steps)
        registry.log(parent, {"leaks": len(verdict.charges)}, {}, {"court.json": verdict.to_json()})
        raise_on_leaks(verdict)
        for target in counts:
            with registry.run(company.name, target, parent) as run_id:
                job = TargetTraining(company, workspace, steps, registry, run_id, manifest, counts[target])
                try:
                    trained.append((job, job.train(target)))
                except DataRefused as err:
                    if TARGETS[target].on_calendar or len(unable) == len(TARGETS) - 1:
                        raise
                    unable[target] = str(err)  # too few answers do not stop churn and value
        for target, why in unable.items():
            outcomes.append(Outcome(target, "skipped", why))
            steps.note(f"[yellow]–[/] {target}: cannot be trained: {why}")
        outcomes += [job.decide(candidate) for job, candidate in trained]
        outcomes.sort(key=lambda o: list(TARGETS).index(o.target))
        registry.log(parent, {f"outcome_{o.target}": o.decision for o in outcomes}, {})
    _write_outcomes(company, workspace, outcomes)
    return outcomes


def _write_outcomes(company: Company, workspace: Workspace, outcomes: list[Outcome]) -> None:
    path = workspace.company(company.name) / "outcomes.json"
    path.write_text(json.dumps([asdict(o) for o in outcomes], indent=1), encoding="utf-8")
