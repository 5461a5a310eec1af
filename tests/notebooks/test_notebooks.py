"""The notebooks run on a small company, show plots, and match their paired scripts."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbformat import NotebookNode

from support.canary_marks import find_marks
from support.offline import Offline, tried

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
WORKER = ROOT / "tests" / "support" / "notebook_worker.py"
NAMES = (
    "01_history", "02_features", "03_models", "04_scores", "05_leakage",
    "06_calibration_and_intervals", "07_nonresponse", "08_reasons", "09_satisfaction",
    "10_value_and_tiers", "11_complaints", "12_closed_loop",
)  # fmt: skip
#: Notebooks that need the serving models.
SERVED = ("06_calibration_and_intervals", "08_reasons", "10_value_and_tiers")
CUSTOMERS = 600

Runs = dict[str, "Future[NotebookNode]"]


def _environment(home: Path) -> dict[str, str]:
    """The environment of the kernels: workspace in `home`, our sources, one thread per process."""
    return {
        "GOODWILL_HOME": str(home),
        "GOODWILL_COMPANY": "data/sample.toml",
        "GOODWILL_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONPATH": Offline(home / "offline").path(ROOT / "src"),
        "CUSTOMERS": str(CUSTOMERS),
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "IPYTHONDIR": str(home / "ipython"),
    }


class Workers:
    """One process with one kernel per thread; see `support/notebook_worker.py`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.own = threading.local()
        self.processes: list[subprocess.Popen[str]] = []

    def execute(self, name: str) -> NotebookNode:
        """Run a notebook as JupyterLab would: with its folder as the working directory."""
        target = self.home / f"{name}.ipynb"
        if not hasattr(self.own, "process"):
            self.own.process = self._start()
        process = self.own.process
        process.stdin.write(json.dumps([str(FOLDER / f"{name}.ipynb"), str(target)]) + "\n")
        process.stdin.flush()
        reply = process.stdout.readline()
        assert reply, f"the worker ended while it ran {name}"
        assert json.loads(reply) == "", json.loads(reply)[-5000:]  # the cell and its traceback
        return nbformat.read(target, as_version=4)

    def _start(self) -> "subprocess.Popen[str]":
        command = [sys.executable, WORKER, FOLDER]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """End the workers and their kernels."""
        for process in self.processes:
            process.communicate(timeout=60)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with a small company, its history and features, made by `open_company`.

    Models and scores are left for 04_scores to make, while other notebooks run.
    """
    home = tmp_path_factory.mktemp("workspace")
    (home / "data").mkdir()
    for name in ("sample.toml", "complete_journey.toml"):  # 05_leakage is about real data
        shutil.copy(ROOT / "data" / name, home / "data")
    with pytest.MonkeyPatch.context() as patch:
        for key, value in _environment(home).items():
            patch.setenv(key, value)
        code = "from start import open_company; open_company('data/sample.toml', upto='features')"
        made = subprocess.run(
            [sys.executable, "-c", code], cwd=FOLDER, capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stdout + made.stderr
        assert "no results of `goodwill data`" in made.stdout
        assert "no results of `goodwill features`" in made.stdout
        yield home


@pytest.fixture(scope="module")
def runs(home: Path) -> Iterator[Runs]:
    """Each notebook, run two at a time, the longest first; some after 04, which trains their models."""
    workers = Workers(home)
    with ThreadPoolExecutor(2) as pool:
        others = [name for name in reversed(NAMES) if name not in SERVED]
        running = {name: pool.submit(workers.execute, name) for name in others}
        models = running["04_scores"]
        for name in SERVED:
            running[name] = pool.submit(_after, models, workers, name)
        yield running
    workers.stop()


def _after(models: "Future[NotebookNode]", workers: Workers, name: str) -> NotebookNode:
    models.result()
    return workers.execute(name)


def _images(notebook: NotebookNode) -> int:
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.slow
@pytest.mark.timeout(900)  # the first one waits for the training that others need
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_shows_plots(runs: Runs, name: str) -> None:
    notebook = runs[name].result()
    assert _images(notebook) >= 4


@pytest.mark.slow
def test_a_notebook_computes_missing_results(runs: Runs, home: Path) -> None:
    cells = runs["04_scores"].result().cells
    printed = "".join(o.get("text", "") for c in cells for o in c.get("outputs", []))
    assert "no results of `goodwill train`" in printed
    assert "no results of `goodwill score`" in printed
    assert (home / "data" / "sample" / "scores" / "scores.parquet").is_file()


@pytest.mark.slow
def test_no_notebook_connects_to_another_machine(runs: Runs, home: Path) -> None:
    for run in runs.values():
        run.result()
    assert tried(home / "offline") == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_notebook_shows_the_canary(runs: Runs, name: str) -> None:
    outputs = [c.get("outputs", []) for c in runs[name].result().cells]
    assert find_marks(json.dumps(outputs)) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_stored_without_outputs(name: str) -> None:
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert [cell.id for cell in notebook.cells] == [str(i) for i in range(len(notebook.cells))]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_matches_its_script(name: str) -> None:
    stored, pair = jupytext.read(FOLDER / f"{name}.ipynb"), jupytext.read(FOLDER / f"{name}.py")
    assert [(c.cell_type, c.source) for c in stored.cells] == [
        (c.cell_type, c.source) for c in pair.cells
    ], f"run `jupytext --sync notebooks/{name}.py`, then `nbstripout notebooks/{name}.ipynb`"
    assert stored.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_has_explanations(name: str) -> None:
    cells = jupytext.read(FOLDER / f"{name}.py").cells
    prose = [cell for cell in cells if cell.cell_type == "markdown"]
    assert prose[0].source.startswith("# ")
    assert len(prose) >= 6
    assert str(ROOT) not in "".join(cell.source for cell in cells)


def test_every_notebook_is_tested_and_paired() -> None:
    stored = {path.stem for path in FOLDER.glob("*.ipynb")}
    paired = {path.stem for path in FOLDER.glob("[0-9]*.py")}
    assert stored == paired == set(NAMES)


def test_the_kernel_is_the_one_of_this_environment() -> None:
    kernels = Path(sys.prefix) / "share" / "jupyter" / "kernels" / "python3"
    assert kernels.is_dir() or os.environ.get("JUPYTER_PATH")
