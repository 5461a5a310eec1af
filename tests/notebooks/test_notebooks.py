"""The notebooks run on the sample company, can be read by everybody, and match their scripts."""

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.canary_marks import find_marks
from support.offline import GUARD, tried

if TYPE_CHECKING:
    from nbformat import NotebookNode

sys.path.append(str(Path(__file__).parents[2] / "docs" / "generators"))
from exercises import exercises

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
NAMES = (
    "01_history", "02_features", "03_models", "04_scores", "05_leakage",
    "06_calibration_and_intervals", "07_nonresponse", "08_reasons", "09_satisfaction",
    "10_value_and_tiers", "11_complaints", "12_closed_loop",
)  # fmt: skip
#: The notebooks as `make docs` executed them, on a new sample company and without a network.
EXECUTED = ROOT / "build" / "notebooks"


def stored(name: str, folder: Path = FOLDER) -> "NotebookNode":
    """Read a notebook. The import is here because it takes each test process five seconds."""
    import nbformat

    notebook = nbformat.read(folder / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    return notebook


def script(name: str) -> "NotebookNode":
    """Read the paired script of a notebook."""
    import jupytext

    return jupytext.read(FOLDER / f"{name}.py")


def executed(name: str) -> "NotebookNode":
    """A notebook with its outputs; it must have been executed as it is now."""
    assert (EXECUTED / f"{name}.ipynb").is_file(), "run `make docs` before the slow tests"
    notebook = stored(name, EXECUTED)
    sources = [cell.source for cell in script(name).cells]
    assert [cell.source for cell in notebook.cells] == sources, "changed since the last `make docs`"
    return notebook


def outputs(name: str) -> "list[NotebookNode]":
    return [output for cell in executed(name).cells for output in cell.get("outputs", [])]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_and_shows_plots(name: str) -> None:
    assert not [output for output in outputs(name) if output.output_type == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs(name)) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_picture_has_its_own_alternative_text(name: str) -> None:
    shown = [output for output in outputs(name) if "image/png" in output.get("data", {})]
    texts = [output.metadata["image/png"]["alt"] for output in shown]
    assert min(map(len, texts)) >= 60
    assert len(set(texts)) == len(texts)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_picture_has_titles_labels_and_ticks_that_do_not_overlap(name: str) -> None:
    shown = [output for output in outputs(name) if "image/png" in output.get("data", {})]
    assert {output.metadata["image/png"]["alt"][:40]: output.metadata["defects"] for output in shown
            if output.metadata["defects"]} == {}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_tables_have_headings_in_words_and_rounded_numbers(name: str) -> None:
    tables = [
        html for o in outputs(name) if "<table" in (html := o.get("data", {}).get("text/html", ""))
    ]
    headings = re.findall(r"<th>([^<]*)</th>", "".join(t.split("<tbody>")[0] for t in tables))
    assert [heading for heading in headings if "_" in heading] == []
    assert re.findall(r"<td>[^<]*\.\d{5,}[^<]*</td>", "".join(tables)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_notebook_shows_long_json_a_warning_or_an_empty_widget(name: str) -> None:
    texts = [o.get("text", "") or o.data.get("text/plain", "") for o in outputs(name)]
    assert [text for text in texts if "Warning: " in text or text.startswith("Output()")] == []
    dumps = [text for text in texts if text.lstrip().startswith(("{", "["))]
    assert [text for text in dumps if len(text.splitlines()) > 10] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_answers_run_in_their_notebook_and_show_something(name: str) -> None:
    answers = stored(name, EXECUTED / "answers")
    codes = [exercise.code for exercise in exercises(script(name))]
    assert [cell.source for cell in answers.cells] == codes, "changed since the last `make docs`"
    for cell in answers.cells:
        assert cell.outputs
        assert not [output for output in cell.outputs if output.output_type == "error"]


@pytest.mark.slow
def test_notebooks_compute_missing_results() -> None:
    printed = "".join(output.get("text", "") for name in NAMES for output in outputs(name))
    for verb in ("data", "features", "train", "score"):
        assert printed.count(f"no results of `goodwill {verb}` for sample yet") == 1


@pytest.mark.slow
def test_no_notebook_connects_to_another_machine() -> None:
    assert (EXECUTED / GUARD.name).is_file()
    assert tried(EXECUTED) == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_notebook_shows_the_canary(name: str) -> None:
    assert find_marks(json.dumps(outputs(name))) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_stored_without_outputs(name: str) -> None:
    notebook = stored(name)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert [cell.id for cell in notebook.cells] == [str(i) for i in range(len(notebook.cells))]


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_matches_its_script(name: str) -> None:
    notebook, pair = stored(name), script(name)
    assert [(c.cell_type, c.source) for c in notebook.cells] == [
        (c.cell_type, c.source) for c in pair.cells
    ], f"run `jupytext --sync notebooks/{name}.py`, then `nbstripout notebooks/{name}.ipynb`"
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_has_explanations(name: str) -> None:
    cells = script(name).cells
    prose = [cell for cell in cells if cell.cell_type == "markdown"]
    assert prose[0].source.startswith("# ")
    assert len(prose) >= 6
    assert str(ROOT) not in "".join(cell.source for cell in cells)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_ends_with_two_exercises_whose_answers_are_folded_away(name: str) -> None:
    notebook = script(name)
    found = exercises(notebook)
    assert len(found) == 2
    assert exercises(type(notebook)(cells=notebook.cells[-2:])) == found
    for exercise in found:
        assert all(len(part) > 20 for part in exercise[1:])
        compile(exercise.code, exercise.title, "exec")


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_shown_with_a_description(name: str) -> None:
    code = [cell.source for cell in script(name).cells if cell.cell_type == "code"]
    ends = [source.rstrip().splitlines()[-1].strip() for source in code]
    assert [end for end in ends if end == "figure" or end.startswith(("plots[", "plot_"))] == []
    assert [source for source in code if "display(figure" in source] == []


def test_every_notebook_is_tested_and_paired() -> None:
    notebooks = {path.stem for path in FOLDER.glob("*.ipynb")}
    scripts = {path.stem for path in FOLDER.glob("[0-9]*.py")}
    assert notebooks == scripts == set(NAMES)


def test_the_kernel_is_the_one_of_this_environment() -> None:
    kernels = Path(sys.prefix) / "share" / "jupyter" / "kernels" / "python3"
    assert kernels.is_dir() or os.environ.get("JUPYTER_PATH")
