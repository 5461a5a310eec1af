"""Builds the Bento: the modules that the service imports and its pinned requirements.

It holds no models and no customers: the service reads them from `GOODWILL_HOME` when it runs. BentoML
is called as a command, because only `serve.service` may import it.
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
from models.targets.registry import target_modules
from serve.process.import_graph import pin_requirements, trace_imports

#: BentoML imports the first; the others are loaded by name, without an import statement.
ENTRY_MODULES = ("serve.service", "serve.scoring.company_scorer", *target_modules())
NAME = "goodwill"

#: BentoML's own build file; `bentoml` itself is among the requirements.
_FILE = """\
service: serve.service:Goodwill
name: {name}
description: |
  Customer predictions over HTTP. Set GOODWILL_HOME to the folder with the models and the
  snapshot, and GOODWILL_COMPANY to the company's TOML file.
include: ["**"]
python:
  requirements_txt: requirements.txt
  lock_packages: false
"""


class BuildFailed(GoodwillError):
    """BentoML could not build; the message shows the end of its output."""


def build_bento(project: Path, folder: Path) -> Path:
    """Build the Bento of a checkout into `folder`, which is replaced; return the folder.

    Raises BuildFailed with BentoML's output.
    """
    version = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    with tempfile.TemporaryDirectory() as scratch:
        staged, store = Path(scratch) / "staged", Path(scratch) / "store"
        stage_sources(project, staged)
        _write_metadata(staged, version)
        store.mkdir()
        _run_bentoml(["build", "--version", version, "."], staged, {"BENTOML_HOME": str(store)})
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(store / "bentos" / NAME / version, folder)
    return folder


def stage_sources(project: Path, folder: Path) -> None:
    """Copy modules and data files into `folder` and write the requirements and the build file."""
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


def _write_metadata(folder: Path, version: str) -> None:
    """Write package metadata, from which the service reads its version."""
    metadata = folder / f"{NAME}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\n", "utf-8")


def _run_bentoml(arguments: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Run BentoML in the folder of the staged modules, which it imports without writing bytecode."""
    here = {"GOODWILL_HOME": str(folder), "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "bentoml", *arguments],
        cwd=folder,
        env={**os.environ, **LIBRARY_SWITCHES, **here, **environment},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BuildFailed(f"bentoml {' '.join(arguments)}: {(done.stdout + done.stderr)[-2000:]}")
