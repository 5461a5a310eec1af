"""Write the scores file: one row a customer with all predictions and the model versions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.errors import DataRefused
from features.execution.partitions import (
    LOCAL,
    CustomerRange,
    Runner,
    open_parquet,
    part_files,
    split_customers,
)
from features.progress import Steps
from features.settings import Workspace
from models.bundles.bundle import Bundle
from models.bundles.champions import (
    load_champions,
    match_comment_model,
    snapshot_comment_model,
)
from models.bundles.predict import OUTPUTS, predict
from models.bundles.unknown_categories import unknown_category_warnings
from models.scoring.prediction_consistency import ConsistencyCheck, check_consistency
from models.scoring.score_history import VERSIONS, store_scores


def score_customers(
    company: Company, workspace: Workspace, steps: Steps, runner: Runner = LOCAL
) -> Path:
    """Score every customer of the snapshot; returns the path of the file or of its parts.

    Targets without a model have no columns. Raises DataRefused without a snapshot or any model, and
    when every model reads comments with another model than the snapshot was made with.
    """
    bundles, snapshot = load_snapshot_models(company, workspace, steps)
    path = workspace.scores(company.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with steps.step("score every customer") as done:
        rows = runner.write(
            partial(_scores, bundles), split_for_runner(snapshot, runner), path, steps
        )
        done(rows=rows, targets=", ".join(bundles))
    finish_scoring(path, snapshot, bundles, steps)
    return path


def load_snapshot_models(
    company: Company, workspace: Workspace, steps: Steps
) -> tuple[dict[str, Bundle], Path]:
    """Load the champions that match the snapshot's comment score model, and locate the snapshot.

    Notes each target that is not scored, with the reason. Raises DataRefused without a snapshot or
    any matching model.
    """
    bundles, missing = load_champions(workspace.serving(company.name))
    snapshot = workspace.features(company.name) / "snapshot.parquet"
    if not snapshot.exists():
        raise DataRefused(f"no snapshot {snapshot}; make it with `goodwill features`")
    if not bundles:
        reasons = "; ".join(f"{t}: {reason}" for t, reason in missing.items())
        raise DataRefused(
            f"no model of {company.name} to score with ({reasons}); run `goodwill train`"
        )
    bundles, others = match_comment_model(bundles, snapshot_comment_model(snapshot))
    if not bundles:
        raise DataRefused("; ".join(others.values()))
    for reason in others.values():
        steps.note(f"[yellow]–[/] not scored: {reason}")
    return bundles, snapshot


def finish_scoring(path: Path, snapshot: Path, bundles: dict[str, Bundle], steps: Steps) -> None:
    """Store the scores in the history, check their consistency, warn of unknown categories."""
    store_scores(path)
    with steps.step("check consistency of predictions") as done:
        warnings = [
            w for bundle in bundles.values() for w in unknown_category_warnings(bundle, snapshot)
        ]
        checks = check_scores(path, snapshot, bundles)
        shares = {c.name: f"{c.share:.2%} contradict" for c in checks}
        done(**shares, unknown_categories=len(warnings))
    for warning in warnings:
        steps.note(f"[yellow]–[/] {warning}")


def check_scores(path: Path, snapshot: Path, bundles: dict[str, Bundle]) -> list[ConsistencyCheck]:
    """Count the customers with contradicting predictions; writes `agreement.json` next to the scores."""
    scores = open_parquet(path).to_table()
    outputs = {
        target: {n: scores[f"{target}_{n}"].to_numpy() for n in OUTPUTS[target] if n != "survival"}
        for target in bundles
    }
    table = open_parquet(snapshot)
    level = _spending_level(bundles, lambda columns: table.to_table(columns))
    checks = check_consistency(outputs, level, churn_is_silence(bundles))
    text = json.dumps([{**asdict(c), "share": c.share} for c in checks], indent=1)
    write_text_atomically(path.parent / "agreement.json", text)
    return checks


def check_models(bundles: Mapping[str, Bundle], features: pa.Table) -> list[ConsistencyCheck]:
    """Check that models which may serve together do not contradict each other on feature rows."""
    outputs = {target: predict(bundle, features) for target, bundle in bundles.items()}
    level = _spending_level(bundles, features.select)
    return check_consistency(outputs, level, churn_is_silence(bundles))


def churn_is_silence(bundles: Mapping[str, Bundle]) -> bool:
    """Whether the churn model predicts silence rather than a cancellation."""
    return "churn" in bundles and bundles["churn"].manifest.definition == "silence"


def _spending_level(
    bundles: Mapping[str, Bundle], read: Callable[[list[str]], pa.Table]
) -> NDArray[np.float64] | None:
    """The spending level of each customer; None unless churn and value have the same horizon."""
    value, churn = bundles.get("value"), bundles.get("churn")
    if not (value and churn and value.spend):
        return None
    if value.manifest.horizon_days != churn.manifest.horizon_days:
        return None
    return value.spend.usual(read([*value.manifest.also_reads]))


def split_for_runner(snapshot: Path, runner: Runner) -> list[tuple[Path, CustomerRange]]:
    """Split the snapshot's customers into the pieces that the runner works on, with their file."""
    customers = sum(pq.read_metadata(file).num_rows for file in part_files(snapshot))
    return split_snapshot(snapshot, runner.size(customers))


def split_snapshot(snapshot: Path, size: int) -> list[tuple[Path, CustomerRange]]:
    """Split the snapshot's customers into pieces of at most `size`, with their file."""
    ids = {file: pq.read_table(file, columns=["customer_id"]) for file in part_files(snapshot)}
    return [
        (file, customers)
        for file, table in ids.items()
        for customers in split_customers(table["customer_id"].to_pylist(), size)
    ]


def _scores(bundles: dict[str, Bundle], piece: tuple[Path, CustomerRange]) -> pa.Table:
    file, customers = piece
    return score_table(customers.read(file), bundles)


def score_table(features: pa.Table, bundles: dict[str, Bundle]) -> pa.Table:
    """Score feature rows: `customer_id`, `as_of`, `<target>_<output>` columns, then versions."""
    columns = {"customer_id": features["customer_id"], "as_of": features["cutoff"]}
    for target, bundle in bundles.items():
        outputs = predict(bundle, features)
        for name in OUTPUTS[target]:
            columns[f"{target}_{name}"] = _column(np.asarray(outputs[name]))
    for target, bundle in bundles.items():
        columns[f"{target}_version"] = pa.array([bundle.version] * features.num_rows)
    versions = json.dumps({t: b.version for t, b in bundles.items()})
    return pa.table(columns).replace_schema_metadata({VERSIONS: versions.encode()})


def _column(values: NDArray[Any]) -> pa.Array:
    """Return a column of the file; what is NaN, or a curve with NaN, is missing (null)."""
    if values.dtype.kind != "f":
        return pa.array(values.tolist())
    missing = np.isnan(values) if values.ndim == 1 else np.isnan(values).any(axis=1)
    return pa.array(
        [None if gone else one for one, gone in zip(values.tolist(), missing, strict=True)],
        pa.float64() if values.ndim == 1 else pa.list_(pa.float64()),
    )
