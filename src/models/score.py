"""The nightly scores file: one row a customer with all predictions and the versions behind them."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.company import Company
from features.errors import DataRefused
from features.progress import Steps
from features.settings import Workspace
from models.bundle import Bundle, champion
from models.predict import OUTPUTS, predict
from models.targets import TARGETS

ROWS_AT_ONCE = 50_000


def champions(serving: Path) -> tuple[dict[str, Bundle], dict[str, str]]:
    """The serving model of each target, and for each other target the reason there is none."""
    found: dict[str, Bundle] = {}
    missing: dict[str, str] = {}
    for target in TARGETS:
        try:
            bundle = champion(serving, target)
        except DataRefused as err:
            missing[target] = str(err)
            continue
        if bundle is None:
            missing[target] = "no model has been promoted"
        else:
            found[target] = bundle
    return found, missing


def score_everyone(company: Company, workspace: Workspace, steps: Steps) -> Path:
    """Write the scores of every customer of the snapshot; the file's path.

    Targets without a model have no columns. Raises DataRefused without a snapshot or any model.
    """
    bundles, missing = champions(workspace.serving(company.name))
    snapshot = workspace.features(company.name) / "snapshot.parquet"
    if not snapshot.is_file():
        raise DataRefused(f"no snapshot {snapshot}; make it with `goodwill features`")
    if not bundles:
        whys = "; ".join(f"{t}: {why}" for t, why in missing.items())
        raise DataRefused(
            f"no model of {company.name} to score with ({whys}); run `goodwill train`"
        )
    path = workspace.scores(company.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    with steps.step("score every customer") as done:
        file = pq.ParquetFile(snapshot)
        total = -(-file.metadata.num_rows // ROWS_AT_ONCE)
        writer: pq.ParquetWriter | None = None
        for batch in steps.track(file.iter_batches(ROWS_AT_ONCE), total):
            scored = score_table(pa.Table.from_batches([batch]), bundles)
            writer = writer or pq.ParquetWriter(temporary, scored.schema, compression="zstd")
            writer.write_table(scored)
        if writer:
            writer.close()
            temporary.replace(path)
        done(rows=file.metadata.num_rows, targets=", ".join(bundles))
    return path


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
    return pa.table(columns).replace_schema_metadata({b"goodwill_versions": versions.encode()})
