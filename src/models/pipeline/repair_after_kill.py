"""What a killed run left half done is repaired at the start of the next one."""

from typing import TYPE_CHECKING

from features.settings import Workspace

if TYPE_CHECKING:
    from models.bundles.mlflow_registry import Registry


def repair_after_kill(company: str, workspace: Workspace, registry: "Registry") -> list[str]:
    """End runs that were left running and make the aliases follow the pointers; returns notes.

    Unfinished files need no repair: a run that is killed publishes nothing, and its folder goes
    (features/result_sets.py). Call it under the company lock.
    """
    registry.sweep(company)
    return registry.follow_pointers(company, workspace.serving(company))


def follow_published_pointers(workspace: Workspace, company: str) -> None:
    """Make the MLflow aliases name the models that have just been published."""
    from models.bundles.mlflow_registry import Registry

    Registry(workspace).follow_pointers(company, workspace.serving(company))
