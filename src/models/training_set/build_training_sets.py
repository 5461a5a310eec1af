"""Training sets: labels by SQL over the history, features as of each label's cutoff, on disk."""

import json
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.engine.compute_features import Plan
from features.errors import DataRefused
from features.execution.partitions import LOCAL, Runner, CustomerRange, split_customers
from features.atomic_write import remove_path
from features.feature_table import feature_table, plan_for
from features.history.build_history import History
from features.history_store import read_block
from features.history_store import customer_ids
from features.history_store import Manifest
from features.progress import Steps
from features.row_audit import keep_beside
from features.settings import Workspace
from features.text.comment_score_model import Tone, digest_of, keep_tone
from models.targets.target import population_mask
from models.targets.target import Condition
from models.targets.registry import TARGETS, trainable
from models.targets.target import Target
from models.training_set.fit_comment_score_model import tone_for
from models.training_set.labels import label_rows
from models.training_set.splits import microseconds

#: Columns of a training set that are no features.
KEYS = ("customer_id", "cutoff", "label", "weight")
#: Label rows of a row group: what a span of customers reads at the least to find its own.
LABELS_TOGETHER = 50_000


#: Label rows, and how many were left out: unripe, late, sampled out.
Labels = tuple[pa.Table, int, int, int]


@dataclass(frozen=True)
class LabelCounts:
    """How many rows a training set has, why others are not in it, and how the labels fall.

    `outside` counts rows of customers outside the target's population, `unripe` answers too young
    for their window, `sampled_out` rows beyond `calendar.max_rows`, `late` answers after the horizon.
    """

    rows: int
    customers: int
    outside: int
    unripe: int
    sampled_out: int
    cutoffs: tuple[str, ...]
    classes: dict[str, int]
    late: int = 0


@dataclass(frozen=True)
class FeatureRowBuilder:
    """Makes the feature rows of a span of customers, here or on another machine."""

    history: Path
    plan: Plan
    threads: int

    def training(self, labels: Path, condition: Condition | None, span: CustomerRange) -> pa.Table | None:
        """Features beside the labels of the population; None where the span has no label."""
        part = span.read(labels)
        if not part.num_rows:
            return None
        cutoff = part["cutoff"].combine_chunks().cast(pa.timestamp("us", "UTC")).view(pa.int64())
        ids = part["customer_id"].combine_chunks()
        made = self._features(read_block(self.history, span), ids, cutoff.to_numpy(zero_copy_only=False))
        made = made.append_column("label", part["label"]).append_column("weight", part["weight"])
        return made.filter(pa.array(population_mask(made, condition)))

    def snapshot(self, manifest: Manifest, span: CustomerRange) -> pa.Table:
        """Features of every customer of the span as of the end of the data."""
        history = read_block(self.history, span)
        ids = pa.array(history.customer_ids, pa.string())
        cutoff = np.full(len(ids), microseconds(manifest.end), np.int64)
        made = self._features(history, ids, cutoff)
        told = {"company": manifest.company, "fingerprint": manifest.fingerprint}
        metadata = json.dumps({**told, "tone": digest_of(self.plan.tone)}).encode()
        return made.replace_schema_metadata({b"goodwill": metadata})

    def _features(self, history: History, ids: pa.Array, cutoff: NDArray[np.int64]) -> pa.Table:
        """With texts instead of dictionaries: Parquet makes its own, and parts then agree."""
        made = feature_table(history, ids, cutoff, self.plan, self.threads)
        fields = [
            pa.field(f.name, pa.string()) if pa.types.is_dictionary(f.type) else f
            for f in made.schema
        ]
        return made.cast(pa.schema(fields))


