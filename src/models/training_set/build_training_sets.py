"""Build the training sets: labels by SQL over the history, features as of each label's cutoff."""

import json
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.atomic_write import remove_path, write_text_atomically
from features.config.company import Company, TargetConfig
from features.config.snapshot_settings import LABEL
from features.contract import KINDS
from features.engine.compute_features import FeaturePlan
from features.errors import DataRefused, NothingTrained
from features.execution.file_metadata import with_metadata
from features.execution.partitions import LOCAL, CustomerRange, Runner, split_customers
from features.feature_table import feature_table, plan_for
from features.history.build_history import History
from features.history_store import Manifest, customer_ids, read_block
from features.progress import Steps
from features.row_audit import copy_row_audit
from features.settings import Workspace
from features.text.comment_score_model import (
    CommentScoreModel,
    model_digest,
    write_comment_score_model,
)
from models.targets.registry import TARGETS, trainable
from models.targets.target import Condition, Target, population_mask
from models.training_set.fit_comment_score_model import select_comment_model
from models.training_set.labels import LabelRows, label_rows
from models.training_set.splits import microseconds

#: Columns of a training set that are not features.
KEYS = ("customer_id", "cutoff", "label", "weight")
#: Label rows of a row group: the least that a range of customers has to read to find its own.
LABELS_TOGETHER = 50_000


@dataclass(frozen=True)
class LabelCounts:
    """The size of a training set, its class counts, and the rows left out by reason.

    `outside`: customers outside the target's population; `unripe`: label windows that end after the
    data; `sampled_out`: rows beyond `calendar.max_rows`; `late`: answers after the horizon;
    `left_before`: customers who left between the cutoff and their window (`gap_days`), or before the
    cutoff unnoticed; `unlabelled`: customers of a snapshot without a label.
    """

    rows: int
    customers: int
    outside: int
    unripe: int
    sampled_out: int
    cutoffs: tuple[str, ...]
    classes: dict[str, int]
    late: int = 0
    left_before: int = 0
    unlabelled: int = 0


@dataclass(frozen=True)
class FeatureRowBuilder:
    """Builds the feature rows of a range of customers, in this process or on another machine."""

    history: Path
    plan: FeaturePlan
    threads: int
    of_snapshot: bool = False

    def training_rows(
        self, labels: Path, condition: Condition | None, customers: CustomerRange
    ) -> pa.Table | None:
        """Features and labels of the customers in the population; None when the range has no label."""
        part = customers.read(labels)
        if not part.num_rows:
            return None
        cutoff = part["cutoff"].combine_chunks().cast(pa.timestamp("us", "UTC")).view(pa.int64())
        ids = part["customer_id"].combine_chunks()
        features = self._features(
            read_block(self.history, customers), ids, cutoff.to_numpy(zero_copy_only=False)
        )
        features = features.append_column("label", part["label"]).append_column(
            "weight", part["weight"]
        )
        return features.filter(pa.array(population_mask(features, condition)))

    def snapshot_rows(self, manifest: Manifest, customers: CustomerRange) -> pa.Table:
        """Features of every customer of the range as of the end of the data."""
        history = read_block(self.history, customers)
        ids = pa.array(history.customer_ids, pa.string())
        cutoff = np.full(len(ids), microseconds(manifest.end), np.int64)
        features = self._features(history, ids, cutoff)
        label = history.tables["customers"].numbers.get(LABEL) if self.of_snapshot else None
        if label is not None:  # no feature: who has left gets no prediction
            features = features.append_column(LABEL, [label])
        origin = {"company": manifest.company, "fingerprint": manifest.fingerprint}
        return with_metadata(features, {**origin, "tone": model_digest(self.plan.comment_model)})

    def _features(self, history: History, ids: pa.Array, cutoff: NDArray[np.int64]) -> pa.Table:
        """Feature rows with plain texts: Parquet encodes them itself, and all parts get one schema."""
        features = feature_table(history, ids, cutoff, self.plan, self.threads)
        fields = [
            pa.field(f.name, pa.string()) if pa.types.is_dictionary(f.type) else f
            for f in features.schema
        ]
        return features.cast(pa.schema(fields))


@dataclass(frozen=True)
class _TrainingSetWriter:
    """Writes the training sets of one history, one range of customers after the other."""

    folder: Path
    builder: FeatureRowBuilder
    pieces: list[CustomerRange]
    runner: Runner
    steps: Steps
    kinds: tuple[str, ...]

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        comment_model: CommentScoreModel | None,
        workspace: Workspace,
        steps: Steps,
        runner: Runner,
        of_snapshot: bool,
    ) -> "_TrainingSetWriter":
        name = manifest.company
        ids = customer_ids(workspace, name)
        plan = plan_for(manifest.schema, comment_model=comment_model)
        builder = FeatureRowBuilder(workspace.history(name), plan, runner.threads, of_snapshot)
        pieces = split_customers(ids, runner.size(len(ids)))
        kinds = manifest.schema.kinds.get("events", ())
        return cls(workspace.features(name), builder, pieces, runner, steps, kinds)

    def write_training(self, target: Target, labels: pa.Table, condition: Condition | None) -> int:
        """Write the training set of a target and count its rows; raises DataRefused when it is empty."""
        path = self.folder / f"{target.name}.parquet"
        labels_path = path.with_suffix(".labels")
        pq.write_table(labels, labels_path, row_group_size=LABELS_TOGETHER)
        try:
            build = partial(self.builder.training_rows, labels_path, condition)
            rows = self.runner.write(build, self.pieces, path, self.steps)
        finally:
            labels_path.unlink()
        if not rows:
            raise DataRefused(
                f"target {target.name}: no customer belongs to its population{self._missing_kinds()}"
            )
        return rows

    def _missing_kinds(self) -> str:
        """What a population without customers comes from where no event has a kind that labels read."""
        if set(self.kinds) & set(KINDS["events"]):
            return ""
        return (
            f"; no event is of a kind that labels read ({', '.join(KINDS['events'])}), the kinds found "
            f"are {', '.join(map(repr, self.kinds)) or 'none'}: map them in the expression of kind"
        )

    def write_snapshot(self, manifest: Manifest) -> int:
        """Write the features of every customer as of the end of the data and count the rows."""
        build = partial(self.builder.snapshot_rows, manifest)
        return self.runner.write(build, self.pieces, self.folder / "snapshot.parquet", self.steps)


