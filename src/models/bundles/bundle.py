"""A trained model as plain files.

A bundle is `model.txt` (LightGBM's own text), `encoder.json`, `calibrator.json`, `golden.json`
(artificial rows with their predictions) and `manifest.json` (the description of the model, with the
SHA-256 of the other files); also `comment_score_model.json` when the model reads comments, `typical.txt`
with the trees of the median of a value, and `about.json` with its card and test results. Loading a
bundle executes no code from it, and needs neither MLflow nor the training code.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.atomic_write import atomic_path
from features.definitions.company_schema import CompanySchema
from features.disk_failures import disk_failure
from features.errors import DataRefused, EnvironmentFailed
from features.text.comment_score_model import FILE as TONE_FILE
from features.text.comment_score_model import CommentScoreModel, model_digest
from models.bundles.model_manifest import HoldoutSummary, ModelManifest
from models.learners.calibration import Calibrator
from models.learners.lightgbm import Estimator
from models.learners.out_of_distribution import TrainingSupport
from models.targets.spend_level import SpendLevel
from models.targets.target import Condition
from models.targets.typical_value import predict_typical

FILES = ("model.txt", "encoder.json", "calibrator.json", "golden.json")
ABOUT_FILE = "about.json"
#: The name of TONE_FILE in bundles of former versions.
FORMER_TONE_FILE = "tone.json"
#: The trees of the median of a value; they read the columns of `encoder.json`, as `model.txt` does.
TYPICAL_FILE = "typical.txt"
#: Texts whose scores by the comment score model must be the same at writing and at loading.
SENTENCES = ("The goods came late again.", "非常满意，谢谢！", "Não recebi o produto.", "")


@dataclass(frozen=True)
class Bundle:
    """A model ready to score: trees, calibration and the manifest that describes them.

    `about` is None for a model of an older version. `typical` are the trees of the median of a value;
    None for other targets and for a value model of an older version, whose `estimator` is the median.
    """

    estimator: Estimator
    calibrator: Calibrator
    manifest: ModelManifest
    tone: CommentScoreModel | None = None
    about: HoldoutSummary | None = None
    typical: Estimator | None = None

    @property
    def target(self) -> str:
        return self.manifest.target

    @property
    def version(self) -> str:
        return self.manifest.version

    @property
    def columns(self) -> tuple[str, ...]:
        """The feature columns that the model, its population and its spending level read."""
        extra = self.manifest.also_reads
        return tuple(dict.fromkeys((*self.estimator.encoder.columns, *extra)))

    @cached_property
    def schema(self) -> CompanySchema:
        return CompanySchema.from_json(json.dumps(self.manifest.schema))

    @cached_property
    def population(self) -> Condition | None:
        raw = self.manifest.population
        return Condition(**raw) if raw else None

    @cached_property
    def spend(self) -> SpendLevel | None:
        raw = self.manifest.spend_level
        return SpendLevel(**raw) if raw else None

    @cached_property
    def support(self) -> TrainingSupport | None:
        """The range of the training rows, to detect rows out of distribution; None for older models."""
        raw = self.manifest.support
        return TrainingSupport.from_dict(raw) if raw else None

    def calibrated(self, features: pa.Table) -> NDArray[np.float64]:
        """Probabilities (n,) or (n, K), or values in money (n,), after calibration."""
        plain = self.estimator.predict(features)
        if self.spend:
            plain = plain * self.spend.of(features)
        return self.calibrator.apply(plain)

    def typical_value(self, features: pa.Table) -> NDArray[np.float64] | None:
        """The median of each row's value in money (n,); None for other targets."""
        if self.spend is None:
            return None
        if self.typical is None:  # an older version: its trees are those of the median
            return self.calibrated(features)
        return predict_typical(self.typical, self.spend, features, self.manifest.never_negative)


def write_bundle(bundle: Bundle, folder: Path) -> Path:
    """Write a bundle to a new folder, atomically; returns the folder.

    Raises EnvironmentFailed when the folder exists, as a version is never overwritten, and when the
    disk is full or read-only.
    """
    if folder.exists():
        raise EnvironmentFailed(
            f"bundle {folder} exists, and a version is never overwritten; train again: the next "
            "version gets a number that was never used"
        )
    contents = {
        "model.txt": bundle.estimator.to_text(),
        "encoder.json": bundle.estimator.encoder.to_json(),
        "calibrator.json": bundle.calibrator.to_json(),
        "golden.json": json.dumps(golden_answers(bundle)),
    }
    if bundle.tone:
        contents[TONE_FILE] = bundle.tone.to_json()
    if bundle.typical:
        contents[TYPICAL_FILE] = bundle.typical.to_text()
    if bundle.about:
        contents[ABOUT_FILE] = json.dumps(asdict(bundle.about), ensure_ascii=False, allow_nan=False)
    hashes = {name: _sha256(text.encode()) for name, text in contents.items()}
    manifest = {**bundle.manifest.content, "files": hashes}
    contents["manifest.json"] = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
    try:
        _write_files(folder, contents)
    except OSError as err:
        if reason := disk_failure(err):
            raise EnvironmentFailed(reason) from err
        raise
    return folder


