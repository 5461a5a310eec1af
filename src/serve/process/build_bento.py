"""Builds the Bento: what the service can reach of our sources, with the packages it needs, pinned.

No model and no customer is in it: those it reads from `GOODWILL_HOME` when it runs. BentoML is
called as a command, because only `serve.service` knows it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from features.errors import GoodwillError
from features.settings import LIBRARY_SWITCHES
from serve.process.import_graph import trace_imports, pin_requirements

#: BentoML imports the first; the second is named by a setting, so that no import statement shows it.
ENTRY_MODULES = ("serve.service", "serve.scoring.company_scorer")
NAME = "goodwill"

#: BentoML's own build file; `bentoml` itself is among the requirements.
_FILE = """\
service: serve.service:Goodwill
name: {name}
description: |
  Predictions of customer quality over HTTP. Set GOODWILL_HOME to the folder with the models and the
  snapshot, and GOODWILL_COMPANY to the company's TOML file.
include: ["**"]
python:
  requirements_txt: requirements.txt
  lock_packages: false
"""


class BuildFailed(GoodwillError):
    """BentoML could not build; the message shows the end of what it said."""


def build_bento(project: Path, folder: Path) -> Path:
    """Build the Bento of a checkout into `folder`, which is replaced; the folder.

    Raises BuildFailed with BentoML's own words.
    """
    version = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    with tempfile.TemporaryDirectory() as scratch:
        staged, store = Path(scratch) / "staged", Path(scratch) / "store"
        stage_sources(project, staged)
        _name(staged, version)
        store.mkdir()
        _bentoml(["build", "--version", version, "."], staged, {"BENTOML_HOME": str(store)})
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(store / "bentos" / NAME / version, folder)
    return folder


def stage_sources(project: Path, folder: Path) -> None:
    """Put into `folder` what the Bento is made of: modules, their data files, requirements."""
    sources = project / "src"
    reached = trace_imports(sources, ENTRY_MODULES)
    for path in (*reached.modules.values(), *reached.data):
        target = folder / path.relative_to(sources)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    lock = (project / "requirements.lock").read_text("utf-8")
    pins = pin_requirements(reached.packages, lock)
    (folder / "requirements.txt").write_text("\n".join(pins) + "\n", encoding="utf-8")
    (folder / "bentofile.yaml").write_text(_FILE.format(name=NAME), encoding="utf-8")


def _name(folder: Path, version: str) -> None:
    """Tell the version to the service, as an installed package would."""
    described = folder / f"{NAME}-{version}.dist-info" / "METADATA"
    described.parent.mkdir()
    described.write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\n", "utf-8")


def _bentoml(arguments: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Call BentoML where the staged modules lie; it imports those, and leaves nothing beside them."""
    here = {"GOODWILL_HOME": str(folder), "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    told = subprocess.run(
        [sys.executable, "-m", "bentoml", *arguments],
        cwd=folder,
        env={**os.environ, **LIBRARY_SWITCHES, **here, **environment},
        capture_output=True,
        text=True,
    )
    if told.returncode:
        raise BuildFailed(f"bentoml {' '.join(arguments)}: {(told.stdout + told.stderr)[-2000:]}")
