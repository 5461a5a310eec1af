"""A small company, trained once for all tests; copy it before changing anything."""

import atexit
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from features.config.company import Company, load_company
from features.progress import Steps, silent_steps
from features.result_sets import staged_results
from features.sample_company.generate import generate_sample_company
from features.settings import Workspace
from insight.evaluation.run_evaluation import evaluate_company
from models.pipeline.repair_after_kill import follow_published_pointers
from models.pipeline.retrain import Outcome, retrain, train_all
from models.targets.registry import company_targets
from models.training_set.build_training_sets import read_counts

PROJECT = Path(__file__).parents[2]
CUSTOMERS, SEED = 1000, 7  # no latest answer is of the lowest level
#: The targets of the sample company, in order.
SAMPLE_TARGETS = tuple(
    target.name for target in company_targets(load_company(PROJECT / "data/sample.toml"))
)
#: The folder in which the processes of one test run share what is expensive to build.
SHARED = "GOODWILL_TEST_SHARED"

with warnings.catch_warnings():  # MLflow uses deprecated parts of its own libraries
    warnings.simplefilter("ignore")
    import mlflow.lightgbm
    import mlflow.store.tracking.sqlalchemy_store

    LOADED = (mlflow.lightgbm.save_model, mlflow.pyfunc.load_model)  # imported on first use


def simulated(home: Path, customers: int, seed: int = 7) -> tuple[Company, Workspace]:
    """Generate the sample company's raw tables and TOML file in a project folder."""
    workspace = Workspace(home)
    folder = workspace.company("sample")
    folder.mkdir(parents=True)
    generate_sample_company(folder / "raw", folder / "truth", customers, seed)
    shutil.copy(PROJECT / "data/sample.toml", workspace.data)
    return load_company(workspace.data / "sample.toml"), workspace


def trained() -> tuple[Workspace, list[Outcome]]:
    """The project of a company that was retrained once, and the outcome of each target."""
    found = _trained()
    if isinstance(found, Exception):
        raise found
    return found


@cache
def _trained() -> tuple[Workspace, list[Outcome]] | Exception:
    """Train in the first test process that needs it; a failure is also cached."""
    folder = _shared_folder()
    done = folder / "outcomes.json"
    try:
        with FileLock(folder / "lock"):
            if not done.is_file():
                shutil.rmtree(folder / "home", ignore_errors=True)
                company, workspace = simulated(folder / "home", CUSTOMERS, SEED)
                steps = Steps(workspace.log("sample"), silent_steps().console)
                outcomes = retrain(company, workspace, steps)
                done.write_text(json.dumps([asdict(o) for o in outcomes]), encoding="utf-8")
        found = json.loads(done.read_text(encoding="utf-8"))
        return Workspace(folder / "home"), [Outcome(**o) for o in found]
    except Exception as error:
        return error


def _shared_folder() -> Path:
    """One folder for all processes of a test run, set in tests/conftest.py."""
    if shared := os.environ.get(SHARED):
        folder = Path(shared) / "trained"
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    folder = Path(tempfile.mkdtemp(prefix="goodwill-trained-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def copy_of_trained(home: Path) -> tuple[Company, Workspace]:
    """A copy of the trained company that a test may change."""
    shutil.copytree(trained()[0].home, home, symlinks=True)
    return load_company(home / "data/sample.toml"), Workspace(home)


def copy_of_evaluated(home: Path) -> tuple[Company, Workspace]:
    """A copy of the trained company after its evaluation, which the first process that needs it runs."""
    folder = _shared_folder()
    with FileLock(folder / "evaluation.lock"):
        if not (folder / "evaluated").is_dir():
            shutil.rmtree(folder / "evaluating", ignore_errors=True)
            company, workspace = copy_of_trained(folder / "evaluating")
            with staged_results(workspace, company.name) as staged:
                evaluate_company(company, staged, silent_steps())
            (folder / "evaluating").rename(folder / "evaluated")
    shutil.copytree(folder / "evaluated", home, symlinks=True)
    return load_company(home / "data/sample.toml"), Workspace(home)


def train_only(
    company: Company, workspace: Workspace, *targets: str, steps: Steps | None = None
) -> list[Outcome]:
    """Train some targets on the training sets on disk."""
    counts = {t: c for t, c in read_counts(company, workspace)[0].items() if t in targets}
    unable = {t: "not asked for" for t in SAMPLE_TARGETS if t not in targets}
    outcomes = train_all(company, workspace, steps or silent_steps(), counts, unable)
    follow_published_pointers(workspace, company.name)
    return [o for o in outcomes if o.target in targets]


def relabel(workspace: Workspace, target: str, label: Any) -> None:
    """Replace the labels of a training set."""
    path = workspace.features("sample") / f"{target}.parquet"
    table = pq.read_table(path)
    place = table.column_names.index("label")
    pq.write_table(table.set_column(place, "label", pa.array(label, pa.float64())), path)


@contextmanager
def unchanged(workspace: Workspace) -> Iterator[None]:
    """Check that pointers, bundles, history and scores are byte for byte the same afterwards."""
    before = _contents(workspace)
    yield
    assert _contents(workspace) == before


def _contents(workspace: Workspace) -> dict[str, bytes]:
    company = workspace.company("sample")
    folders = [workspace.serving("sample"), company / "history", company / "features"]
    files = [f for folder in folders for f in folder.rglob("*") if f.is_file()]
    files.append(workspace.scores("sample"))
    return {str(f): f.read_bytes() for f in files if f.exists()}
