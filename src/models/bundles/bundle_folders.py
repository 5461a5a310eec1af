"""The folders of a target's bundles and their version numbers, each of which is taken only once.

Numbers are known in three places: the bundle folders, the MLflow registry, and a small file below
`mlruns/versions/` that keeps the highest one, for when retention has deleted folders, a run was refused
after its training, or the tracking database was lost. Losing one or two of the places makes no number
free again (docs/decisions/0020-version-numbers.md).
"""

import json
from pathlib import Path

from features.atomic_write import write_text_atomically
from features.errors import DataRefused, EnvironmentFailed
from features.settings import Workspace
from models.bundles.bundle import read_json


def kept_versions(serving: Path, target: str) -> list[str]:
    """List the versions of a target with a stored bundle, the oldest first."""
    found = [manifest.parent.name for manifest in (serving / target).glob("[!.]*/manifest.json")]
    return sorted(found, key=lambda version: (len(version), version))


def highest_number(workspace: Workspace, company: str, target: str) -> int:
    """The highest number that a version of a target ever had, as far as the disk knows; 0 for none.

    A folder counts whatever is in it. Raises EnvironmentFailed when the file below `mlruns/versions/` is
    damaged.
    """
    folders = (workspace.serving(company) / target).glob("[0-9]*")
    on_disk = [int(folder.name) for folder in folders if folder.name.isdecimal()]
    return max([_remembered(_file(workspace, company, target)), *on_disk])


def take_number(workspace: Workspace, company: str, target: str, number: int) -> None:
    """Remember a number as taken, also if its bundle is never written."""
    path = _file(workspace, company, target)
    if number > _remembered(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, json.dumps({"highest": number}))


def _file(workspace: Workspace, company: str, target: str) -> Path:
    """Outside the folder that serves, which may be put back to an earlier state."""
    return workspace.mlruns / "versions" / company / f"{target}.json"


def _remembered(path: Path) -> int:
    if not path.is_file():
        return 0
    try:
        return int(read_json(path)["highest"])
    except (DataRefused, KeyError, TypeError, ValueError):
        raise EnvironmentFailed(
            f'{path} should hold the highest version number taken, such as {{"highest": 7}}; restore '
            "it from the backup, or write that number (the highest in MLflow and in the bundle folders)"
        ) from None
