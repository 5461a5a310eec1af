"""Write the reasons file: the strongest factors behind every score, as sentences."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from features.config.company import Company
from features.errors import DataRefused
from features.execution.file_metadata import read_metadata
from features.execution.partitions import LOCAL, CustomerRange, Runner, open_parquet
from features.history_store import Manifest, read_block
from features.progress import Steps
from features.settings import Workspace
from models.bundles.champions import load_champions, match_comment_model, snapshot_comment_model
from models.explain.previous_window import PreviousValues, previous_values
from models.explain.reasons import Explainer
from models.explain.reasons_table import reason_table
from models.scoring.batch_scores import split_for_runner

#: Reasons of each customer and target.
TOP = 3


@dataclass(frozen=True)
class ReasonWriter:
    """Explains the scores of a range of customers, in this process or on another machine.

    `history` is the history behind the snapshot, for the values of the previous windows; None when
    the stored history is another one.
    """

    explainers: tuple[Explainer, ...]
    history: Path | None
    threads: int
    top: int = TOP

    def table(self, piece: tuple[Path, CustomerRange]) -> pa.Table:
        """Explain one piece of the snapshot: one row a customer, target and reason."""
        file, customers = piece
        return self.explain(customers.read(file), customers)

    def explain(self, features: pa.Table, customers: CustomerRange) -> pa.Table:
        """Explain the scores of the given feature rows, sorted by target and customer."""
        previous = self._previous_values(features, customers)
        return pa.concat_tables(
            [
                reason_table(explainer, features, self.top, previous)
                for explainer in self.explainers
            ]
        )  # fmt: skip

    def _previous_values(self, features: pa.Table, customers: CustomerRange) -> PreviousValues:
        if self.history is None:
            return {}
        columns = {n: c for r in self.explainers for n, c in r.columns.items()}
        tone = next((r.bundle.tone for r in self.explainers if r.bundle.tone), None)
        history = read_block(self.history, customers)
        return previous_values(history, features, columns.values(), tone, self.threads)


def explain_customers(
    company: Company, workspace: Workspace, steps: Steps, runner: Runner = LOCAL, top: int = TOP
) -> Path:
    """Explain the scores of every customer; returns the path of the file or of its parts.

    Raises DataRefused without a snapshot or any model that matches its comment score model.
    """
    snapshot = workspace.features(company.name) / "snapshot.parquet"
    if not snapshot.exists():
        raise DataRefused(f"no snapshot {snapshot}; make it with `goodwill features`")
    bundles, missing = load_champions(workspace.serving(company.name))
    bundles, others = match_comment_model(bundles, snapshot_comment_model(snapshot))
    if not bundles:
        reasons = "; ".join(f"{t}: {reason}" for t, reason in {**missing, **others}.items())
        raise DataRefused(
            f"no model of {company.name} to explain ({reasons}); run `goodwill train`"
        )
    for reason in others.values():
        steps.note(f"[yellow]–[/] not explained: {reason}")
    history = matching_history(workspace, company.name, snapshot, steps)
    writer = ReasonWriter(
        tuple(Explainer(b) for b in bundles.values()), history, runner.threads, top
    )
    path = workspace.scores(company.name).with_name("reasons.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    with steps.step("explain every score") as done:
        rows = runner.write(writer.table, split_for_runner(snapshot, runner), path, steps)
        done(rows=rows, targets=", ".join(bundles))
    return path


def matching_history(workspace: Workspace, name: str, snapshot: Path, steps: Steps) -> Path | None:
    """The history behind the snapshot; None, with a note, when the stored history is newer."""
    metadata = read_metadata(open_parquet(snapshot).schema)
    if metadata.get("fingerprint") == Manifest.read(workspace, name).fingerprint:
        return workspace.history(name)
    steps.note(
        "[yellow]–[/] reasons are not compared with the previous window: the history is newer "
        "than the snapshot; "
        "run `goodwill features`"
    )
    return None
