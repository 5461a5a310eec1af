"""Blocks connections of a process and its children to other machines, and records attempts."""

import os
import shutil
from pathlib import Path

#: The guard of `make docs`, which executes the notebooks with it.
GUARD = Path(__file__).parents[2] / "docs/generators/offline/sitecustomize.py"


class Offline:
    """A folder for PYTHONPATH that blocks the network, and the attempts that were made."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        shutil.copy(GUARD, folder)

    def path(self, *more: Path) -> str:
        """A PYTHONPATH that starts with the folder."""
        return os.pathsep.join(map(str, (self.folder, *more)))

    def tried(self) -> str:
        """The attempts to reach another machine, one per line."""
        return tried(self.folder)


def tried(folder: Path) -> str:
    """The attempts recorded in such a folder, one per line."""
    found = folder / "sitecustomize.py.tried"
    return found.read_text(encoding="utf-8") if found.exists() else ""
