"""The description of a trained model: written by training, read by card, report and HTTP service."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Self

from features.errors import DataRefused
from features.settings import Workspace

#: What the manifests of all versions hold.
REQUIRED = ("target", "version", "kind", "schema", "population", "spend_level", "also_reads")

#: What a registered version in MLflow shows of its manifest, as tags.
VERSION_TAGS = ("fingerprint", "code_revision", "horizon_days", "grade", "test_start",
                "labels_until", "judged_run")  # fmt: skip

#: The revision of code that is not in a git checkout.
UNKNOWN_REVISION = "unknown"


@dataclass(frozen=True, kw_only=True)
class ModelManifest:
    """The content of a bundle's `manifest.json`, without the hashes of its files.

    Times are ISO texts in UTC. `population`, `spend_level`, `ranges` (prediction intervals),
    `support` (out of distribution) and `survival` are the fitted parts as JSON holds them, None where
    the target has none or the model is of an older version. `never_negative`: no training label of a
    value is below 0. `sums` says how far sums of expected values may be off
    (`models.evaluation.sum_errors`). `tone` is the digest of the model that
    reads the comments. `unknown_categories` is the share of test rows in unknown categories.
    `labels_until` is the end of the last label window that the model learnt from, `labels_digest` the
    digest of its label data; both are empty for a model of an older version. `origins` is the
    judgement over rolling origins (`OriginsEvaluation`), `origin_limits` what it lacks. `run_id` is the
    MLflow run of the registered model, `judged_run` that of the judged one it is a refit of.
    """

    company: str = ""
    target: str
    kind: str = ""
    classes: list[str] = field(default_factory=list)
    currency: str = ""
    trained_at: str = ""
    cutoffs: list[str] = field(default_factory=list)
    valid_start: str = ""
    test_start: str = ""
    gap_days: int = 0
    horizon_days: int = 0
    definition: str | None = None
    population: dict[str, Any] | None = None
    spend_level: dict[str, Any] | None = None
    also_reads: list[str] = field(default_factory=list)
    ranges: dict[str, Any] | None = None
    support: dict[str, Any] | None = None
    survival: dict[str, Any] | None = None
    never_negative: bool = False
    sums: dict[str, Any] | None = None
    segments: list[dict[str, Any]] | None = None
    schema: dict[str, Any] = field(default_factory=dict)
    features: list[dict[str, Any]] = field(default_factory=list)
    dropped_features: list[str] = field(default_factory=list)
    unknown_categories: dict[str, float] = field(default_factory=dict)
    label_counts: dict[str, int] = field(default_factory=dict)
    labels_until: str = ""
    labels_digest: str = ""
    fingerprint: str = ""
    data_end: str = ""
    code_revision: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    origins: dict[str, Any] | None = None
    origin_limits: list[str] = field(default_factory=list)
    refit_agreement: dict[str, float] | None = None
    grade: str = ""
    grade_reason: str = ""
    tone: str | None = None
    version: str = "0"
    run_id: str = ""
    judged_run: str = ""

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Build from the JSON object of a `manifest.json`. Raises DataRefused when a key is missing.

        Models of older versions may lack some keys, newer ones may have others.
        """
        known = {f.name: content[f.name] for f in fields(cls) if f.name in content}
        if missing := [name for name in REQUIRED if name not in known]:
            raise DataRefused(f"the manifest lacks {', '.join(missing)}; export the version again")
        return cls(**known | {"target": str(content["target"]), "version": str(content["version"])})

    @property
    def labels_end(self) -> str:
        """The end of the labels it learnt from; of an older version's, the start of its test."""
        return self.labels_until or self.test_start

    @cached_property
    def content(self) -> dict[str, Any]:
        """The JSON object, in the order of the fields."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True)
class HoldoutSummary:
    """The results of a model on its test rows, as `about.json` holds them, and its card.

    `card` is Markdown. `measures[contestant][measure]` has `value`, `low` and `high`, None where
    undefined; `primary` names the measure that decides. `calibration` has bins of predicted and
    observed share with a 95% interval, of the positive class or of each class; a value has none.
    `coverage` is the share of outcomes inside their prediction interval, None without intervals; of a
    value, without the customers who spend nothing almost certainly, of whom `coverage_nothing` is.
    `origins` is the number of moments over which `measures` are means.
    """

    card: str = ""
    primary: str = ""
    measures: dict[str, dict[str, dict[str, float | None]]] = field(default_factory=dict)
    calibration: list[dict[str, Any]] = field(default_factory=list)
    coverage: float | None = None
    coverage_nothing: float | None = None
    origins: int = 1


def code_revision(workspace: Workspace) -> str:
    """The git commit of the project, or UNKNOWN_REVISION outside a checkout."""
    git = workspace.home / ".git"
    if not (git / "HEAD").is_file():
        return os.environ.get("GOODWILL_REVISION", UNKNOWN_REVISION)
    text = (git / "HEAD").read_text(encoding="utf-8").strip()
    if not text.startswith("ref: "):
        return text
    ref = text[5:]
    if (git / ref).is_file():
        return (git / ref).read_text(encoding="utf-8").strip()
    packed = git / "packed-refs"  # where `git gc` puts it
    for line in packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else ():
        if line.endswith(f" {ref}"):
            return line.split(" ")[0]
    return UNKNOWN_REVISION