def build_features(
    company: Company,
    workspace: Workspace,
    steps: Steps,
    runner: Runner = LOCAL,
    refit_comments: bool = False,
) -> tuple[dict[str, LabelCounts], dict[str, str]]:
    """Write the training set of each target and the snapshot of all customers.

    Returns the counts of each target, and the reason for each target that cannot be trained.
    `refit_comments` fits a new comment score model even when a champion has one. Raises NothingTrained
    when no target has a training set, unless all of them only wait for more survey answers.
    """
    manifest = Manifest.read(workspace, company.name)
    labelled, unable = _label_all(company, workspace, manifest, steps)
    folder = workspace.features(company.name)
    folder.mkdir(parents=True, exist_ok=True)
    keys = {name: labels.table for name, labels in labelled.items()}
    comment_model = select_comment_model(company, workspace, manifest, keys, steps, refit_comments)
    writer = _TrainingSetWriter.of(
        manifest, comment_model, workspace, steps, runner, company.snapshot is not None
    )
    counts: dict[str, LabelCounts] = {}
    for name, labels in labelled.items():
        target = TARGETS[name]
        with steps.step(f"features for {name}") as done:
            try:
                rows = writer.write_training(
                    target, labels.table, target.population(company.target(name))
                )
            except DataRefused as err:
                unable[name] = str(err)
            except Exception as err:
                unable[name] = steps.go_on_without(f"training set of {name}", err)
            if name in unable:
                done(left_out=unable[name])
                continue
            path = folder / f"{name}.parquet"
            outside = labels.table.num_rows - rows
            counts[name] = _counts(target, company.target(name), path, labels, outside)
            columns = len(writer.builder.plan.columns)
            done(rows=rows, columns=columns, cutoffs=len(counts[name].cutoffs))
    if labelled and not counts:
        raise NothingTrained("\n".join(unable[name] for name in labelled))
    with steps.step("snapshot of all customers") as done:
        rows = writer.write_snapshot(manifest)
        write_comment_score_model(comment_model, folder)
        copy_row_audit(workspace, company.name, folder)
        done(rows=rows, as_of=manifest.data_end[:10])
    _clear_others(folder, [*counts, "snapshot"])
    content = {"counts": {n: asdict(c) for n, c in counts.items()}, "unable": unable}
    write_text_atomically(folder / "counts.json", json.dumps(content, indent=2))
    return counts, unable


def _label_all(
    company: Company, workspace: Workspace, manifest: Manifest, steps: Steps
) -> tuple[dict[str, LabelRows], dict[str, str]]:
    """Label each target that can be labelled, and give the reason for each of the others."""
    able, unable = trainable(company, manifest.schema)
    found: dict[str, LabelRows] = {}
    with steps.step("labels") as done:
        for target in able:
            try:
                found[target.name] = label_rows(target, company, workspace, manifest)
            except DataRefused as err:
                unable[target.name] = str(err)
            except Exception as err:
                unable[target.name] = steps.go_on_without(f"labels of {target.name}", err)
        waits_for_answers = len(able) > 1 and not any(t.on_calendar for t in able)
        if able and not found and not waits_for_answers:
            raise NothingTrained("\n".join(unable[target.name] for target in able))
        done(**{name: labels.table.num_rows for name, labels in found.items()})
    return found, unable


def read_counts(
    company: Company, workspace: Workspace
) -> tuple[dict[str, LabelCounts], dict[str, str]]:
    """Read what `build_features` returned when it last ran; raises DataRefused if it never did."""
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
    """Remove the training sets of targets that can no longer be trained."""
    for file in folder.glob("*.parquet"):
        if file.stem not in keep:
            remove_path(file)


def _counts(
    target: Target, config: TargetConfig, path: Path, labels: LabelRows, outside: int
) -> LabelCounts:
    keys = pq.read_table(path, columns=list(KEYS))
    label = keys["label"].to_numpy()
    if target.classes:
        classes = {c: int((label == i).sum()) for i, c in enumerate(target.classes)}
    else:
        classes = {"zero": int((label == 0).sum()), "not zero": int((label != 0).sum())}
    distinct = pc.unique(keys["cutoff"]).to_pylist()
    shown = distinct if target.on_calendar else [min(distinct), max(distinct)]
    if config.is_snapshot:  # places of a hash, no moments
        shown = []
    return LabelCounts(
        rows=keys.num_rows,
        customers=len(pc.unique(keys["customer_id"])),
        outside=outside,
        unripe=labels.immature,
        sampled_out=labels.sampled_out,
        late=labels.late,
        left_before=labels.left_before,
        unlabelled=labels.unlabelled,
        cutoffs=tuple(c.isoformat() for c in sorted(shown)),
        classes=classes,
    )
