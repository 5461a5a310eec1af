"""Inputs of the reports from a company's folders: manifest, models, training decisions, scores."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest
from features.settings import Workspace
from insight.calls.call_ranking import is_current
from models.bundles.bundle import Bundle
from models.bundles.champions import load_champions
from models.training_set.build_training_sets import LabelCounts, read_counts


@dataclass(frozen=True)
class TrainingDecision:
    """Decision of the last training run about a target; `metrics` are those of the trained model."""

    target: str
    decision: str
    reason: str
    grade: str | None
    metrics: dict[str, float]


@dataclass(frozen=True)
class ScoreColumns:
    """Columns of the scores file, the instant of the predictions, and the model versions behind them."""

    columns: dict[str, NDArray[Any]]
    as_of: datetime
    versions: dict[str, str]

    def __len__(self) -> int:
        return len(self.columns["customer_id"])

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column as floats."""
        return np.asarray(self.columns[name], np.float64)

    @property
    def current(self) -> NDArray[np.bool_]:
        """Mask of current customers (`insight.calls.call_ranking`)."""
        return is_current(self.columns, len(self))


@dataclass(frozen=True)
class ReportFacts:
    """Inputs of the reports; all of it fits in memory."""

    company: Company
    workspace: Workspace
    manifest: Manifest
    bundles: dict[str, Bundle]
    missing: dict[str, str]
    decisions: dict[str, TrainingDecision]
    counts: dict[str, LabelCounts]
    scores: ScoreColumns | None


def load_report_facts(company: Company, workspace: Workspace) -> ReportFacts:
    """Read the inputs. Raises DataRefused without a history; everything else may be missing."""
    manifest = Manifest.read(workspace, company.name)
    bundles, missing = load_champions(workspace.serving(company.name))
    try:
        counts, untrainable = read_counts(company, workspace)
    except DataRefused as err:
        counts, untrainable = {}, {}
        missing = {target: f"{why}; {err}" for target, why in missing.items()}
    return ReportFacts(
        company=company,
        workspace=workspace,
        manifest=manifest,
        bundles=bundles,
        missing={target: untrainable.get(target, why) for target, why in missing.items()},
        decisions=read_decisions(company, workspace),
        counts=counts,
        scores=read_scores(company, workspace),
    )


def read_decisions(company: Company, workspace: Workspace) -> dict[str, TrainingDecision]:
    """Read the decisions of the last training run by target; empty before the first one."""
    path = workspace.company(company.name) / "outcomes.json"
    if not path.is_file():
        return {}
    rows = json.loads(path.read_text(encoding="utf-8"))
    return {
        row["target"]: TrainingDecision(
            row["target"], row["decision"], row["reason"], row["grade"], row["metrics"] or {}
        )
        for row in rows
    }


def read_scores(company: Company, workspace: Workspace) -> ScoreColumns | None:
    """Read the scores file; None before the first scoring. Raises DataRefused for an empty one."""
    path = workspace.scores(company.name)
    if not path.exists():
        return None
    table = pq.read_table(path)
    if not table.num_rows:
        raise DataRefused(f"{path} holds no customer; create it again with `goodwill score`")
    versions = {
        name.removesuffix("_version"): str(table[name][0])
        for name in table.column_names
        if name.endswith("_version")
    }
    return ScoreColumns(
        {name: _numpy(table[name]) for name in table.column_names if name != "as_of"},
        table["as_of"][0].as_py(),
        versions,
    )


def _numpy(column: pa.ChunkedArray) -> NDArray[Any]:
    return np.asarray(column.to_numpy())
