"""The nightly scores file: one row a customer with all predictions and the versions behind them."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow.dataset import dataset

from features.config.company import Company
from features.errors import DataRefused
from features.execution.partitions import LOCAL, CustomerRange, Runner, part_files, split_customers
from features.progress import Steps
from features.settings import Workspace
from models.bundles.bundle import Bundle
from models.bundles.predict import OUTPUTS, predict
from models.bundles.unknown_categories import unknown_category_warnings
from models.scoring.consistency import ConsistencyCheck, check_consistency
from models.scoring.score_history import VERSIONS, store_scores


def score_customers(
    company: Company, workspace: Workspace, steps: Steps, runner: Runner = LOCAL
) -> Path:
    """Write the scores of every customer of the snapshot; the path of the file or its parts.

    Targets without a model have no columns. Raises DataRefused without a snapshot or any model, and
    when no model reads comments as the snapshot does.
    """
    bundles, snapshot = load_snapshot_models(company, workspace, steps)
    path = workspace.scores(company.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with steps.step("score every customer") as done:
        rows = runner.write(partial(_scores, bundles), pieces(snapshot, runner), path, steps)
        done(rows=rows, targets=", ".join(bundles))
    finish_scoring(path, snapshot, bundles, steps)
    return path


def load_snapshot_models(
    company: Company, workspace: Workspace, steps: Steps
) -> tuple[dict[str, Bundle], Path]:
    """The serving models that read comments as the snapshot does, and where the snapshot is.

    What is not scored, and why, is told. Raises DataRefused when there is nothing to score (with).
    """
    bundles, missing = champions(workspace.serving(company.name))
    snapshot = workspace.features(company.name) / "snapshot.parquet"
    if not snapshot.exists():
        raise DataRefused(f"no snapshot {snapshot}; make it with `goodwill features`")
    if not bundles:
        whys = "; ".join(f"{t}: {why}" for t, why in missing.items())
        raise DataRefused(
            f"no model of {company.name} to score with ({whys}); run `goodwill train`"
        )
    bundles, apart = fitting(bundles, tone_of(snapshot))
    if not bundles:
        raise DataRefused("; ".join(apart.values()))
    for why in apart.values():
        steps.note(f"[yellow]–[/] not scored: {why}")
    return bundles, snapshot


def finish_scoring(path: Path, snapshot: Path, bundles: dict[str, Bundle], steps: Steps) -> None:
    """Keep the scores in the history, and count what is strange about them."""
    store_scores(path)
    with steps.step("do the predictions agree") as done:
        told = [w for bundle in bundles.values() for w in unknown_category_warnings(bundle, snapshot)]
        checks = check_scores(path, snapshot, bundles)
        apart = {c.name: f"{c.share:.2%} apart" for c in checks}
        done(**apart, unknown_categories=len(told))
    for sentence in told:
        steps.note(f"[yellow]–[/] {sentence}")


def check_scores(path: Path, snapshot: Path, bundles: dict[str, Bundle]) -> list[ConsistencyCheck]:
    """How many customers' predictions contradict each other, kept beside the scores."""
    scores = dataset(path).to_table()
    outputs = {
        target: {n: scores[f"{target}_{n}"].to_numpy() for n in OUTPUTS[target] if n != "survival"}
        for target in bundles
    }
    checks = check_consistency(outputs, _usual_spend(bundles, snapshot))
    text = json.dumps([{**asdict(c), "share": c.share} for c in checks], indent=1)
    (path.parent / "agreement.json").write_text(text, encoding="utf-8")
    return checks


def _usual_spend(bundles: dict[str, Bundle], snapshot: Path) -> NDArray[np.float64] | None:
    """What each customer is used to spending; None unless churn and value look equally far ahead."""
    value, churn = bundles.get("value"), bundles.get("churn")
    if not (value and churn and value.spend):
        return None
    if value.manifest.horizon_days != churn.manifest.horizon_days:
        return None
    return value.spend.usual(dataset(snapshot).to_table([*value.manifest.also_reads]))


def pieces(snapshot: Path, runner: Runner) -> list[tuple[Path, CustomerRange]]:
    """Which customers of which file of the snapshot are scored together."""
    customers = sum(pq.read_metadata(file).num_rows for file in part_files(snapshot))
    return split_snapshot(snapshot, runner.size(customers))


def split_snapshot(snapshot: Path, size: int) -> list[tuple[Path, CustomerRange]]:
    """The customers of a snapshot in pieces of at most so many, and the file of each."""
    ids = {file: pq.read_table(file, columns=["customer_id"]) for file in part_files(snapshot)}
    return [
        (file, span)
        for file, table in ids.items()
        for span in split_customers(table["customer_id"].to_pylist(), size)
    ]


def _scores(bundles: dict[str, Bundle], piece: tuple[Path, CustomerRange]) -> pa.Table:
    file, span = piece
    return score_table(span.read(file), bundles)


def score_table(features: pa.Table, bundles: dict[str, Bundle]) -> pa.Table:
    """Predictions beside ids: `customer_id`, `as_of`, then `<target>_<output>` and versions."""
    columns = {"customer_id": features["customer_id"], "as_of": features["cutoff"]}
    for target, bundle in bundles.items():
        outputs = predict(bundle, features)
        for name in OUTPUTS[target]:
            columns[f"{target}_{name}"] = pa.array(np.asarray(outputs[name]).tolist())
    for target, bundle in bundles.items():
        columns[f"{target}_version"] = pa.array([bundle.version] * features.num_rows)
    versions = json.dumps({t: b.version for t, b in bundles.items()})
    return pa.table(columns).replace_schema_metadata({VERSIONS: versions.encode()})
