"""The folders of a target's bundles and their version numbers, each of which is taken only once.

Numbers are known in three places: the bundle folders, the MLflow registry, and `versions.json`, which
keeps the highest number when retention has deleted folders or the tracking database was lost. Losing
one or two of them makes no number free again (docs/decisions/0020-version-numbers.md).
"""

import json
from pathlib import Path

from features.atomic_write import sweep_leftovers, write_text_atomically
from features.errors import DataRefused, EnvironmentFailed
from models.bundles.bundle import read_json

FILE = "versions.json"


def kept_versions(serving: Path, target: str) -> list[str]:
    """List the versions of a target with a stored bundle, the oldest first."""
    found = [manifest.parent.name for manifest in (serving / target).glob("[!.]*/manifest.json")]
    return sorted(found, key=lambda version: (len(version), version))


def highest_number(folder: Path) -> int:
    """The highest number that a version of this target ever had, as far as the disk knows; 0 for none.

    A folder counts whatever is in it. Raises EnvironmentFailed when `versions.json` is damaged.
    """
    on_disk = [int(path.name) for path in folder.glob("[0-9]*") if path.name.isdecimal()]
    return max([_remembered(folder), *on_disk])


def take_number(folder: Path, number: int) -> None:
    """Remember a number as taken, whatever becomes of its bundle."""
    if number > _remembered(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_text_atomically(folder / FILE, json.dumps({"highest": number}))


def _remembered(folder: Path) -> int:
    path = folder / FILE
    if not path.is_file():
        return 0
    try:
        return int(read_json(path)["highest"])
    except (DataRefused, KeyError, TypeError, ValueError):
        raise EnvironmentFailed(
            f'{path} should hold the highest version number taken, such as {{"highest": 7}}; restore '
            "it from the backup, or write that number (the highest in MLflow and in the bundle folders)"
        ) from None


def sweep_unfinished(serving: Path) -> list[Path]:
    """Remove what killed writes left in a company's serving folder; returns it.

    Under the company lock, which everybody who writes bundles holds, so that an unfinished bundle has
    no writer any more. A rollback writes pointers without it: other files count as left after an hour.
    """
    return sweep_leftovers(serving, "[0-9]*", idle_seconds=0) + sweep_leftovers(serving)