def _write_files(folder: Path, contents: dict[str, str]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        for name, text in contents.items():
            (temporary / name).write_text(text, encoding="utf-8")


def read_bundle(folder: Path) -> Bundle:
    """Load a bundle, check the hash of every file and replay the golden rows.

    Raises DataRefused with the name of a file that is missing or changed, or when the golden rows
    give other predictions.
    """
    manifest = read_json(folder / "manifest.json")
    optional = (TONE_FILE, FORMER_TONE_FILE, ABOUT_FILE, TYPICAL_FILE)
    also = [name for name in optional if name in manifest.get("files", {})]
    texts = {name: _read(folder / name) for name in (*FILES, *also)}
    for name, text in texts.items():
        expected, found = manifest.get("files", {}).get(name), _sha256(text.encode())
        if found != expected:
            raise DataRefused(
                f"bundle {folder}: {name} has SHA-256 {found[:12]}, the manifest says "
                f"{str(expected)[:12]}; export the version again"
            )
    tone_text = texts.get(TONE_FILE) or texts.get(FORMER_TONE_FILE)
    tone = CommentScoreModel.from_json(tone_text) if tone_text else None
    if model_digest(tone) != manifest.get("tone"):
        raise DataRefused(
            f"bundle {folder}: its model reads comments with model {manifest.get('tone')}, the bundle "
            f"has {model_digest(tone) or 'none'}; export the version again"
        )
    bundle = Bundle(
        Estimator.from_text(texts["model.txt"], texts["encoder.json"]),
        Calibrator.from_json(texts["calibrator.json"]),
        ModelManifest.from_dict(manifest),
        tone,
        HoldoutSummary(**json.loads(texts[ABOUT_FILE])) if ABOUT_FILE in texts else None,
        Estimator.from_text(texts[TYPICAL_FILE], texts["encoder.json"])
        if TYPICAL_FILE in texts
        else None,
    )
    _replay(bundle, json.loads(texts["golden.json"]), folder)
    return bundle


def golden_answers(bundle: Bundle) -> dict[str, Any]:
    """The bundle's predictions for the golden rows, and its comment scores for `SENTENCES`."""
    rows = artificial_rows(bundle)
    answers = {"answers": np.atleast_1d(bundle.calibrated(rows)).tolist()}
    if bundle.typical:
        answers["typical"] = np.asarray(bundle.typical_value(rows)).tolist()
    return answers | ({"tone": bundle.tone.predict(SENTENCES).tolist()} if bundle.tone else {})


def artificial_rows(bundle: Bundle) -> pa.Table:
    """Five made-up rows: fixed values for numeric columns, the categories in turn for others."""
    encoder = bundle.estimator.encoder
    steps = [float("nan"), 0.0, 1.0, 30.0, 1000.0]
    columns: dict[str, pa.Array] = {}
    for place, name in enumerate(bundle.columns):
        if name in encoder.categories:
            words = encoder.categories[name] or ("",)
            columns[name] = pa.array([words[(place + i) % len(words)] for i in range(5)])
        else:
            columns[name] = pa.array(np.roll(steps, place % 5))
    return pa.table(columns)


def _replay(bundle: Bundle, expected: dict[str, Any], folder: Path) -> None:
    try:
        answers = np.atleast_1d(bundle.calibrated(artificial_rows(bundle)))
        wanted = np.array(expected["answers"], dtype=np.float64)
        same = answers.shape == wanted.shape and _alike(answers, wanted)
        if bundle.typical:
            same = same and _alike(
                np.asarray(bundle.typical_value(artificial_rows(bundle))),
                np.array(expected["typical"], np.float64),
            )
        if bundle.tone:
            same = same and _alike(
                bundle.tone.predict(SENTENCES), np.array(expected["tone"], np.float64)
            )
    except (ValueError, KeyError, TypeError, IndexError):  # parts of different models
        same = False
    if not same:
        raise DataRefused(
            f"bundle {folder}: the golden rows are answered differently here than where the model "
            "was trained; check the versions of lightgbm and numpy, or export the version again"
        )


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return np.allclose(one, other, rtol=0, atol=1e-9, equal_nan=True)


def manifest_hash(folder: Path) -> str:
    """The SHA-256 of a bundle's manifest; raises DataRefused when it cannot be read."""
    return _sha256(_read(folder / "manifest.json").encode())


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")  # no newline translation
    except (OSError, ValueError) as err:  # no such file, not UTF-8, no possible name
        raise DataRefused(f"{path} cannot be read: {type(err).__name__}") from None


def read_json(path: Path) -> dict[str, Any]:
    """Read a file with one JSON object; raises DataRefused for anything else."""
    try:
        content = json.loads(_read(path))
    except (ValueError, RecursionError) as err:
        raise DataRefused(f"{path} is not valid JSON: {err}") from None
    if not isinstance(content, dict):
        raise DataRefused(f"{path} should hold a JSON object")
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
