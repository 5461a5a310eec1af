"""Score and explain every customer in one pass, in checkpointed blocks that survive a kill."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa

from features.config.company import Company
from features.execution.checkpoints import CheckpointedTables
from features.execution.partitions import CustomerRange, part_files
from features.progress import Steps
from features.settings import Settings, Workspace
from models.bundles.bundle import Bundle, read_bundle
from models.explain.reasons import Explainer
from models.scoring.batch_reasons import TOP, ReasonWriter, matching_history
from models.scoring.batch_scores import (
    finish_scoring,
    load_snapshot_models,
    score_table,
    split_snapshot,
)

#: Most customers of a block: explaining them takes some hundred megabytes.
BLOCK = 20_000
TABLES = ("reasons", "scores")


@dataclass(frozen=True)
class BatchJob:
    """What every block needs; small enough to be sent to another process."""

    serving: Path
    versions: tuple[tuple[str, str], ...]
    history: Path | None
    top: int

    def tables(self, piece: tuple[Path, CustomerRange]) -> dict[str, pa.Table]:
        """Score and explain the customers of one piece."""
        file, customers = piece
        features = customers.read(file)
        bundles, writer = _load(self)
        return {
            "reasons": writer.explain(features, customers),
            "scores": score_table(features, bundles),
        }


@cache
def _load(job: BatchJob) -> tuple[dict[str, Bundle], ReasonWriter]:
    """Load the models of a job, once per process."""
    bundles = {target: read_bundle(job.serving / target / v) for target, v in job.versions}
    return bundles, ReasonWriter(tuple(map(Explainer, bundles.values())), job.history, 1, job.top)


def score_and_explain(
    company: Company, workspace: Workspace, steps: Steps, top: int = TOP
) -> tuple[Path, Path]:
    """Score and explain every customer of the snapshot; returns the paths of both tables.

    Resumes from the blocks of a killed run when models and snapshot are the same. Neither table
    changes before all blocks are done. Raises DataRefused as `score_customers` does.
    """
    bundles, snapshot = load_snapshot_models(company, workspace, steps)
    history = matching_history(workspace, company.name, snapshot, steps)
    versions = {target: bundle.version for target, bundle in bundles.items()}
    job = BatchJob(workspace.serving(company.name), tuple(versions.items()), history, top)
    scores = workspace.scores(company.name)
    reasons = scores.with_name("reasons.parquet")
    settings = Settings()
    pieces = split_snapshot(snapshot, min(BLOCK, settings.block_customers))
    stamp = [[f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in part_files(snapshot)]
    made_of = {"versions": versions, "snapshot": stamp, "compared": bool(history), "top": top}
    blocks = CheckpointedTables[tuple[Path, CustomerRange]](
        workspace.checkpoints(company.name), TABLES, made_of
    )
    with steps.step("score and explain every customer") as done:
        scores.parent.mkdir(parents=True, exist_ok=True)
        kept = blocks.make(job.tables, pieces, steps, settings.threads)
        for name, path in (("reasons", reasons), ("scores", scores)):
            blocks.publish(name, path)
        blocks.clean_up()
        done(blocks=len(pieces), from_before=kept, targets=", ".join(bundles))
    finish_scoring(scores, snapshot, bundles, steps)
    return scores, reasons
