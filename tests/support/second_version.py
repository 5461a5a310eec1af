"""A second version of the churn model with other predictions, promoted as by a retrain."""

from dataclasses import replace

from features.settings import Workspace
from models.bundles.bundle import write_bundle
from models.bundles.champions import load_champion, set_champion
from models.bundles.mlflow_registry import Registry
from models.learners.calibration import Calibrator

MILDER = Calibrator("binary", "platt", {"slope": [0.5], "shift": [0.1]})


def promote_milder_churn(workspace: Workspace) -> str:
    """Register and promote a churn model with odds closer to even; returns its version."""
    serving = workspace.serving("sample")
    first = load_champion(serving, "churn")
    assert first is not None
    registry = Registry(workspace)
    milder = replace(first, calibrator=MILDER)
    number = registry.register(first.manifest.run_id, "sample", milder, {})
    manifest = replace(first.manifest, version=number)
    write_bundle(replace(milder, manifest=manifest), serving / "churn" / number)
    set_champion(serving, "churn", number)
    registry.promote("sample", "churn", number)
    return number
