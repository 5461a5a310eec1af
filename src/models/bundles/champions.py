"""The champions: which version of each target serves, as a small pointer file says."""

import json
from pathlib import Path

from features.atomic_write import write_text_atomically
from features.errors import DataRefused
from features.execution.file_metadata import read_metadata
from features.execution.partitions import open_parquet
from models.bundles.bundle import Bundle, manifest_hash, read_bundle, read_json
from models.targets.registry import TARGETS

POINTER = "champion.json"


def set_champion(serving: Path, target: str, version: str) -> None:
    """Make a version the champion by replacing the pointer file atomically."""
    folder = serving / target
    pointer = {"version": version, "manifest_sha256": manifest_hash(folder / version)}
    write_text_atomically(folder / POINTER, json.dumps(pointer))


def serving_version(serving: Path, target: str) -> str | None:
    """The version that the pointer names; None without a pointer, "?" when it is unreadable."""
    path = serving / target / POINTER
    if not path.is_file():
        return None
    try:
        return str(json.loads(path.read_bytes())["version"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "?"


def load_champion(serving: Path, target: str) -> Bundle | None:
    """Load the bundle that a target's pointer names; None without a pointer.

    Raises DataRefused when the pointer or the bundle is broken.
    """
    path = serving / target / POINTER
    if not path.is_file():
        return None
    pointer = read_json(path)
    folder = serving / target / str(pointer.get("version"))
    if manifest_hash(folder) != pointer.get("manifest_sha256"):
        raise DataRefused(f"{path}: the manifest of version {pointer.get('version')} has changed")
    return read_bundle(folder)


def load_champions(serving: Path) -> tuple[dict[str, Bundle], dict[str, str]]:
    """Load the champion of each target, and give the reason for each target without one.

    An opt-in target without a pointer is in neither: it may not concern the company.
    """
    found: dict[str, Bundle] = {}
    missing: dict[str, str] = {}
    for name, target in TARGETS.items():
        try:
            bundle = load_champion(serving, name)
        except DataRefused as err:
            missing[name] = str(err)
            continue
        if bundle is not None:
            found[name] = bundle
        elif not target.opt_in:
            missing[name] = "no model has been promoted"
    return found, missing


def match_comment_model(
    bundles: dict[str, Bundle], digest: str | None
) -> tuple[dict[str, Bundle], dict[str, str]]:
    """Keep the bundles that read comments with the model of this digest; a reason for each other."""
    others = {
        target: f"{target} version {bundle.version} reads comments with another model than the "
        "features were made with; run `goodwill features` and, if that does not help, `goodwill train`"
        for target, bundle in bundles.items()
        if bundle.tone and bundle.tone.digest != digest
    }
    return {target: b for target, b in bundles.items() if target not in others}, others


def snapshot_comment_model(snapshot: Path) -> str | None:
    """The digest of the comment score model that a snapshot was made with; None without one."""
    digest = read_metadata(open_parquet(snapshot).schema).get("tone")
    return str(digest) if digest else None
