"""The reasons file beside the scores file: the few factors behind every score, in words."""

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow.dataset import dataset

from features.config.company import Company
from features.errors import DataRefused
from features.execution.partitions import LOCAL, CustomerRange, Runner
from features.history_store import Manifest, read_block
from features.progress import Steps
from features.settings import Workspace
from models.bundles.champions import load_champions, match_comment_model, snapshot_comment_model
from models.explain.previous_window import PreviousValues, previous_values
from models.explain.reasons import Explainer
from models.explain.reasons_table import reason_table
from models.scoring.batch_scores import pieces

#: Reasons a customer and target.
TOP = 3


@dataclass(frozen=True)
class ReasonWriter:
    """Tells the reasons of a span of customers, here or on another machine.

    `history` is where the windows before are looked up; None where it is not the snapshot's own.
    """

    reasoners: tuple[Explainer, ...]
    history: Path | None
    threads: int
    top: int = TOP

    def table(self, piece: tuple[Path, CustomerRange]) -> pa.Table:
        """One row a customer, target and reason, in the order of the customers of each target."""
        file, span = piece
        return self.told(span.read(file), span)

    def told(self, features: pa.Table, span: CustomerRange) -> pa.Table:
        """The same, of the features of these customers."""
        before = self._before(features, span)
        return pa.concat_tables(
            [
                reason_table(reasoner, features, self.top, before)
                for reasoner in self.reasoners
            ]
        )  # fmt: skip

    def _before(self, features: pa.Table, span: CustomerRange) -> PreviousValues:
        if self.history is None:
            return {}
        columns = {n: c for r in self.reasoners for n, c in r.columns.items()}
        tone = next((r.bundle.tone for r in self.reasoners if r.bundle.tone), None)
        known = read_block(self.history, span)
        return previous_values(known, features, columns.values(), tone, self.threads)


def explain_customers(
    company: Company, workspace: Workspace, steps: Steps, runner: Runner = LOCAL, top: int = TOP
) -> Path:
    """Write the reasons of every customer of the snapshot; the path of the file or its parts.

    Raises DataRefused without a snapshot or any model that reads comments as the snapshot does.
    """
    snapshot = workspace.features(company.name) / "snapshot.parquet"
    if not snapshot.exists():
        raise DataRefused(f"no snapshot {snapshot}; make it with `goodwill features`")
    bundles, missing = load_champions(workspace.serving(company.name))
    bundles, apart = match_comment_model(bundles, snapshot_comment_model(snapshot))
    if not bundles:
        whys = "; ".join(f"{t}: {why}" for t, why in {**missing, **apart}.items())
        raise DataRefused(f"no model of {company.name} to explain ({whys}); run `goodwill train`")
    for why in apart.values():
        steps.note(f"[yellow]–[/] not explained: {why}")
    history = matching_history(workspace, company.name, snapshot, steps)
    teller = ReasonWriter(
        tuple(Explainer(b) for b in bundles.values()), history, runner.threads, top
    )
    path = workspace.scores(company.name).with_name("reasons.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    with steps.step("reasons of every score") as done:
        rows = runner.write(teller.table, pieces(snapshot, runner), path, steps)
        done(rows=rows, targets=", ".join(bundles))
    return path


def matching_history(workspace: Workspace, name: str, snapshot: Path, steps: Steps) -> Path | None:
    """The history the snapshot was made of; None, and a note, where another one lies there now."""
    told = (dataset(snapshot).schema.metadata or {}).get(b"goodwill", b"{}")
    if json.loads(told).get("fingerprint") == Manifest.read(workspace, name).fingerprint:
        return workspace.history(name)
    steps.note(
        "[yellow]–[/] reasons compare with no earlier window: the history is newer than the snapshot; "
        "run `goodwill features`"
    )
    return None
