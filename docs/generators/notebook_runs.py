"""Execute the notebooks on a new sample company, two at a time, without a network."""

import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import jupytext
import nbformat
from exercises import exercises
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.util import run_sync

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[2]
NOTEBOOKS = PROJECT / "notebooks"
#: The executed notebooks; tests/notebooks looks at them.
EXECUTED = PROJECT / "build" / "notebooks"
#: The answers to the exercises, executed after their notebook.
ANSWERS = EXECUTED / "answers"
GUARD = Path(__file__).parent / "offline" / "sitecustomize.py"
CUSTOMERS = 1500
#: These run one after another: they compute the history, training sets, models and scores of the others.
FIRST = 4
#: Removes the variables and the features that a notebook has declared, so that one kernel runs several.
RESET = """
from features.definitions.feature_registry import REGISTRY
for declared in [n for n, f in REGISTRY.items() if f.build.__module__ == "__main__"]:
    del REGISTRY[declared]
%reset -f
"""


def execute_notebooks() -> list[Path]:
    """Execute each notebook, write it below `build/notebooks`; raises on the first cell that fails."""
    shutil.rmtree(EXECUTED, ignore_errors=True)
    ANSWERS.mkdir(parents=True)
    sources = sorted(NOTEBOOKS.glob("[0-9]*.py"))
    with tempfile.TemporaryDirectory() as folder:
        _prepare(Path(folder))
        with _kernels(2) as kernels:
            written = [_execute(source, kernels) for source in sources[:FIRST]]
            with ThreadPoolExecutor(2) as pool:
                written += pool.map(lambda source: _execute(source, kernels), sources[FIRST:])
    return written


def _prepare(home: Path) -> None:
    """A workspace of its own: a company in the user's folder never appears in the documents."""
    (home / "data").mkdir()
    for name in ("sample.toml", "complete_journey.toml"):
        shutil.copy(PROJECT / "data" / name, home / "data")
    shutil.copy(GUARD, EXECUTED)  # it records attempts next to itself
    os.environ.update(
        GOODWILL_HOME=str(home),
        GOODWILL_COMPANY="data/sample.toml",
        CUSTOMERS=str(CUSTOMERS),
        MPLCONFIGDIR=str(home / "matplotlib"),
        IPYTHONDIR=str(home / "ipython"),
        PYTHONPATH=os.pathsep.join((str(EXECUTED), str(PROJECT / "src"))),
    )


@contextmanager
def _kernels(count: int) -> "Iterator[SimpleQueue[AsyncKernelManager]]":
    """Kernels that start with their first notebook and run several, so that imports are paid once."""
    managers = [AsyncKernelManager(kernel_name="python3") for _ in range(count)]
    free: SimpleQueue[AsyncKernelManager] = SimpleQueue()
    for manager in managers:
        free.put(manager)
    try:
        yield free
    finally:
        for manager in managers:
            if manager.has_kernel:
                run_sync(manager.shutdown_kernel)(now=True)


def _execute(source: Path, kernels: "SimpleQueue[AsyncKernelManager]") -> Path:
    """Execute a notebook, then the answers to its exercises, in an empty namespace of a free kernel."""
    print(f"  {source.stem}", file=sys.stderr, flush=True)
    kernel = kernels.get()
    try:
        place = {"metadata": {"path": str(NOTEBOOKS)}}
        client = NotebookClient(_cells(RESET), km=kernel, timeout=600, resources=place)
        client.execute()
        client.nb = notebook = jupytext.read(source)
        client.execute()
        client.nb = _cells(*(exercise.code for exercise in exercises(notebook)))
        client.execute()
    finally:
        kernels.put(kernel)
    target = EXECUTED / f"{source.stem}.ipynb"
    nbformat.write(notebook, target)
    nbformat.write(client.nb, ANSWERS / target.name)
    return target


def _cells(*codes: str) -> nbformat.NotebookNode:
    """A notebook of code cells."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in codes])
