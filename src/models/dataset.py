"""Training sets: labels by SQL over the history, features as of each label's cutoff, on disk."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.company import Company
from features.engine import Plan
from features.errors import DataRefused
from features.history import History
from features.progress import Steps
from features.settings import Settings, Workspace
from features.storage import Manifest, blocks
from features.table import feature_table, plan_for
from models.labels import label_rows
from models.population import members
from models.splits import microseconds
from models.targets import Target, trainable

#: Columns of a training set that are no features.
KEYS = ("customer_id", "cutoff", "label", "weight")


@dataclass(frozen=True)
class LabelCounts:
    """How many rows a training set has, why others are not in it, and how the labels fall.

    `outside` counts rows of customers outside the target's population, `unripe` answers too young
    for their window, `sampled_out` rows beyond `calendar.max_rows`.
    """

    rows: int
    customers: int
    outside: int
    unripe: int
    sampled_out: int
    cutoffs: tuple[str, ...]
    classes: dict[str, int]


def build_features(
    company: Company, workspace: Workspace, steps: Steps
) -> tuple[dict[str, LabelCounts], dict[str, str]]:
    """Write the training set of each target and the snapshot of all customers.

    Returns the counts per target, and for each target that cannot be trained the reason.
    """
    manifest = Manifest.read(workspace, company.name)
    able, unable = trainable(company, manifest.schema)
    folder = workspace.features(company.name)
    folder.mkdir(parents=True, exist_ok=True)
    plan = plan_for(manifest.schema)
    counts: dict[str, LabelCounts] = {}
    for target in able:
        with steps.step(f"features for {target.name}") as done:
            try:
                labels, unripe, beyond = label_rows(target, company, workspace, manifest)
            except DataRefused as err:
                if len(able) == 1 or target.on_calendar:
                    raise
                unable[target.name] = str(err)
                continue
            path = folder / f"{target.name}.parquet"
            rows, outside = _write(target, company, workspace, labels, plan, path, steps)
            counts[target.name] = _counts(target, path, outside, unripe, beyond)
            done(rows=rows, columns=len(plan.columns), cutoffs=len(counts[target.name].cutoffs))
    with steps.step("snapshot of all customers") as done:
        rows = write_snapshot(company, workspace, manifest, plan, steps)
        done(rows=rows, as_of=manifest.data_end[:10])
    _clear_others(folder, [*counts, "snapshot"])
    content = {"counts": {n: asdict(c) for n, c in counts.items()}, "unable": unable}
    temporary = folder / "counts.json.new"
    temporary.write_text(json.dumps(content, indent=2), encoding="utf-8")
    temporary.replace(folder / "counts.json")
    return counts, unable


def read_counts(
    company: Company, workspace: Workspace
) -> tuple[dict[str, LabelCounts], dict[str, str]]:
    """What `build_features` returned when it last ran. Raises DataRefused if it never did."""
    path = workspace.features(company.name) / "counts.json"
    if not path.is_file():
        raise DataRefused(f"no training sets of {company.name}; make them with `goodwill features`")
    content = json.loads(path.read_text(encoding="utf-8"))
    counts = {
        name: LabelCounts(**{**raw, "cutoffs": tuple(raw["cutoffs"])})
        for name, raw in content["counts"].items()
    }
    return counts, content["unable"]


def _clear_others(folder: Path, keep: list[str]) -> None:
    """Remove training sets of targets that can no longer be trained."""
    for file in folder.glob("*.parquet"):
        if file.stem not in keep:
            file.unlink()


def _write(
    target: Target,
    company: Company,
    workspace: Workspace,
    labels: pa.Table,
    plan: Plan,
    path: Path,
    steps: Steps,
) -> tuple[int, int]:
    """Features beside the labels, block by block; rows written and rows outside the population."""
    condition = target.population(company.target(target.name))
    outside = rows = 0
    writer: pq.ParquetWriter | None = None
    temporary = path.with_suffix(".new")
    for history, part in _blocks_of(labels, company, workspace, steps):
        cutoff = part["cutoff"].combine_chunks().cast(pa.timestamp("us", "UTC"))
        made = feature_table(
            history,
            part["customer_id"].combine_chunks(),
            cutoff.view(pa.int64()).to_numpy(zero_copy_only=False),
            plan,
            Settings().threads,
        )
        made = made.append_column("label", part["label"]).append_column("weight", part["weight"])
        inside = members(made, condition)
        outside += int((~inside).sum())
        if not inside.any():
            continue
        made = made.filter(pa.array(inside))
        rows += made.num_rows
        made = _plain(made)
        writer = writer or pq.ParquetWriter(temporary, made.schema, compression="zstd")
        writer.write_table(made)
    if writer is None:
        raise DataRefused(f"target {target.name}: no customer belongs to its population")
    writer.close()
    temporary.replace(path)
    return rows, outside


def _plain(table: pa.Table) -> pa.Table:
    """Dictionaries as texts: Parquet makes its own, and blocks then agree on the schema."""
    fields = [
        pa.field(f.name, pa.string()) if pa.types.is_dictionary(f.type) else f for f in table.schema
    ]
    return table.cast(pa.schema(fields))


def _blocks_of(
    labels: pa.Table, company: Company, workspace: Workspace, steps: Steps
) -> Iterator[tuple[History, pa.Table]]:
    """Each block of the history with the labels of its customers."""
    size = Settings().block_customers
    manifest = Manifest.read(workspace, company.name)
    total = -(-manifest.customers // size)
    for history in steps.track(blocks(workspace, company.name, size), total):
        ids = pa.array(history.customer_ids, pa.string())
        part = labels.filter(pc.is_in(labels["customer_id"], ids)) if total > 1 else labels
        if part.num_rows:
            yield history, part


def _counts(target: Target, path: Path, outside: int, unripe: int, sampled_out: int) -> LabelCounts:
    keys = pq.read_table(path, columns=list(KEYS))
    label = keys["label"].to_numpy()
    if target.classes:
        classes = {c: int((label == i).sum()) for i, c in enumerate(target.classes)}
    else:
        classes = {"zero": int((label == 0).sum()), "not zero": int((label != 0).sum())}
    distinct = pc.unique(keys["cutoff"]).to_pylist()
    shown = distinct if target.on_calendar else [min(distinct), max(distinct)]
    return LabelCounts(
        rows=keys.num_rows,
        customers=len(pc.unique(keys["customer_id"])),
        outside=outside,
        unripe=unripe,
        sampled_out=sampled_out,
        cutoffs=tuple(c.isoformat() for c in sorted(shown)),
        classes=classes,
    )


def write_snapshot(
    company: Company, workspace: Workspace, manifest: Manifest, plan: Plan, steps: Steps
) -> int:
    """Features of every customer as of the end of the data; the number of rows."""
    path = workspace.features(company.name) / "snapshot.parquet"
    size = Settings().block_customers
    as_of = microseconds(manifest.end)
    writer: pq.ParquetWriter | None = None
    temporary = path.with_suffix(".new")
    rows = 0
    total = -(-manifest.customers // size)
    for history in steps.track(blocks(workspace, company.name, size), total):
        ids = pa.array(history.customer_ids, pa.string())
        cutoff = np.full(len(ids), as_of, np.int64)
        made = _plain(feature_table(history, ids, cutoff, plan, Settings().threads))
        metadata = {b"goodwill": json.dumps({"fingerprint": manifest.fingerprint}).encode()}
        made = made.replace_schema_metadata(metadata)
        writer = writer or pq.ParquetWriter(temporary, made.schema, compression="zstd")
        writer.write_table(made)
        rows += made.num_rows
    if writer:
        writer.close()
        temporary.replace(path)
    return rows