@dataclass(frozen=True)
class _TrainingSetWriter:
    """What writes the sets of one history: its customers in pieces, and where the work runs."""

    folder: Path
    maker: FeatureRowBuilder
    pieces: list[CustomerRange]
    runner: Runner
    steps: Steps

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        tone: Tone | None,
        workspace: Workspace,
        steps: Steps,
        runner: Runner,
    ) -> "_TrainingSetWriter":
        name = manifest.company
        ids = customer_ids(workspace, name)
        plan = plan_for(manifest.schema, tone=tone)
        maker = FeatureRowBuilder(workspace.history(name), plan, runner.threads)
        pieces = split_customers(ids, runner.size(len(ids)))
        return cls(workspace.features(name), maker, pieces, runner, steps)

    def write_training(self, target: Target, labels: pa.Table, condition: Condition | None) -> int:
        """Write the training set of a target; its rows. Raises DataRefused if there are none."""
        path = self.folder / f"{target.name}.parquet"
        beside = path.with_suffix(".labels")
        pq.write_table(labels, beside, row_group_size=LABELS_TOGETHER)
        try:
            make = partial(self.maker.training, beside, condition)
            rows = self.runner.write(make, self.pieces, path, self.steps)
        finally:
            beside.unlink()
        if not rows:
            raise DataRefused(f"target {target.name}: no customer belongs to its population")
        return rows

    def write_snapshot(self, manifest: Manifest) -> int:
        """Write the features of every customer as of the end of the data; the number of rows."""
        make = partial(self.maker.snapshot, manifest)
        return self.runner.write(make, self.pieces, self.folder / "snapshot.parquet", self.steps)


def build_features(
    company: Company,
    workspace: Workspace,
    steps: Steps,
    runner: Runner = LOCAL,
    refit_comments: bool = False,
) -> tuple[dict[str, LabelCounts], dict[str, str]]:
    """Write the training set of each target and the snapshot of all customers.

    Returns the counts per target, and for each target that cannot be trained the reason.
    `refit_comments` has comments read by a new tone even if a champion brings its own.
    """
    manifest = Manifest.read(workspace, company.name)
    labelled, unable = _label_all(company, workspace, manifest, steps)
    folder = workspace.features(company.name)
    folder.mkdir(parents=True, exist_ok=True)
    keys = {name: labels for name, (labels, *_) in labelled.items()}
    tone = tone_for(company, workspace, manifest, keys, steps, refit_comments)
    sets = _TrainingSetWriter.of(manifest, tone, workspace, steps, runner)
    counts: dict[str, LabelCounts] = {}
    for name, (labels, unripe, late, beyond) in labelled.items():
        target = TARGETS[name]
        with steps.step(f"features for {name}") as done:
            rows = sets.write_training(
                target, labels, target.population(company.target(target.name))
            )
            outside = labels.num_rows - rows
            path = folder / f"{target.name}.parquet"
            counted = _counts(target, path, outside, unripe, beyond)
            counts[target.name] = replace(counted, late=late)
            columns = len(sets.maker.plan.columns)
            done(rows=rows, columns=columns, cutoffs=len(counts[target.name].cutoffs))
    with steps.step("snapshot of all customers") as done:
        rows = sets.write_snapshot(manifest)
        keep_tone(tone, folder)
        keep_beside(workspace, company.name, folder)
        done(rows=rows, as_of=manifest.data_end[:10])
    _clear_others(folder, [*counts, "snapshot"])
    content = {"counts": {n: asdict(c) for n, c in counts.items()}, "unable": unable}
    write_text_atomically(folder / "counts.json", json.dumps(content, indent=2))
    return counts, unable


def _label_all(
    company: Company, workspace: Workspace, manifest: Manifest, steps: Steps
) -> tuple[dict[str, Labels], dict[str, str]]:
    """The labels of each target that has any, and for each other target the reason."""
    able, unable = trainable(company, manifest.schema)
    found: dict[str, Labels] = {}
    with steps.step("labels") as done:
        for target in able:
            try:
                found[target.name] = label_rows(target, company, workspace, manifest)
            except DataRefused as err:
                if len(able) == 1 or target.on_calendar:
                    raise
                unable[target.name] = str(err)
        done(**{name: labels.num_rows for name, (labels, *_) in found.items()})
    return found, unable


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
            remove_path(file)


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
