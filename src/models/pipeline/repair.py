"""What a killed run left half done is repaired at the start of the next one."""

from typing import TYPE_CHECKING

from features.atomic_write import sweep_leftovers
from features.settings import Workspace
from models.bundles.bundle_folders import sweep_unfinished

if TYPE_CHECKING:
    from models.bundles.mlflow_registry import Registry


def repair_after_kill(company: str, workspace: Workspace, registry: "Registry") -> list[str]:
    """End runs, sweep unfinished files and make the aliases follow the pointers; returns notes.

    Call it under the company lock, without which another run may be writing these files.
    """
    registry.sweep(company)
    serving = workspace.serving(company)
    swept = sweep_unfinished(serving)
    for part in ("scores", "evaluation"):  # their names have dates: nobody writes the same again
        swept += sweep_leftovers(workspace.company(company) / part)
    notes = [f"removed {path}, which a killed run left" for path in swept]
    return notes + registry.follow_pointers(company, serving)


def follow_published_pointers(workspace: Workspace, company: str) -> None:
    """Make the MLflow aliases name the models that have just been published."""
    from models.bundles.mlflow_registry import Registry

    Registry(workspace).follow_pointers(company, workspace.serving(company))
