"""Roll back to an earlier version: the champion pointer and the registry alias change together."""

from dataclasses import dataclass

from features.company_lock import publication_lock
from features.config.company import Company
from features.errors import DataRefused, EnvironmentFailed, GoodwillError
from features.settings import Workspace
from models.bundles.bundle import read_bundle
from models.bundles.bundle_folders import kept_versions
from models.bundles.champions import POINTER, serving_version, set_champion
from models.targets.registry import TARGETS


class RegistryOutOfSync(EnvironmentFailed):
    """The version serves, but the MLflow registry still has another champion."""


@dataclass(frozen=True)
class Rollback:
    """The version that served before a rollback, and the one that serves now."""

    target: str
    before: str
    now: str


def roll_back(
    company: Company, workspace: Workspace, target: str, version: str | None = None
) -> Rollback:
    """Make a stored version the champion: `version`, or the one before the current champion.

    Checks its files and replays its golden rows first. It does not wait for a running night: that
    takes the rollback over and scores again before it publishes (features/result_sets.py). Raises
    DataRefused, without any change, when there is no such version or it is broken; RegistryOutOfSync
    when it serves but the MLflow registry could not be updated.
    """
    with publication_lock(workspace, company.name):
        rolled = _replace_pointer(company, workspace, target, version)
    _update_registry(company.name, workspace, target, rolled.now)
    return rolled


def _replace_pointer(
    company: Company, workspace: Workspace, target: str, version: str | None
) -> Rollback:
    serving = workspace.serving(company.name)
    before = serving_version(serving, target) if target in TARGETS else None
    if before is None:
        known = [name for name in TARGETS if (serving / name / POINTER).is_file()]
        raise DataRefused(f"no version of {target!r} serves {company.name}; targets: {known}")
    now = version or _version_before(kept_versions(serving, target), before, target)
    if now not in kept_versions(serving, target):
        kept = ", ".join(kept_versions(serving, target))
        raise DataRefused(f"{target} has no version {now}; stored versions: {kept}")
    read_bundle(serving / target / now)
    set_champion(serving, target, now)
    return Rollback(target, before, now)


def _version_before(kept: list[str], present: str, target: str) -> str:
    earlier = kept[: kept.index(present)] if present in kept else kept
    if not earlier:
        raise DataRefused(
            f"{target} version {present} is the oldest stored version; name another with --version, "
            f"stored versions: {', '.join(kept)}"
        )
    return earlier[-1]


def _update_registry(company: str, workspace: Workspace, target: str, version: str) -> None:
    try:
        from models.bundles.mlflow_registry import Registry

        Registry(workspace).follow_pointers(company, workspace.serving(company))
    except Exception as error:  # a broken store may raise anything; the champion is already right
        why = str(error) if isinstance(error, GoodwillError) else type(error).__name__
        raise RegistryOutOfSync(
            f"{target} version {version} serves now, but the MLflow registry could not be updated "
            f"({why}); the next training does that, or `goodwill rollback {target} --version "
            f"{version}`"
        ) from error
